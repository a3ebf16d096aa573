"""Whether what is derived still agrees with what it is derived from. Only reads, beside live traffic.

Three things can come apart: the files that a worker would read and those that the rows were made with; the
windows that the stream keeps and the deployments that they count; the recorded events and their CDEvents.
What an event changes is seen in one table before the other, so a difference counts only when it stays.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg

from deploy.migrations import connect

SETTLING = 60.0  # seconds in which a difference may go away
POLL = 2.0  # seconds between looks

WINDOWS = """
WITH zone AS (SELECT timezone AS name FROM generations WHERE state = 'active'),
placed AS (
    SELECT service, environment, time_created AT TIME ZONE zone.name AS local
      FROM deployments, zone WHERE counted
),
counted AS (
    SELECT service, environment, bucket,
           date_trunc(bucket, local) AT TIME ZONE zone.name AS bucket_start,
           count(*) AS deployments, count(DISTINCT local::date) AS deployment_days
      FROM placed, zone, unnest(ARRAY['day', 'week', 'month', 'year']) AS bucket
     GROUP BY 1, 2, 3, 4
)
SELECT service, environment, bucket, bucket_start,
       coalesce(kept.deployments, 0) AS kept, coalesce(counted.deployments, 0) AS counted
  FROM counted FULL JOIN deployment_frequency AS kept USING (service, environment, bucket, bucket_start)
 WHERE (coalesce(kept.deployments, 0), coalesce(kept.deployment_days, 0))
       IS DISTINCT FROM (coalesce(counted.deployments, 0), coalesce(counted.deployment_days, 0))
 ORDER BY 1, 2, 3, 4
"""
MISSING = """
SELECT event.source, event.id, output ->> 'id' AS cdevent
  FROM cloudevents_raw AS event, jsonb_array_elements(event.outputs) AS output
 WHERE event.fate = 'mapped'
   AND NOT EXISTS (
       SELECT FROM cdevents_raw AS made
        WHERE made.cd_source = output ->> 'source' AND made.cd_id = output ->> 'id')
   AND NOT EXISTS (
       SELECT FROM deadletters AS letter
        WHERE letter.source = output ->> 'source' AND letter.id = output ->> 'id')
 ORDER BY event.event_id
"""
MADE_WITH = "SELECT catalog_digest, routes_digest FROM generations WHERE state = 'active'"


async def differences(postgres: str, catalog: str, routes: str, settling: float = SETTLING) -> list[str]:
    """What does not agree, a sentence each; empty when all is well.

    ``catalog`` and ``routes`` are the digests of what a worker would start with.
    """
    connection = await connect(postgres)
    try:
        row = await connection.fetchrow(MADE_WITH)
        if row is None:
            return ["there is no active generation; run: dora migrate"]
        told = other_files(row, catalog, routes)
        windows = await lasting(connection, WINDOWS, settling)
        missing = await lasting(connection, MISSING, settling)
    finally:
        await connection.close()
    told += [
        f"{each['service']} in {each['environment']}, {each['bucket']} of {each['bucket_start']:%Y-%m-%d}:"
        f" {each['kept']} in deployment_frequency, {each['counted']} deployments"
        for each in windows
    ]
    return told + [
        f"the event {each['id']} of {each['source']} became {each['cdevent']}, which is not recorded"
        for each in missing
    ]


def other_files(made_with: asyncpg.Record, catalog: str, routes: str) -> list[str]:
    """The files that are not those of the rows. A generation that no worker has claimed has none yet."""
    pairs = (
        ("catalog", made_with["catalog_digest"], catalog),
        ("routes", made_with["routes_digest"], routes),
    )
    return [
        f"the rows are made with another {what} than now" for what, had, now in pairs if had not in ("", now)
    ]


async def lasting(connection: Any, statement: str, settling: float) -> Sequence[asyncpg.Record]:
    """The rows that a statement gives again and again, for as long as a difference may take to go away."""
    deadline = asyncio.get_running_loop().time() + settling
    rows: list[asyncpg.Record] = await connection.fetch(statement)
    while rows and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(POLL)
        again = {tuple(row) for row in await connection.fetch(statement)}
        rows = [row for row in rows if tuple(row) in again]
    return rows
