"""Servers that are away, slow, full or contrary, and networks that are cut: two workers go on afterwards.

One scene for all tests; each posts events while something is wrong, and ends with the invariants.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
import pytest_asyncio

from tests.faults.invariants import assert_invariants
from tests.faults.proxy import Verdict, kafka_key
from tests.faults.scene import SESSION_TIMEOUT, Scene, opened
from tests.faults.servers import ROLE, Servers
from tests.infra.databases import execute
from tests.infra.production import eventually

pytestmark = [
    pytest.mark.connected,
    pytest.mark.fault,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

# A worker that loses its patience with PostgreSQL and with Kafka in seconds, so that tests need no minutes.
IMPATIENT = """
from streams import pipeline
from streams.sinks import database
database.COMMAND_TIMEOUT = 4.0
pipeline.SEND_DEADLINE = 20.0
"""
OFFSET_COMMIT = 8  # of Kafka's protocol
LOCKED = """SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'
            AND application_name LIKE 'dora-worker%'"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("outages")
    scene = Scene(servers, folder, workers=2, before={"worker": IMPATIENT}, stuck_after="30")
    async with opened(scene):
        await scene.post(200)
        await scene.settled()
        yield scene


@pytest_asyncio.fixture(loop_scope="module")
async def scene(running: Scene) -> AsyncIterator[Scene]:
    """The scene of this module, well again before and after a test, which need not care for either."""
    try:
        yield running
        await running.settled()
        await running.ready()
        await assert_invariants(running)
    finally:
        running.kafka_proxy.judge = running.postgres_proxy.judge = None
        running.kafka_proxy.thaw()
        running.postgres_proxy.thaw()


def told(scene: Scene, word: str) -> int:
    """How often the workers' logs have a word."""
    return sum(scene.whole_log(worker).count(word) for worker in scene.workers)


@asynccontextmanager
async def telling(scene: Scene, word: str) -> AsyncIterator[None]:
    """Fail unless a worker says ``word`` meanwhile: the fault must have been felt."""
    before = told(scene, word)
    yield
    assert told(scene, word) > before, f"no worker has told of {word}"


async def disconnect(scene: Scene) -> None:
    """End every connection of the workers in the server, as a change of its settings needs."""
    await scene.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", ROLE)


# Kafka


async def test_r4_a_partition_longer_than_the_session(scene: Scene):
    async with scene.load(300, a_second=50):
        scene.kafka_proxy.freeze()
        await asyncio.sleep(SESSION_TIMEOUT + 3)
        scene.kafka_proxy.thaw()


async def test_r4_connections_that_are_cut_again_and_again(scene: Scene):
    async with scene.load(300, a_second=75):
        for _ in range(6):
            scene.kafka_proxy.reset()
            await asyncio.sleep(0.5)


async def test_r4_a_slow_and_narrow_way(scene: Scene):
    scene.kafka_proxy.latency, scene.kafka_proxy.bandwidth = 0.15, 200_000
    try:
        async with scene.load(200, a_second=100):
            await asyncio.sleep(2)
        await scene.settled()
    finally:
        scene.kafka_proxy.latency, scene.kafka_proxy.bandwidth = 0.0, None


async def test_r4_the_broker_restarts_and_its_coordinator_with_it(scene: Scene):
    kafka = scene.servers.kafka
    async with scene.load(300, a_second=50):
        await asyncio.to_thread(kafka.stop)
        await asyncio.sleep(2)
        await asyncio.to_thread(kafka.restart)


async def test_r6_a_commit_that_fails_once_is_made_later_without_new_events(scene: Scene):
    cut = 0

    def lose_first(request: bytes) -> Verdict:
        nonlocal cut
        if kafka_key(request) == OFFSET_COMMIT and not cut:
            cut += 1
            return Verdict.CUT
        return Verdict.PASS

    scene.kafka_proxy.judge = lose_first
    await scene.post(1)
    await scene.settled(30)
    assert cut == 1


async def test_r20_a_worker_that_stands_still_longer_than_its_session(scene: Scene):
    stopped = scene.workers[0].process
    assert stopped is not None
    async with scene.load(300, a_second=40):
        stopped.send_signal(signal.SIGSTOP)
        await asyncio.sleep(SESSION_TIMEOUT + 2)
        stopped.send_signal(signal.SIGCONT)


# PostgreSQL


async def test_d1_postgresql_crashes_and_is_back(scene: Scene):
    async with telling(scene, "stage.waiting"), scene.load(300, a_second=100):
        await asyncio.to_thread(scene.servers.postgres.kill)
        await asyncio.sleep(2)
        await asyncio.to_thread(scene.servers.postgres.restart)


