"""From a CloudEvent to its CDEvents, to the deployments that they decided, to the numbers; and back."""

from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from query.database import Reading, Row
from query.paging import location
from query.shapes import cdevent, deadletter, deployment, whole_event
from schemas.calendar import bucket_of, rfc3339

MOST_OUTPUTS = 1000  # of one event; a push of many commits becomes some dozens
MOST_DEADLETTERS = 100

Sees = Callable[[str], bool] | None


async def lineage(
    reading: Reading, zone: ZoneInfo, sees: Sees, source: str, identity: str
) -> dict[str, Any] | None:
    """Everything about the event with this source and id, or ``None`` when no table has it.

    ``zone`` is the one whose days the deployments are counted in. ``sees`` says of a service whether it is
    shown; ``None`` is all. An event is shown when each CDEvent that it became belongs to a service that is:
    its payload holds all of them. What belongs to no service is not shown then, dead letters neither.
    """
    asked = await reading.row("cdevent", source, identity)
    cause = await reading.row("event", source, identity)
    if cause is not None:
        # A native CDEvent keeps its source and id, so that both tables may have the pair.
        kind, type_ = "cloudevent", cause["type"]
        found = await reading.rows("cdevents_of_cause", source, identity, MOST_OUTPUTS)
    elif asked is not None:
        kind, type_, found = "cdevent", asked["cd_type"], [asked]
        cause = await reading.row("event", asked["cause_source"], asked["cause_id"])
    else:
        return None
    if sees is not None and not await _is_shown(reading, sees, cause):
        return None
    dead = await reading.rows("deadletters_of_event", source, identity, MOST_DEADLETTERS) if not sees else ()
    return {
        "source": source,
        "id": identity,
        "kind": kind,
        "type": type_,
        "fate": cause["fate"] if cause else None,
        "reason": cause["reason"] if cause else None,
        "cloudevent": whole_event(cause) if cause else None,
        "cdevents": await _with_deployments(reading, zone, sees, found),
        "deadletters": [deadletter(row) for row in dead],
    }


async def _is_shown(reading: Reading, sees: Callable[[str], bool], cause: Row | None) -> bool:
    if cause is None:
        return False
    rows = await reading.rows("services_of_cause", cause["source"], cause["id"])
    services = [row["service"] for row in rows]
    return bool(services) and all(service is not None and sees(service) for service in services)


async def _with_deployments(
    reading: Reading, zone: ZoneInfo, sees: Sees, found: Sequence[Row]
) -> list[dict[str, Any]]:
    identities = [(row["cd_source"], row["cd_id"]) for row in found]
    named = [_deploy_id(row) for row in found]
    rows = await reading.rows(
        "deployments_of_cdevents",
        [source for source, _ in identities],
        [identity for _, identity in identities],
        [name for name in named if name is not None],
    )
    # A CDEvent can tell of any deployment, that of somebody else among them.
    rows = [row for row in rows if sees is None or sees(row["service"])]
    numbers = await _numbers(reading, zone, rows)
    return [
        cdevent(row)
        | {
            "deployments": [
                deployment(each)
                | {
                    "decided_by_this": (each["cd_source"], each["cd_id"]) == identity,
                    "counts_in": numbers.get(each["deploy_id"]),
                }
                for each in rows
                if (each["cd_source"], each["cd_id"]) == identity or each["deploy_id"] == name
            ]
        }
        for row, identity, name in zip(found, identities, named, strict=True)
    ]


async def _numbers(reading: Reading, zone: ZoneInfo, rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Of each counted deployment, the day's number in which it counts."""
    counted = [(row, *bucket_of(row["time_created"], "day", zone)) for row in rows if row["counted"]]
    found = await reading.rows(
        "numbers_of_days",
        [row["service"] for row, _, _ in counted],
        [row["environment"] for row, _, _ in counted],
        [start.astimezone(UTC) for _, start, _ in counted],
    )
    numbers = {(row["service"], row["environment"], row["bucket_start"]): row["deployments"] for row in found}
    return {
        row["deploy_id"]: {
            "bucket": "day",
            "start": rfc3339(start, zone),
            "deployments": numbers.get((row["service"], row["environment"], start.astimezone(UTC))),
            "url": location(
                "/deploy-frequency/day",
                {
                    "service": row["service"],
                    "environment": row["environment"],
                    "from": rfc3339(start, zone),
                    "to": rfc3339(end, zone),
                },
            ),
        }
        for row, start, end in counted
    }


def _deploy_id(row: Row) -> str | None:
    """The deployment that a CDEvent says it tells of."""
    custom = orjson.loads(row["content"]).get("customData")
    dora = custom.get("dora") if isinstance(custom, dict) else None
    deploy_id = dora.get("deploy_id") if isinstance(dora, dict) else None
    return deploy_id if isinstance(deploy_id, str) else None
