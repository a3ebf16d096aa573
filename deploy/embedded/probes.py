"""Whether a broker or a database answers, asked the way its clients ask."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import asyncpg

Result = TypeVar("Result")


def in_thread(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of ``work`` in an event loop of its own, also where one runs already."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()


async def kafka_answers(address: str) -> bool:
    """Whether the broker at ``host:port`` answers a metadata request and names itself."""
    from aiokafka.client import AIOKafkaClient
    from aiokafka.errors import KafkaError

    client = AIOKafkaClient(bootstrap_servers=address, request_timeout_ms=5_000)
    try:
        await client.bootstrap()
        return bool(client.cluster.brokers())
    except KafkaError:
        return False
    finally:
        await client.close()


async def postgres_answers(dsn: str) -> bool:
    """Whether this server answers a query; False while it starts or recovers, and for another server."""
    try:
        connection = await asyncpg.connect(dsn, timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    try:
        return bool(await connection.fetchval("SELECT true"))
    finally:
        await connection.close()
