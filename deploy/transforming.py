"""Shows what payloads become: of files with events, recorded requests or bare payloads, and of evidence."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.evidence import Case, cases_below, events_of, fates, play, told
from deploy.messages import Message, Unreadable, read_files
from ingress.providers import find_providers
from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from streams.source import Source
from streams.sources import find_sources


class NotTransformed(ValueError):
    """Nothing can be shown; the message says what to say besides."""


@dataclass(frozen=True, slots=True)
class Bare:
    """What is known of a payload that is no event: the CloudEvent's type, or the headers of its web hook."""

    type: str | None
    headers: tuple[tuple[str, str], ...]
    source: str | None


def shown(files: list[str], source: str | None, bare: Bare, catalog: Catalog) -> Iterator[dict[str, Any]]:
    """What each event in ``files`` becomes, one after the other; ``-`` is standard input.

    Raises ``NotTransformed``, and ``OSError`` for a file that cannot be read.
    """
    for origin, event in _events(files, bare):
        for each in _sources(source, event):
            yield {
                "event": {name: event.attributes[name] for name in ("type", "source", "id")},
                "from": origin,
                "transformer": each.name,
                **told(fates([event], each, catalog)),
            }


def compared(folders: list[Path], source: str | None) -> Iterator[tuple[Case, Any, dict[str, Any]]]:
    """Each case below ``folders``, what was expected of it, and what it becomes."""
    for folder in folders:
        for case in cases_below(folder):
            first = next(case.events())
            yield case, case.expected, play(case, _sources(source, first)[0])


def record(case: Case, becomes: Mapping[str, Any]) -> None:
    """Write down what a case becomes. From then on it is what must come out, so it has to be read first."""
    text = json.dumps(becomes, indent=2, ensure_ascii=False)
    (case.folder / "expected.json").write_text(f"{text}\n")


def _sources(named: str | None, event: CloudEvent) -> list[Source]:
    known = find_sources()
    if named is not None:
        if named not in known:
            raise NotTransformed(f"there is no transformer {named!r}; there are: {', '.join(sorted(known))}")
        return [known[named]]
    claiming = [each for each in known.values() if each.claims(event.type)]
    if not claiming:
        raise NotTransformed(f"no transformer claims {event.type}; name one with --source")
    return claiming


def _events(files: list[str], bare: Bare) -> Iterator[tuple[str, CloudEvent]]:
    for name in files:
        if bare.type or bare.headers:
            body = Path(name).read_bytes()
            yield name, _event_of(body, bare)
            continue
        for message in read_files([name]):
            if isinstance(message, Unreadable):
                yield message.origin, _bare_or_refused(name, message, bare)
            else:
                yield from ((message.origin, event) for event in _sent(message))


def _sent(message: Message) -> list[CloudEvent]:
    try:
        return events_of(message.path, message.headers, message.body)
    except InvalidCloudEvent as error:
        raise NotTransformed(f"{message.origin}: {error.reason}") from None


def _bare_or_refused(name: str, message: Unreadable, bare: Bare) -> CloudEvent:
    """Some providers say in the payload itself what it is, so their web hooks need no headers."""
    if "no JSON" in message.reason or bare.source not in find_providers() or name == "-":
        advice = "; of a bare payload say --type TYPE, or --header 'Name: value' and --source"
        raise NotTransformed(f"{message.origin}: {message.reason}{advice}")
    return _event_of(Path(name).read_bytes(), bare)


def _event_of(body: bytes, bare: Bare) -> CloudEvent:
    if bare.type is None:
        try:
            (event,) = events_of(f"/webhooks/{bare.source}", bare.headers, body)
        except InvalidCloudEvent as error:
            raise NotTransformed(f"{bare.source}: {error.reason}") from None
        return event
    attributes = {"specversion": "1.0", "id": hashlib.sha256(body).hexdigest(), "source": "/payload"}
    told = {"type": bare.type, "datacontenttype": "application/json", "time": "2026-01-01T00:00:00Z"}
    return CloudEvent({**attributes, **told}, body)
