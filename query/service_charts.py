"""The two charts of a service's page as rows of their tables, each row with the way on. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from query.addresses import deployment_address, incident_address, service_address
from query.database import Row
from query.filters import Filters
from query.readable import count, duration, instant
from query.timeline import STATES, LeadTimes, Timeline
from query.wording import state_of
from streams.metrics.window import Window

PARTS = ("Deployed", "Failed", "Rollbacks", "Not counted")

View = dict[str, Any]


def timeline_chart(
    found: Timeline, incident_rows: Sequence[Row], service: str, chosen: Filters, zone: ZoneInfo
) -> View:
    """The rows of the chart: each deployment and incident, or the number of each kind in each bucket."""
    told = ", ".join(
        f"{count(number)} {word}"
        for number, word in zip(
            (*(found.totals[state] for state in STATES), len(incident_rows)),
            ("deployed and well", "failed", "rolled back", "not counted", "incidents"),
            strict=True,
        )
        if number
    )
    rows = (
        [_mark(row, zone) for row in found.rows] + [_span(row, zone) for row in incident_rows]
        if found.is_whole
        else [_part(part, service, chosen) for part in found.parts]
    )
    return {
        "whole": found.is_whole,
        "number": found.number,
        "kind": "timeline" if found.is_whole else "parts",
        "columns": ("When", "What", "Environment", "Why") if found.is_whole else ("From", *PARTS),
        "rows": rows,
        "summary": f"Deployments of {service[:80]}: {told or 'none'}",
        "csv": _csv(service, chosen, "timeline"),
    }


def _mark(row: Row, zone: ZoneInfo) -> View:
    state = state_of(row)
    why = (row["failure_cause"] or "") if row["counted"] else row["counted_reason"]
    return {
        "at": row["time_created"].isoformat(),
        "end": None,
        "label": instant(row["time_created"], zone),
        "href": deployment_address(row["deploy_id"]),
        "cells": [
            {"value": STATES.index(state.kind), "text": state.word},
            {"value": None, "text": row["environment"]},
            {"value": None, "text": why},
        ],
    }


def _span(row: Row, zone: ZoneInfo) -> View:
    end = None if row["open"] else row["resolved_at"]
    return {
        "at": row["time_created"].isoformat(),
        "end": end.isoformat() if end else None,
        "label": instant(row["time_created"], zone),
        "href": incident_address(row),
        "cells": [
            {"value": len(STATES), "text": "Incident, open" if row["open"] else "Incident"},
            {"value": None, "text": row["environment"] or ""},
            {"value": None, "text": row["incident_id"]},
        ],
    }


def _part(part: Mapping[str, Any], service: str, chosen: Filters) -> View:
    return _bucket(part["part"], service, chosen) | {
        "cells": [{"value": part[state], "text": count(part[state])} for state in STATES]
    }


def leads_chart(found: LeadTimes, service: str, chosen: Filters, zone: ZoneInfo) -> View:
    """The rows of the chart: each change by its deployment, or how many are in each cell."""
    rows = (
        [_point(row, zone) for row in found.rows]
        if found.is_whole
        else [_cell(cell, service, chosen) for cell in found.cells]
    )
    return {
        "whole": found.is_whole,
        "number": found.number,
        "kind": "scatter" if found.is_whole else "density",
        "columns": ("Deployed", "Lead time", "Change", "Repository")
        if found.is_whole
        else ("From", "Lead time from", "Commits", "To"),
        "rows": rows,
        "csv": _csv(service, chosen, "leads"),
    }


def _point(row: Row, zone: ZoneInfo) -> View:
    return {
        "at": row["deployed_at"].isoformat(),
        "end": None,
        "label": instant(row["deployed_at"], zone),
        "href": deployment_address(row["deploy_id"]),
        "cells": [
            {"value": row["lead_seconds"], "text": duration(row["lead_seconds"])},
            {"value": None, "text": row["change_id"]},
            {"value": None, "text": row["repository"]},
        ],
    }


def _cell(cell: Mapping[str, Any], service: str, chosen: Filters) -> View:
    return _bucket(cell["part"], service, chosen) | {
        "cells": [
            {"value": cell["low"], "text": duration(cell["low"])},
            {"value": cell["changes"], "text": count(cell["changes"])},
            {"value": cell["high"], "text": duration(cell["high"])},
        ]
    }


def _bucket(part: Window, service: str, chosen: Filters) -> View:
    """A bucket, and the address at which it is the whole period."""
    first, last = part.first_day, part.last_day
    told = first.strftime("%-d %b %Y")
    period = {"period": "custom", "from": first.isoformat(), "to": last.isoformat()}
    filters = {name: value for name, value in chosen.given().items() if name in ("environment", "timezone")}
    return {
        "at": part.start.isoformat(),
        "end": part.end.isoformat(),
        "label": told if first == last else f"{told} to {last.strftime('%-d %b %Y')}",
        "href": service_address(service, filters | period),
    }


def _csv(service: str, chosen: Filters, chart: str) -> str:
    filters = {name: value for name, value in chosen.given().items() if name != "cursor"}
    return service_address(service, filters | {"csv": chart})
