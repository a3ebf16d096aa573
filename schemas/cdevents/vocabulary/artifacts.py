"""Artifacts, identified by purl: by digest where one is known, because tags move.

Who did it is left out although CDEvents has a field for it: facts hold no personal names.
"""

from typing import Any, Unpack

from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary.draft import Told, draft, reference


class Built(Told, total=False):
    """What may be known of an artifact's origin."""

    service: str | None
    repository: str | None
    commit: str | None


def artifact_packaged(
    *, source: str, at: str, artifact: str, change: str, sbom: str | None = None, **known: Unpack[Built]
) -> Draft:
    """An artifact was built from ``change``: the id of a change, or a commit. ``sbom`` is a URI reference."""
    return _artifact(
        "artifact.packaged", source, at, artifact, {"change": reference(change), "sbom": sbom}, known
    )


def artifact_published(
    *, source: str, at: str, artifact: str, sbom: str | None = None, **known: Unpack[Built]
) -> Draft:
    """An artifact can be fetched from now on."""
    return _artifact("artifact.published", source, at, artifact, {"sbom": sbom}, known)


def artifact_signed(*, source: str, at: str, artifact: str, signature: str, **known: Unpack[Built]) -> Draft:
    """An artifact was signed."""
    return _artifact("artifact.signed", source, at, artifact, {"signature": signature}, known)


def artifact_downloaded(*, source: str, at: str, artifact: str, **known: Unpack[Built]) -> Draft:
    """An artifact was fetched."""
    return _artifact("artifact.downloaded", source, at, artifact, {}, known)


def artifact_deleted(*, source: str, at: str, artifact: str, **known: Unpack[Built]) -> Draft:
    """An artifact can no longer be fetched."""
    return _artifact("artifact.deleted", source, at, artifact, {}, known)


def _artifact(name: str, source: str, at: str, artifact: str, content: dict[str, Any], known: Built) -> Draft:
    if content.get("sbom") is not None:
        content = {**content, "sbom": {"uri": content["sbom"]}}
    dora: dict[str, Any] = {"artifact": artifact, **known}
    return draft(name, source=source, at=at, subject_id=artifact, content=content, dora=dora)
