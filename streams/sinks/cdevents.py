"""``cdevents_raw`` and the tables of facts: what the CDEvents said, and what follows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.cdevents.event import CDEvent
from schemas.instant import parse_instant
from streams.facts import Fact
from streams.sinks import facts as facts_sink
from streams.sinks.columns import columns
from streams.sinks.database import Database, statement


@dataclass(frozen=True, slots=True)
class RecordedCDEvent:
    """A CDEvent as it came off the topic: parsed, and the bytes as they were."""

    event: CDEvent
    body: bytes
    traceparent: str | None
    rule: str = ""


async def store(database: Database, recorded: Sequence[RecordedCDEvent], facts: Iterable[Fact]) -> None:
    """Store each CDEvent once and merge the facts that it tells, in one transaction; then mark the links.

    The marks are made in a transaction of their own: a look before the commit would miss the deployment that
    another worker commits meanwhile, and that one would miss these facts. Killed between the two, the batch
    is done again.
    """
    merged = facts_sink.by_table(facts)
    async with database.transaction() as connection:
        if recorded:
            await connection.execute(statement("store_cdevents"), *columns(map(_row, recorded)))
        left = await facts_sink.merge(connection, merged)
    if any(merged.values()):
        async with database.transaction() as connection:
            await facts_sink.mark(connection, merged, left)


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
