"""Repositories themselves. ``uri`` is where one is cloned from, ``view_url`` its page; both absolute URIs."""

from typing import Unpack

from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary.draft import Told, draft


class Owned(Told, total=False):
    """What may be known of a repository."""

    owner: str | None
    view_url: str | None
    service: str | None


def repository_created(
    *, source: str, at: str, repository: str, name: str, uri: str, **known: Unpack[Owned]
) -> Draft:
    """A repository was created, or came here."""
    return _repository("repository.created", source, at, repository, name, uri, known)


def repository_modified(
    *, source: str, at: str, repository: str, name: str, uri: str, **known: Unpack[Owned]
) -> Draft:
    """A repository has another name, owner or setting."""
    return _repository("repository.modified", source, at, repository, name, uri, known)


def repository_deleted(
    *, source: str, at: str, repository: str, name: str, uri: str, **known: Unpack[Owned]
) -> Draft:
    """A repository is gone."""
    return _repository("repository.deleted", source, at, repository, name, uri, known)


def _repository(
    event: str, source: str, at: str, repository: str, name: str, uri: str, known: Owned
) -> Draft:
    content = {"name": name, "uri": uri, "owner": known.get("owner"), "viewUrl": known.get("view_url")}
    dora = {"repository": repository, **known}
    return draft(event, source=source, at=at, subject_id=repository, content=content, dora=dora)
