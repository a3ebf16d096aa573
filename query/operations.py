"""How the pipeline does, source by source, as far as PostgreSQL and the workers tell."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from query.connections import OTHERS, Connection, all_connections, kind_of
from query.database import Reading, Row
from schemas.deadletters import hopeless

MOST_TYPES = 2_000
LOOKED_AT = 20_000  # events, the latest: enough for shares, and read in a tenth of a second
TIMED = 1_000  # mapped events
LATELY = timedelta(hours=1)
MOST_LETTERS = 10_000
LISTED_LETTERS = 50
WORKER_PATIENCE = 2.0  # seconds

FATES = ("mapped", "ignored", "unmapped", "dead")
View = dict[str, Any]


async def sources(reading: Reading, now: datetime) -> Sequence[View]:
    """Each source that anything has come from: the last event, the rate, and what became of the latest."""
    last = await reading.rows("operations_types", MOST_TYPES)
    latest = await reading.rows("operations_latest", LOOKED_AT, now - LATELY)
    letters = await reading.rows("operations_dead", MOST_LETTERS)
    since = min((row["since"] for row in latest), default=now)
    # Where fewer than an hour's events are looked at, the rate is that of the time which they are from.
    is_cut = sum(row["events"] for row in latest) == LOOKED_AT
    minutes = min(max((now - since).total_seconds(), 60) if is_cut else 3600, 3600) / 60
    titles = {each.name: each.title for each in all_connections()} | {OTHERS: "Other types"}
    found = [_source(name, last, latest, letters, minutes) | {"title": titles[name]} for name in titles]
    return [each for each in found if each["last"] is not None or each["letters"]]


def _source(
    name: str, last: Sequence[Row], latest: Sequence[Row], letters: Sequence[Row], minutes: float
) -> View:
    ours = [row for row in latest if kind_of(row["type"]) == name]
    seen = [row["received_at"] for row in last if kind_of(row["type"]) == name]
    events = sum(row["events"] for row in ours)
    return {
        "name": name,
        "last": max(seen, default=None),
        "events": events,
        "rate": sum(row["lately"] for row in ours) / minutes,
        "shares": {fate: sum(row[fate] for row in ours) / events if events else None for fate in FATES},
        # Of a source the age of its most frequent type of events: a median of medians would be of none.
        "age": max(ours, key=lambda row: row["events"])["age"] if ours else None,
        "letters": sum(row["letters"] for row in letters if kind_of(row["type"] or "") == name),
    }


async def connections(reading: Reading) -> Sequence[tuple[Connection, datetime | None]]:
    """Every source that can be connected, and when its last authentic event came."""
    last: dict[str, datetime] = {}
    for row in await reading.rows("operations_types", MOST_TYPES):
        name = kind_of(row["type"])
        last[name] = max(last.get(name, row["received_at"]), row["received_at"])
    return [(each, last.get(each.name)) for each in all_connections()]


async def open_letters(reading: Reading) -> Sequence[View]:
    """The latest open dead letters; ``hopeless`` says of one why it cannot be redriven."""
    rows = await reading.rows("deadletters", "open", None, None, None, None, LISTED_LETTERS)
    return [{**row, "hopeless": hopeless(row["stage"], row["reason"])} for row in rows]


async def workers(addresses: Sequence[str]) -> Sequence[View]:
    """What each worker says of itself at ``/healthz``: its state and its lag, or that it does not answer."""
    async with httpx.AsyncClient(timeout=WORKER_PATIENCE, trust_env=False) as client:
        return await asyncio.gather(*(_worker(client, address) for address in addresses))


async def _worker(client: httpx.AsyncClient, address: str) -> View:
    silent: View = {"address": address, "status": "no answer", "lag": None}
    try:
        told = (await client.get(f"{address}/healthz")).json()
        lag = told["lag"]
        total = sum(lag.values()) if isinstance(lag, Mapping) and lag else None
        return {"address": address, "status": str(told["status"])[:40], "lag": total}
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return silent
