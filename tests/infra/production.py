"""Writing records to topics and waiting for tables, as tests need it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer

Record = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]


async def produce(kafka: str, topic: str, records: Iterable[Record], partitions: int | None = None) -> int:
    """Write ``records`` (key, value, headers), confirmed; round-robin when ``partitions`` is given."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", max_request_size=2_000_000)
    await producer.start()
    try:
        sent = []
        for position, (key, value, headers) in enumerate(records):
            partition = None if partitions is None else position % partitions
            if key is None and value is None:  # send() refuses it; other clients do not
                batch = producer.create_batch()
                batch.append(key=None, value=None, timestamp=None, headers=headers)
                sent.append(await producer.send_batch(batch, topic, partition=partition or 0))
            else:
                sent.append(await producer.send(topic, value, key, partition, headers=headers))
        for confirmation in sent:
            await confirmation
        return len(sent)
    finally:
        await producer.stop()


async def fetch(dsn: str, query: str, *arguments: Any) -> list[asyncpg.Record]:
    """Rows of one query."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(query, *arguments)
    finally:
        await connection.close()


async def count(dsn: str, table: str) -> int:
    """Rows of a table."""
    return int((await fetch(dsn, f"SELECT count(*) FROM {table}"))[0][0])  # noqa: S608 - a test's own names


async def eventually(check: Callable[[], Awaitable[bool]], seconds: float = 30, what: str = "") -> None:
    """Wait until ``check`` holds; fail naming ``what`` when it does not in time."""
    try:
        async with asyncio.timeout(seconds):
            while not await check():
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s: {what or check}") from None
