"""Routing: which transformers and functions an event goes to, and what became of it. Pure.

A routes map has the upstream's form, a mapping from CloudEvent type to a list of targets; a target is the
name of a built-in source or the http(s) URL of a function. A type may end in ``*``. Types that the map does
not list go to the built-in source that claims them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent, Draft, complete
from schemas.cdevents.native import refuse_unsendable
from schemas.cdevents.validate import errors_of
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.syntax import is_uri
from streams.outcome import Ignored, Mapped, Observed, Outcome, Settled, Unmapped
from streams.source import Source

# When several targets answer, the first of these that any of them gave is the event's fate.
PRECEDENCE = ("mapped", "dead", "unmapped", "ignored")
REMEMBERED_TYPES = 4096
LONGEST_REASON = 1000  # characters; people read it, and it goes into a Kafka header


class InvalidRoutes(ValueError):
    """A routes map that cannot be used; the message says where and what to write instead."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What finally became of one event: ``mapped``, ``ignored``, ``unmapped`` or ``dead``."""

    fate: str
    reason: str | None = None
    rule: str | None = None
    cdevents: tuple[CDEvent, ...] = ()

    def __post_init__(self) -> None:
        """Keep what payloads put into a reason printable: a NUL is one thing that a row cannot hold."""
        reason = self.reason
        if reason is not None and (len(reason) > LONGEST_REASON or not reason.isprintable()):
            shown = "".join(
                char if char.isprintable() else "\N{REPLACEMENT CHARACTER}"
                for char in reason[:LONGEST_REASON]
            )
            object.__setattr__(self, "reason", shown)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the router does with one event.

    ``fate`` is ``None`` while a later stage settles it. ``observations`` are (uid, source name) pairs to
    fold, ``functions`` the URLs to call; ``settler`` names the stage that stores the event's row.
    """

    fate: Fate | None
    observations: tuple[tuple[str, str], ...] = ()
    functions: tuple[str, ...] = ()

    @property
    def settler(self) -> str:
        """``transform`` when the fate is known, else the stage that will know it."""
        if self.fate is not None:
            return "transform"
        return "observe" if self.observations else "call"


class Routes:
    """Built-in sources by the types that they claim, and the user's map on top of them."""

    def __init__(
        self, sources: Mapping[str, Source], routes: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.sources = sources
        self._exact: dict[str, tuple[str, ...]] = {}
        self._prefixes: list[tuple[str, tuple[str, ...]]] = []
        for event_type, targets in (routes or {}).items():
            self._add(event_type, tuple(targets))
        self._prefixes.sort(key=lambda entry: len(entry[0]), reverse=True)
        # Senders choose types, so what is remembered of them has a bound.
        self._targets: Callable[[str], tuple[str, ...]] = lru_cache(REMEMBERED_TYPES)(self._find)

    def _add(self, event_type: str, targets: tuple[str, ...]) -> None:
        for target in targets:
            if target.startswith(("http://", "https://")):
                if not (is_uri(target) and urlsplit(target).hostname):
                    raise InvalidRoutes(f"routes: {event_type}: not an http(s) URL: {target!r}; correct it")
            elif target not in self.sources:
                known = ", ".join(sorted(self.sources))
                raise InvalidRoutes(
                    f"routes: {event_type}: no transformer {target!r}; there are: {known}."
                    " An http(s) URL calls a function"
                )
        if event_type.endswith("*"):
            self._prefixes.append((event_type[:-1], targets))
        else:
            self._exact[event_type] = targets

    def targets(self, event_type: str) -> tuple[str, ...]:
        """Names of sources and URLs of functions for this type; empty when nothing claims it."""
        return self._targets(event_type)

    def _find(self, event_type: str) -> tuple[str, ...]:
        if event_type in self._exact:
            return self._exact[event_type]
        for prefix, targets in self._prefixes:
            if event_type.startswith(prefix):
                return targets
        return tuple(name for name, source in self.sources.items() if source.claims(event_type))


def read_routes(document: Any) -> dict[str, list[str]]:
    """The mapping inside a parsed routes file. Raises ``InvalidRoutes`` naming what is wrong."""
    if isinstance(document, Mapping) and "routes" in document:
        document = document["routes"]
    if not isinstance(document, Mapping):
        raise InvalidRoutes("routes: expected a mapping from CloudEvent type to a list of targets")
    for event_type, targets in document.items():
        if (
            not isinstance(event_type, str)
            or not isinstance(targets, list)
            or not all(isinstance(t, str) for t in targets)
        ):
            raise InvalidRoutes(f"routes: {event_type}: expected a list of transformer names or http(s) URLs")
    return {str(event_type): list(targets) for event_type, targets in document.items()}


def decide(event: CloudEvent, routes: Routes, catalog: Catalog) -> Decision:
    """Send ``event`` through the built-in transformers that its type is routed to."""
    fates: list[Fate] = []
    observations: list[tuple[str, str]] = []
    functions: list[str] = []
    for target in routes.targets(event.type):
        source = routes.sources.get(target)
        if source is None:
            functions.append(target)
            continue
        outcome: Outcome = source.transform(event, catalog)
        if isinstance(outcome, Observed):
            observations.append((outcome.key, target))
        else:
            fates.append(settle(outcome, rule=target, event=event))
    if not (fates or observations or functions):
        fates.append(Fate("unmapped", f"no transformer is routed for type {event.type!r}"))
    return Decision(combine(fates) if fates else None, tuple(observations), tuple(functions))


def settle(outcome: Settled, *, rule: str, event: CloudEvent) -> Fate:
    """Give the drafts of ``outcome`` their identity and hold them against the official schemas."""
    match outcome:
        case Ignored(reason):
            return Fate("ignored", reason, rule)
        case Unmapped(reason):
            return Fate("unmapped", reason, rule)
        case Mapped(drafts):
            return _complete_all(drafts, rule=rule, cause=(event.source, event.id))


def _complete_all(drafts: Sequence[Draft], *, rule: str, cause: tuple[str, str]) -> Fate:
    cdevents = tuple(complete(draft, rule=rule, cause=cause, ordinal=n) for n, draft in enumerate(drafts))
    for cdevent in cdevents:
        if errors := errors_of(cdevent.document):
            return Fate("dead", f"transformer {rule} made an invalid CDEvent: {errors[0]}", rule)
        try:
            refuse_unsendable(cdevent.document)
        except InvalidCloudEvent as error:
            return Fate("unmapped", f"{rule}: {error.reason}", rule)
    return Fate("mapped", None, rule, cdevents)


def combine(fates: Sequence[Fate]) -> Fate:
    """One fate of several targets' answers, and the CDEvents of all of them."""
    if len(fates) == 1:
        return fates[0]
    first = min(fates, key=lambda fate: PRECEDENCE.index(fate.fate))
    reasons = "; ".join(fate.reason for fate in fates if fate.reason)
    rules = ", ".join(fate.rule for fate in fates if fate.rule)
    return Fate(first.fate, reasons or None, rules or None, tuple(c for fate in fates for c in fate.cdevents))
