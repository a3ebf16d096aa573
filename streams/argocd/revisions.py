"""What a sync of Argo CD brings: revisions of Git repositories and of Helm charts. Pure.

An Application has one ``source`` or several ``sources``, and a sync one ``revision`` or as many
``revisions``: the commit of a Git repository, the version of a chart.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from schemas import purl
from schemas.repository import repository_of_remote
from streams.fields import Fields
from streams.shapes import Unfit
from streams.texts import name

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
MOST_SOURCES = 20
LONGEST_VERSION = 120  # characters; it becomes part of the ids of deployments


@dataclass(frozen=True, slots=True)
class Revision:
    """One source at one revision: ``repository`` is owner/name of a Git repository, ``commit`` its commit."""

    artifact: str | None
    repository: str | None
    commit: str | None


@dataclass(frozen=True, slots=True)
class Revisions:
    """All sources of a sync. ``version`` names them together, short enough for an id."""

    version: str
    each: tuple[Revision, ...]

    @property
    def artifact(self) -> str | None:
        """The first source, which with several is the chart that is deployed, as a purl."""
        return next((revision.artifact for revision in self.each if revision.artifact is not None), None)


def revisions_of(result: Fields, sources: list[Fields]) -> Revisions | None:
    """The revisions that ``result``, that of a sync, tells of ``sources``; ``None`` when it tells none."""
    told = result.find("revisions") or [result.find("revision")]
    if not isinstance(told, list) or len(told) > MOST_SOURCES:
        raise Unfit("'revisions' is not a list of revisions")
    names = [name(each, "revision") for each in told if each]
    if not names:
        return None
    joined = "+".join(names)
    if len(joined) > LONGEST_VERSION:
        joined = hashlib.sha256(joined.encode()).hexdigest()
    pairs = zip(names, sources, strict=False) if len(names) == len(sources) else ()
    return Revisions(joined, tuple(_revision(*pair) for pair in pairs) or (_unplaced(names[0]),))


def sources_of(about: Fields) -> list[Fields]:
    """The sources that something lists, be it one or several."""
    listed = list(about.each("sources"))
    return listed or ([about.within("source")] if isinstance(about.find("source"), dict) else [])


def named(entry: Fields) -> tuple[Any, Any]:
    """The revisions that an entry, of the history or of a sync, names; equal for equal ones."""
    return entry.find("revision") or None, entry.find("revisions") or None


def same_sources(one: Fields, other: Fields) -> bool:
    """Whether two entries of the history are of the same sources, values included."""
    return all(one.find(path) == other.find(path) for path in ("source", "sources"))


def _revision(revision: str, source: Fields) -> Revision:
    url, chart = source.optional("repoURL") or "", source.optional("chart")
    if chart is not None:
        return Revision(purl.helm_chart(url, chart, revision), None, None)
    if repository_of_remote(url) is None or COMMIT.fullmatch(revision) is None:
        return _unplaced(revision)
    return Revision(purl.git(url, revision), repository_of_remote(url), revision)


def _unplaced(revision: str) -> Revision:
    """A revision of which nothing says where it is from."""
    return Revision(None, None, revision if COMMIT.fullmatch(revision) else None)
