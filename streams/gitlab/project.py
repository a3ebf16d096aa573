"""The project that a payload of GitLab is about, and what all of them tell alike: times and commits. Pure.

Payloads: docs.gitlab.com, "Webhook events" and "System hooks". Times come in several formats, even in one.
"""

import re
from dataclasses import dataclass
from typing import Any

from schemas import purl
from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from schemas.instant import instant_text
from schemas.repository import repository_of_remote
from streams.fields import Fields
from streams.marks import LONGEST_READ, reverted_commit
from streams.shapes import Unfit
from streams.texts import name

CHANNEL = "gitlab"
LONGEST_URL = 400  # characters; ids of deployments are made of it, and have a limit of their own
COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
REVERTED_CHANGE = re.compile(r"\bThis reverts merge request !(\d{1,12})\b", re.ASCII)


@dataclass(frozen=True, slots=True)
class Project:
    """A project: ``name`` with all of its groups, ``url`` for people, and the ``service`` that it is."""

    name: str
    url: str
    service: str

    @classmethod
    def of(cls, told: Fields, catalog: Catalog) -> "Project":
        """The project of a payload. Job events of older versions describe only its repository."""
        older = told.find("project.web_url") is None and told.find("repository.homepage") is not None
        place = "repository.homepage" if older else "project.web_url"
        url = told.uri(place).rstrip("/")
        if len(url) > LONGEST_URL or "://" not in url:
            raise Unfit(f"{place!r} is not the address of a project")
        path = told.find("project.path_with_namespace") or repository_of_remote(url)
        found = name(path, "project.path_with_namespace")
        return cls(found, url, catalog.service("repository", found))

    @property
    def identity(self) -> str:
        """The project on its instance, as ``gitlab.example.com/group/name``: no other instance has it."""
        return self.url.partition("://")[2]

    def known(self) -> dict[str, Any]:
        """What every event about the project tells of it."""
        facts = {"source": self.url, "repository": self.name, "service": self.service}
        return {**facts, "channel": CHANNEL}

    def deploy_id(self, thing: str) -> str:
        """The id of a deployment that GitLab knows as ``thing`` within this project."""
        return f"gitlab:{self.identity}:{thing}"

    def version(self, version: str) -> str:
        """A version of what the project holds, as a purl."""
        return purl.repository(self.name, version, url=self.url)

    def merge_request(self, number: object) -> str:
        """The address, and so the id, of one of its merge requests."""
        return f"{self.url}/-/merge_requests/{number}"

    def pipeline(self, number: int) -> str:
        """The address, and so the id, of one of its pipelines."""
        return f"{self.url}/-/pipelines/{number}"

    def reverted(self, message: str) -> str | None:
        """What a message says that it takes back: a commit, or a merge request of the project."""
        change = REVERTED_CHANGE.search(message[:LONGEST_READ])
        return reverted_commit(message) or (change and self.merge_request(change[1]))


def time_of(told: Fields, path: str, event: CloudEvent) -> str:
    """The time at ``path``; the event's own when none is there. Raises ``Unfit`` for what is no time."""
    return told.instant(path) if told.find(path) is not None else arrival_of(event)


def arrival_of(event: CloudEvent) -> str:
    """The event's own time: for a push there is no other."""
    return instant_text(event.time)


def commit_of(told: Fields, path: str) -> str | None:
    """A commit's full hash; ``None`` for anything else, and for the zeros that mean none."""
    value = told.find(path)
    if not isinstance(value, str) or COMMIT.fullmatch(value) is None:
        return None
    return value if value.strip("0") else None


def tip_of(told: Fields, path: str) -> str | None:
    """Where a branch or a tag is; ``None`` for the zeros that mean nowhere. Raises ``Unfit`` for all else."""
    if COMMIT.fullmatch(told.text(path)) is None:
        raise Unfit(f"{path!r} is not the hash of a commit")
    return commit_of(told, path)
