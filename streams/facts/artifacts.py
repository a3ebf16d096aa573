"""Artifacts: from which revision one was built, so that who deploys it deploys that revision. Pure."""

import re
from dataclasses import dataclass
from hashlib import sha256

from schemas.cdevents.event import CDEvent
from streams.facts.told import content_of, greatest, identity_in, kind_of, repository_of, text

KINDS = ("dev.cdevents.artifact.packaged", "dev.cdevents.artifact.published")

_DIGEST = re.compile(r"@(sha256(?::|%3[Aa])[0-9a-fA-F]{64})")
_HASH = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")


@dataclass(frozen=True, slots=True)
class Artifact:
    """What an artifact was built from; the columns of the table ``artifacts``."""

    digest: bytes
    artifact: str
    repository: str | None = None
    commit: str | None = None
    change_id: str | None = None

    @property
    def key(self) -> bytes:
        """What identifies it."""
        return self.digest


def artifact_of(event: CDEvent) -> Artifact | None:
    """The artifact that ``event`` says was built from something."""
    if kind_of(event) not in KINDS:
        return None
    key = artifact_key(event.subject_id)
    built_from = identity_in(content_of(event), "change")
    commit = text(event.dora.get("commit"))
    if commit is None and built_from is not None and _HASH.fullmatch(built_from):
        commit = built_from
    return Artifact(
        sha256(key.encode()).digest(),
        key,
        repository_of(event),
        None if commit is None else commit.lower(),
        built_from,
    )


def artifact_key(artifact: str) -> str:
    """The digest of an artifact that has one, since tags and registries move; else its whole name.

    The migration 0004 has the same in SQL.
    """
    found = _DIGEST.search(artifact)
    return artifact if found is None else found[1].lower().replace("%3a", ":")


def merge(one: Artifact, other: Artifact) -> Artifact:
    """Two tellings of one artifact as one."""
    return Artifact(
        one.digest,
        one.artifact,
        greatest(one.repository, other.repository),
        greatest(one.commit, other.commit),
        greatest(one.change_id, other.change_id),
    )
