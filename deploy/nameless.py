"""What stays of a row when the names of persons are taken out of it. Pure."""

from collections.abc import Mapping
from typing import Any

import orjson

from deploy.actors import Actors, Path, changed, places
from schemas.catalog import Catalog
from schemas.cdevents.cloudevent import key_of
from schemas.cdevents.event import CDEvent
from schemas.cdevents.validate import errors_of
from schemas.deadletters import CONFLICT, FOREIGN
from streams.facts import facts_of

# By these an event, or what a CDEvent is about, is known: they are no names of persons, and stay.
KNOWN_BY = ("specversion", "id", "source", "type")
KEPT = (("context",), ("subject", "id"), ("subject", "source"))

Row = Mapping[str, Any]


def event_without(row: Row, actors: Actors) -> tuple[Any, ...] | None:
    """What stays of an event, in the order of ``EMPTY_EVENTS``; ``None`` when it names nobody."""
    attributes = orjson.loads(row["attributes"])
    told = {name: value for name, value in attributes.items() if name not in KNOWN_BY}
    named = {name: value for name, value in told.items() if isinstance(value, str) and actors.name(value)}
    subject, reason = row["subject"], row["reason"]
    if not (
        named
        or (subject is not None and actors.name(subject))
        or (reason is not None and actors.name(reason))
        or (row["content"] is not None and actors.in_document(row["content"], KNOWN_BY))
    ):
        return None
    attributes |= {name: actors.erase(value) for name, value in named.items()}
    return (
        row["event_id"],
        orjson.dumps(attributes).decode(),
        None if subject is None else actors.erase(subject),
        reason,
        reason_without(reason, actors),
    )


def cdevent_without(row: Row, actors: Actors) -> str | None:
    """A CDEvent without names that is as valid as before and tells the same; ``None`` when it has none."""
    document = orjson.loads(row["content"])
    found = [path for path in places(document, actors.name) if not is_kept(path)]
    cause, rule = (row["cause_source"], row["cause_id"]), row["rule"]
    meaning = meaning_of(CDEvent(document, cause, rule))
    result = document
    for path in found:
        other = changed(result, path, actors.erase)
        # By this text a fact is known, or it is one of a few that the schema allows: no name.
        if meaning_of(CDEvent(other, cause, rule)) == meaning:
            result = other
    return None if result == document else orjson.dumps(result).decode()


def is_kept(path: Path) -> bool:
    """Whether the event, or what it is about, is known by the text at ``path``."""
    return any(path[: len(kept)] == kept for kept in KEPT)


def meaning_of(event: CDEvent) -> tuple[Any, ...]:
    """All that follows from a CDEvent: whether it is taken, its partition, and the facts that it tells."""
    try:
        facts: list[Any] | str = list(facts_of(event, Catalog.empty()))
    except ValueError as error:
        facts = str(error)
    return errors_of(event.document), key_of(event), facts


def names_somebody(row: Row, actors: Actors) -> bool:
    """Whether the record of a dead letter, or what is told of it, names somebody."""
    headers = [(name, value) for name, value in orjson.loads(row["headers"]) if value is not None]
    values = [
        orjson.dumps({"data_base64": value}).decode()
        for name, value in headers
        if name.lower().removeprefix("ce_") not in KNOWN_BY
    ]
    return (
        any(actors.in_document(value) for value in values)
        or actors.in_bytes(row["key"])
        or actors.in_bytes(row["value"])
        or any(text is not None and actors.name(text) for text in (row["reason"], row["because"]))
    )


def reason_without(reason: str | None, actors: Actors) -> str | None:
    """A reason that quotes nobody. By these of ours dead letters are told apart."""
    return reason if reason is None or reason in (CONFLICT, FOREIGN) else actors.erase_words(reason)