async def test_d1_postgresql_restarts_in_order(scene: Scene):
    async with scene.load(200, a_second=100):
        await asyncio.to_thread(scene.servers.postgres.stop)
        await asyncio.to_thread(scene.servers.postgres.restart)


async def test_d1_postgresql_can_only_be_read(scene: Scene):
    """As after a failover that left the workers with the old primary."""
    async with telling(scene, "ReadOnlySQLTransactionError"):
        await execute(scene.admin_dsn, f"ALTER ROLE {ROLE} SET default_transaction_read_only = on")
        await disconnect(scene)
        async with scene.load(100):
            await asyncio.sleep(1.5)
            await execute(scene.admin_dsn, f"ALTER ROLE {ROLE} RESET default_transaction_read_only")
        await scene.settled(30)


async def test_d1_postgresql_has_no_connection_left(scene: Scene):
    async with telling(scene, "TooManyConnectionsError"):
        await execute(scene.admin_dsn, f"ALTER ROLE {ROLE} CONNECTION LIMIT 0")
        await disconnect(scene)
        async with scene.load(100):
            await asyncio.sleep(1.5)
            await execute(scene.admin_dsn, f"ALTER ROLE {ROLE} CONNECTION LIMIT -1")


@asynccontextmanager
async def blocking(scene: Scene) -> AsyncIterator[asyncpg.Connection]:
    """A connection of somebody else, whose transactions stand in the workers' way."""
    connection = await asyncpg.connect(scene.admin_dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def lock_waited_for(scene: Scene) -> None:
    async def waiting() -> bool:
        return (await scene.rows(LOCKED))[0][0] > 0

    await eventually(waiting, 10, "a worker waits for a lock")


async def tell_again(scene: Scene) -> None:
    """Post the first events once more: every fact in them is merged into its row again."""
    await scene.post_again(range(40))


async def test_d1_serialization_fails(scene: Scene):
    await execute(scene.admin_dsn, f"ALTER ROLE {ROLE} SET default_transaction_isolation = 'repeatable read'")
    await disconnect(scene)
    try:
        async with telling(scene, "SerializationError"), blocking(scene) as other:
            transaction = other.transaction()
            await transaction.start()
            await other.execute("UPDATE deployments SET counted = counted")
            await tell_again(scene)
            await lock_waited_for(scene)
            await transaction.commit()
            await scene.settled(30)
    finally:
        await execute(scene.admin_dsn, f"ALTER ROLE {ROLE} RESET default_transaction_isolation")
        await disconnect(scene)


async def test_d1_a_deadlock_is_resolved_against_a_worker(scene: Scene):
    async with telling(scene, "DeadlockDetectedError"), blocking(scene) as other:
        await other.execute("SET deadlock_timeout = '60s'")  # so that it is the worker who is refused
        transaction = other.transaction()
        await transaction.start()
        # A worker stores CDEvents and then merges facts; this one has facts and then wants CDEvents.
        await other.execute("UPDATE deployments SET counted = counted")
        await tell_again(scene)
        await lock_waited_for(scene)
        await other.execute("LOCK TABLE cdevents_raw IN SHARE MODE")
        await transaction.rollback()
        await scene.settled(30)


async def test_d2_the_connection_is_lost_between_a_commit_and_its_answer(scene: Scene):
    cut = 0

    def lose_some_answers(request: bytes) -> Verdict:
        nonlocal cut
        if b"COMMIT;" in request and cut < 12:
            cut += 1
            return Verdict.CUT_AFTER
        return Verdict.PASS

    scene.postgres_proxy.judge = lose_some_answers
    async with telling(scene, "stage.waiting"):
        await scene.post(200)
        await scene.settled()
    assert cut == 12


async def test_d3_statements_that_time_out_leave_no_broken_connection_behind(scene: Scene):
    async with telling(scene, "TimeoutError"), scene.load(200):
        await asyncio.sleep(0.3)
        scene.postgres_proxy.freeze()
        await asyncio.sleep(10)
        scene.postgres_proxy.thaw()


async def test_d3_statements_that_are_cancelled_by_the_server(scene: Scene):
    async with scene.load(300, a_second=150):
        for _ in range(40):
            await scene.rows("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = $1", ROLE)
            await asyncio.sleep(0.04)


# Clients


@pytest.mark.parametrize("share", [0.5, 1.0], ids=["in the middle of the body", "before the answer"])
async def test_p15_a_client_that_goes_away(scene: Scene, share: float):
    await scene.post_and_leave(share)
    await scene.post(20)
