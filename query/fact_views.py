"""What the pages of a change and of an incident show."""

from collections.abc import Iterable, Sequence
from typing import Any

from query.addresses import change_address, deployment_address, event_address, service_address
from query.callers import EVENTS
from query.context import Context
from query.database import Reading, Row
from query.wording import CONTAINED_BY
from schemas.cdevents.versions import type_of

MOST = 100  # deployments, reviews, events
TOLD_OF_CHANGES = [type_of(name) for name in ("dora-commit.pushed", "change.created", "change.merged")]
TOLD_OF_INCIDENTS = [type_of(f"incident.{name}") for name in ("detected", "reported", "resolved")]

View = dict[str, Any]


async def change_view(reading: Reading, here: Context, repository: str, change_id: str) -> View | None:
    """Everything about a commit or a change under review; ``None`` when there is none to be seen.

    It is seen by those who see its service, and by those who see a service that it was deployed with.
    """
    row = await reading.row("one_change", repository, change_id)
    if row is None:
        return None
    found = await reading.rows("deployments_of_change", repository, change_id)
    deployed = [each for each in found if here.sees is None or here.sees(each["service"])]
    if here.sees is not None and not deployed and not (row["service"] and here.sees(row["service"])):
        return None
    commit = change_id if row["kind"] == "commit" else row["commit"]
    reviews = await reading.rows("reviews_of_commit", repository, commit, MOST) if commit else []
    times = [row[name] for name in ("pushed_at", "opened_at", "merged_at")]
    return {
        "row": row,
        "deployments": [_deployed(each) for each in deployed],
        "reviews": [
            {**each, "address": change_address(repository, each["change_id"])}
            for each in reviews
            if each["change_id"] != change_id
        ],
        "reverts": row["reverts"] and change_address(repository, row["reverts"]),
        "commit": row["commit"] and change_address(repository, row["commit"]),
        "events": await _events(reading, here, TOLD_OF_CHANGES, times, change_id),
    }


async def incident_view(reading: Reading, here: Context, source: str, identity: str) -> View | None:
    """Everything about an incident; ``None`` when there is none, or it is not theirs to see."""
    row = await reading.row("one_incident", source, identity)
    if row is None or not (here.sees is None or (row["service"] and here.sees(row["service"]))):
        return None
    found = await reading.rows(
        "deployments_of_incident", identity, row["service"], row["environment"], row["deploy_id"], MOST
    )
    times = [row[name] for name in ("detected_at", "opened_at", "resolved_at")]
    return {
        "row": row,
        "service": row["service"] and service_address(row["service"]),
        "commit": row["commit"] and change_address(row["repository"] or "", row["commit"]),
        "deployments": [
            {**each, "address": deployment_address(each["deploy_id"])}
            for each in found
            if here.sees is None or here.sees(each["service"])
        ],
        "events": await _events(reading, here, TOLD_OF_INCIDENTS, times, identity),
    }


def _deployed(row: Row) -> View:
    return {
        **row,
        "address": deployment_address(row["deploy_id"]),
        "of_service": service_address(row["service"]),
        "why": CONTAINED_BY[row["rule"]],
    }


async def _events(
    reading: Reading, here: Context, types: Sequence[str], times: Iterable[Any], subject: str
) -> Sequence[View]:
    """The CDEvents that told of it: those of its times, which are what is kept of several reports."""
    known = [time for time in times if time is not None]
    found = await reading.rows("cdevents_of_subject", types, known, subject, MOST)
    led = EVENTS in here.caller.rights  # to events, which are not for everybody's eyes
    return [
        {**row, "address": event_address(row["cd_source"], row["cd_id"]) if led else None} for row in found
    ]
