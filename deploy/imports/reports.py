"""A row as the reports that `dora report` would send of it. Pure: the same row is always the same bytes.

An event is known by the digest of its report, so importing a file again changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from deploy.imports.columns import FIELDS, Plan
from deploy.imports.tables import BadRow, Row
from deploy.imports.values import (
    LEFT_OUT,
    folded,
    instant_of,
    prose_of,
    repository_of,
    text_of,
    truth_of,
    word_of,
)
from schemas.instant import parse_instant
from schemas.report import read


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row of something that no report tells of, such as a deployment that was called off."""

    why: str


def reports_of(row: Row, columns: Mapping[str, str], plan: Plan) -> list[bytes] | LeftOut | BadRow:
    """The documents of a row: one, or two of an incident that is over. ``columns`` is field → heading."""
    told: dict[str, Any] = {}
    for name in FIELDS[plan.kind]:
        label = repr(columns[name]) if name in columns else f"--set {name}"
        try:
            text = text_of(row.cells.get(columns[name])) if name in columns else ""
            value = _value(name, text or plan.constants.get(name, ""), columns, plan)
        except ValueError as error:
            return BadRow(row.line, f"{label} {error}", row.text)
        if value == LEFT_OUT and name in ("outcome", "status"):
            return LeftOut(f"{name} {text or 'empty'}")
        if value is not None:
            told[name] = value
    try:
        return [_document(plan.kind, each) for each in _told(plan.kind, told, columns)]
    except ValueError as error:
        return BadRow(row.line, str(error), row.text)


def _value(name: str, text: str, columns: Mapping[str, str], plan: Plan) -> Any:
    """What a cell says; ``None`` for nothing."""
    if name in ("outcome", "status"):
        return _word(text, name in columns, plan, lenient="resolved_at" in columns)
    if not text:
        if name == "time":
            raise ValueError("is empty; write when it happened")
        return None
    match name:
        case "time" | "committed_at" | "resolved_at":
            return instant_of(text, plan.zone, plan.form)
        case "title" | "reason":
            return prose_of(text)
        case "repository":
            return repository_of(text)
        case "hotfix":
            return truth_of(text) or None
        case _:
            return text


def _word(text: str, told: bool, plan: Plan, *, lenient: bool) -> str | None:  # noqa: FBT001 - of one caller
    if lenient:
        return plan.words.get(folded(text)) or None  # the times say what is so
    if text or (told and "" in plan.words):
        return word_of(text, plan.words)
    if told:
        raise ValueError('is empty; fill it in, or say what that means: --word "=..."')
    return None


def _told(kind: str, told: dict[str, Any], columns: Mapping[str, str]) -> list[dict[str, Any]]:
    match kind:
        case "deployment":
            return [_deployment(told)]
        case "incident":
            return _incident(told, columns)
        case _:
            return [told]


def _deployment(told: dict[str, Any]) -> dict[str, Any]:
    """With an id, so that two commits deployed within a second are two deployments."""
    about = told.get("commit") or told.get("artifact")
    if "id" in told or about is None:
        return told
    return told | {"id": f"{told['time']}/{about}"}


def _incident(told: dict[str, Any], columns: Mapping[str, str]) -> list[dict[str, Any]]:
    """Its beginning, and its end if the row tells of it."""
    over, status = told.pop("resolved_at", None), told.get("status")
    if "id" not in told:
        if "resolved_at" not in columns and "status" in columns:
            raise ValueError("id is empty; the report of an incident's end is joined to its beginning by it")
        told["id"] = "/".join(told.get(name, "") for name in ("service", "environment", "time"))
    if "resolved_at" not in columns:
        return [told]
    opened = told | {"status": "opened"}
    if over is None:
        if status == "resolved":
            raise ValueError(f"it is resolved, and {columns['resolved_at']!r} is empty; write when that was")
        return [opened]
    if parse_instant(over) < parse_instant(told["time"]):
        raise ValueError(f"it was resolved at {over}, before it began at {told['time']}; correct the times")
    return [opened, told | {"status": "resolved", "time": over}]


def _document(kind: str, told: Mapping[str, Any]) -> bytes:
    body = orjson.dumps({"kind": kind, **told})
    read(body)
    return body
