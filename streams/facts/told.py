"""Reading what a CDEvent tells: unknown is ``None``, however the event spells it. Pure."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from schemas.cdevents.event import CDEvent
from schemas.instant import SKEW, parse_instant
from schemas.repository import repository_of_remote

# The calendar years around these fit into a datetime in every zone. What no window can hold must not become a
# row that no number counts.
FIRST_YEAR, LAST_YEAR = 2, 9997

LONGEST_KEY = 1024  # characters; what a key of a table is made of must fit into an index

_Fact = TypeVar("_Fact")


def kind_of(event: CDEvent) -> str:
    """The event's type without its version, as ``dev.cdevents.change.merged``."""
    return event.type.rsplit(".", 3)[0]


def text(value: object) -> str | None:
    """``value`` when it is text that says something."""
    return value if isinstance(value, str) and value else None


def mark(value: object) -> bool:
    """Whether a mark is set."""
    return value is True


def instant_of(event: CDEvent) -> datetime:
    """When the event says that it happened. Raises ``ValueError`` for a time that no window can hold."""
    instant = parse_instant(event.timestamp)
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise ValueError(
            f"context.timestamp is not in the years {FIRST_YEAR} to {LAST_YEAR}; correct the clock"
        )
    return instant


def instant_told(value: object, not_after: datetime) -> datetime | None:
    """A time inside an event; ``None`` for one that cannot be placed, as a zero value cannot.

    Nor can one that comes ``not_after``, when the event happened: a commit is made before it is pushed.
    """
    try:
        instant = parse_instant(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if instant is None or instant.year < FIRST_YEAR or instant - SKEW > not_after:
        return None
    return instant


def content_of(event: CDEvent) -> Mapping[str, Any]:
    """``subject.content``."""
    content: Mapping[str, Any] = event.document["subject"].get("content") or {}
    return content


def identity_in(content: Mapping[str, Any], name: str) -> str | None:
    """The id of another subject that ``content`` refers to."""
    referred = content.get(name)
    return text(referred.get("id")) if isinstance(referred, Mapping) else None


def repository_of(event: CDEvent) -> str | None:
    """The repository in the one spelling by which facts are joined: owner/name, in lower case.

    GitHub, GitLab and Bitbucket take Acme/Shop and acme/shop for the same; Git remotes name it with a host.
    """
    named = text(event.dora.get("repository")) or identity_in(content_of(event), "repository")
    return None if named is None else repository_key(named)


def repository_key(named: str) -> str | None:
    """``named`` in that spelling; ``None`` for what is too long to be a name."""
    key = (repository_of_remote(named) or named).lower()
    return key if len(key) <= LONGEST_KEY else None


def earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two times, of which any may be unknown."""
    return min((at for at in (one, other) if at is not None), default=None)


def latest(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two times, of which any may be unknown."""
    return max((at for at in (one, other) if at is not None), default=None)


def greatest(one: str | None, other: str | None) -> str | None:
    """Of two texts that should be the same, always the same one, by code points."""
    return max((value for value in (one, other) if value is not None), default=None)


def merged(
    facts: Iterable[_Fact], key: Callable[[_Fact], Hashable], merge: Callable[[_Fact, _Fact], _Fact]
) -> list[_Fact]:
    """Facts of one kind, those with the same key merged to one."""
    found: dict[Hashable, _Fact] = {}
    for fact in facts:
        known = found.get(key(fact))
        found[key(fact)] = fact if known is None else merge(known, fact)
    return list(found.values())
