"""What the page of a deployment shows: what it brought, why it failed, and what people said of it."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from query.addresses import change_address, deployment_address, event_address, incident_address
from query.callers import EVENTS
from query.context import Context
from query.database import Reading, Row
from query.wording import CONTAINED_BY, FAILED_BY, UNPLANNED_BY, state_of
from schemas.cdevents.versions import type_of

MOST_CHANGES = 200
MOST_INCIDENTS = 50
MOST_CORRECTIONS = 20
CORRECTION = type_of("dora-attribution.set")

View = dict[str, Any]


async def deployment_view(reading: Reading, here: Context, deploy_id: str) -> View | None:
    """Everything about a deployment; ``None`` when there is none, or it is not theirs to see."""
    row = await reading.row("one_deployment", deploy_id)
    if row is None or not (here.sees is None or here.sees(row["service"])):
        return None
    changes = await reading.rows("changes_of_deployment", deploy_id, MOST_CHANGES + 1)
    incidents = await _incidents(reading, here, row, changes)
    said = await reading.rows("corrections_of_deployment", CORRECTION, deploy_id, MOST_CORRECTIONS)
    led = EVENTS in here.caller.rights  # to events, which are not for everybody's eyes
    corrections = [_correction(each) | ({} if led else {"address": None}) for each in said]
    return {
        "row": row,
        "state": state_of(row),
        "team": here.catalog.team_of(row["service"]),
        "commits": [_change(each) for each in changes[:MOST_CHANGES] if each["kind"] == "commit"],
        "reviews": [_change(each) for each in changes[:MOST_CHANGES] if each["kind"] == "change"],
        "left_out": max(len(changes) - MOST_CHANGES, 0) and (row["changes"] or 0) - MOST_CHANGES,
        "incidents": [_incident(each, row) for each in incidents],
        "failure": _failure(row, incidents),
        "rework": UNPLANNED_BY.get(row["rework_rule"] or ""),
        "corrections": corrections,
        "last": corrections[0] if corrections else None,
        "event": event_address(row["cd_source"], row["cd_id"]) if led else None,
        "previous": row["previous_id"] and deployment_address(row["previous_id"]),
        "next": row["next_id"] and deployment_address(row["next_id"]),
        "may_be_corrected": row["role"] == "counted",
        "command": f"dora attribute {shlex.quote(deploy_id)}",
    }


async def _incidents(reading: Reading, here: Context, row: Row, changes: Sequence[Row]) -> list[Row]:
    """Those that have to do with it, and that the caller sees."""
    revision = [row["revision"]] if row["revision"] else []
    commits = [each["change_id"] for each in changes if each["kind"] == "commit"]
    found = await reading.rows(
        *("incidents_of_deployment", row["deploy_id"], row["service"], row["environment"]),
        *(row["failure_cause"], commits + revision, row["artifact"]),
        *(row["time_created"], row["next_at"], MOST_INCIDENTS),
    )
    return [each for each in found if here.sees is None or (each["service"] and here.sees(each["service"]))]


def _change(row: Row) -> View:
    address = change_address(row["repository"], row["change_id"])
    return {**row, "address": address, "why": CONTAINED_BY[row["rule"]]}


def _incident(row: Row, deployment: Row) -> View:
    blamed = row["incident_id"] == deployment["failure_cause"]
    return {**row, "address": incident_address(row), "blamed": blamed}


def _failure(row: Row, incidents: Sequence[Row]) -> View | None:
    """The rule that says that it failed, in words, and where its cause is to be seen."""
    rule, cause = row["failure_rule"], row["failure_cause"]
    if rule is None:
        return None
    named = next((incident_address(each) for each in incidents if each["incident_id"] == cause), None)
    address = named
    if rule in ("rollback", "hotfix"):
        address = deployment_address(cause)
    elif rule == "revert":
        address = change_address(row["revision_repository"] or "", cause)
    return {"rule": rule, "why": FAILED_BY[rule], "cause": cause, "address": address}


def _correction(row: Row) -> View:
    """What somebody said, when, and the event that says it."""
    document: Mapping[str, Any] = orjson.loads(row["content"])
    content = document["subject"].get("content") or {}
    dora = (document.get("customData") or {}).get("dora") or {}
    return {
        "at": row["cd_timestamp"],
        "failed": content.get("failed"),
        "unplanned": content.get("unplanned"),
        "cause": content.get("cause"),
        "reason": dora.get("reason"),
        "cause_id": row["cause_id"],
        "address": event_address(row["cause_source"], row["cause_id"]),
    }
