"""``cdevents_raw`` and ``deployments``: what the CDEvents said, and the facts that follow."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

from schemas.cdevents.event import CDEvent
from schemas.instant import parse_instant
from streams.facts import Deployment, merge_all
from streams.sinks.database import Connection, Database, statement


@dataclass(frozen=True, slots=True)
class RecordedCDEvent:
    """A CDEvent as it came off the topic: parsed, and the bytes as they were."""

    event: CDEvent
    body: bytes
    traceparent: str | None
    rule: str = ""


async def store(
    database: Database, recorded: Sequence[RecordedCDEvent], deployments: Iterable[Deployment]
) -> None:
    """Store each CDEvent once and merge what it says about deployments, in one transaction."""
    async with database.transaction() as connection:
        if recorded:
            columns = zip(*map(_row, recorded), strict=True)
            await connection.execute(statement("store_cdevents"), *map(list, columns))
        await _merge(connection, deployments)


async def _merge(connection: Connection, deployments: Iterable[Deployment]) -> None:
    # Sorted, so that two workers never wait for each other's rows in a circle.
    merged = sorted(merge_all(deployments).values(), key=lambda deployment: deployment.deploy_id)
    if merged:
        columns = zip(*map(astuple, merged), strict=True)
        await connection.execute(statement("merge_deployments"), *map(list, columns))


def _row(recorded: RecordedCDEvent) -> tuple[object, ...]:
    event = recorded.event
    source = event.document["subject"].get("source")
    return (
        event.source,
        event.id,
        parse_instant(event.timestamp),
        event.type,
        event.subject_id,
        source,
        recorded.body.decode(),
        *event.cause,
        recorded.traceparent,
        recorded.rule,
    )
