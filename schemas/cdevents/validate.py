"""Validation of CDEvents: the official 0.5.1 schemas, our custom events, and ``customData.dora``.

Schemas are found by ``$id`` in this package and never fetched, so ``context.schemaUri`` is not followed.
Formats are asserted: a timestamp is RFC 3339 with a zone, a uri is absolute.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import islice
from typing import Any

import orjson
from jsonschema_rs import Registry, ValidationError, ValidationErrorKind, Validator, validator_for

from schemas.cdevents.event import SPECVERSION
from schemas.cdevents.versions import CUSTOM, OFFICIAL, OWN_VERSIONS, VERSIONS, split_type

# Errors go to logs, problem documents and rows; senders choose how long names and values are.
LONGEST_ERROR = 200
LONGEST_NAME = 80
MOST_ERRORS = 20  # of each schema
WITHHELD = "the value"

# What jsonschema-rs raises for a Python object that is no JSON, or nested deeper than it follows.
NOT_JSON = (ValueError, TypeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a document breaks: where, which JSON Schema keyword, and a sentence without the value."""

    path: tuple[str | int, ...]
    rule: str
    message: str

    def __str__(self) -> str:
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return shown(f"${''.join(steps)}: {self.message} ({self.rule})", LONGEST_ERROR)


def errors_of(document: object) -> list[str]:
    """Say what keeps ``document`` from being a CDEvent 0.5.1; empty when nothing does. Never raises.

    Each error names the JSON path and the rule, and is at most 200 characters long. There are never many.
    """
    return [str(violation) for violation in violations_of(document)]


def violations_of(document: object) -> list[Violation]:
    """List every rule of 0.5.1 and of our own contracts that ``document`` breaks. Never raises."""
    if not isinstance(document, dict):
        return [Violation((), "type", "a CDEvent is a JSON object with context and subject")]
    context = document.get("context")
    if not isinstance(context, dict):
        return [Violation(("context",), "type", "a CDEvent has a context object")]
    if not isinstance(context.get("type"), str):
        return [Violation(("context", "type"), "required", "name the event's type as text")]
    found = _schema_of(context["type"])
    if isinstance(found, Violation):
        return [found]
    return [*_broken(_validator(found), document), *_broken(_validator("custom/dora.json"), document)]


def shown(text: str, length: int) -> str:
    """Return ``text`` fit for a log line and a database: printable, and at most ``length`` characters."""
    cut = text if len(text) <= length else text[: length - 1] + "…"
    return cut if cut.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in cut)


@lru_cache(maxsize=1024)
def _schema_of(event_type: str) -> str | Violation:
    name, version = split_type(event_type)
    named = shown(event_type, LONGEST_NAME)
    if event_type.startswith(CUSTOM):
        if name not in OWN_VERSIONS:
            return f"{SPECVERSION}/custom/schema.json"
        own = OWN_VERSIONS[name]
        return f"custom/{name}.{own}.json" if version == own else _unknown_version(named, own)
    if not event_type.startswith(OFFICIAL) or name not in VERSIONS:
        return Violation(("context", "type"), "enum", f"CDEvents {SPECVERSION} has no type {named!r}")
    if version != VERSIONS[name]:
        return _unknown_version(named, VERSIONS[name])
    return f"{SPECVERSION}/{name.replace('.', '')}.json"


def _unknown_version(named: str, known: str) -> Violation:
    return Violation(("context", "type"), "enum", f"{named!r} is not the version known here, {known}")


def _broken(validator: Validator, document: dict[str, Any]) -> Iterator[Violation]:
    try:
        if validator.is_valid(document):
            return
        for error in islice(validator.iter_errors(document), MOST_ERRORS):
            yield Violation(tuple(error.instance_path), error.kind.name, _message(error))
    except NOT_JSON:
        yield Violation((), "type", "it holds what JSON cannot, or is nested too deeply to be checked")


def _message(error: ValidationError) -> str:
    match error.kind:
        case ValidationErrorKind.Enum(options):
            return f"{WITHHELD} is not one of {', '.join(map(str, options))}"
        case ValidationErrorKind.AnyOf():
            return f"{WITHHELD} has none of the forms that are allowed here"
        case _:
            return error.message


@cache
def _validator(path: str) -> Validator:
    return validator_for(
        _read(_package() / path), registry=_registry(), validate_formats=True, offline=True, mask=WITHHELD
    )


@cache
def _registry() -> Registry:
    official = _package() / SPECVERSION
    shared = [official / "custom" / "schema.json", *(official / "links").iterdir()]
    return Registry([(schema["$id"], schema) for schema in map(_read, shared)])


def _package() -> Traversable:
    return files("schemas.cdevents")


def _read(file: Traversable) -> dict[str, Any]:
    schema: dict[str, Any] = orjson.loads(file.read_bytes())
    return schema
