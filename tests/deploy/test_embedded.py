"""The embedded broker and database: they keep what they confirmed over SIGKILL, and die with their parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from access.kafka import Cluster
from deploy.embedded.kafka import Kafka
from deploy.embedded.ports import free_port, is_free
from deploy.embedded.postgres import Postgres
from deploy.embedded.process import PartError
from deploy.kafka_topics import create
from schemas.topics import Topic
from tests.infra.processes import survivors

pytestmark = pytest.mark.fault


async def produce(address: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=address, acks="all")
    await producer.start()
    try:
        await producer.send_and_wait("kept", value, partition=0)
    finally:
        await producer.stop()


async def consume(address: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition("kept", 0)])
        return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


async def test_a_killed_broker_comes_back_on_its_port_with_its_records(tmp_path: Path) -> None:
    kafka = Kafka(tmp_path / "dätä with spaces")
    kafka.start()
    try:
        address = kafka.address
        await create(Cluster(address), [Topic("kept", "kept", 1, retention_ms=3_600_000)])
        await produce(address, b"one")
        kafka.kill()
        assert not kafka.process.running
        kafka.restart()
        assert kafka.address == address
        await produce(address, b"two")
        kafka.stop()
        kafka.restart()
        assert await consume(address, 2) == [b"one", b"two"]
    finally:
        kafka.kill()


async def test_a_killed_database_comes_back_on_its_port_with_its_rows(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path / "dätä with spaces")
    postgres.start()
    try:
        dsn = postgres.dsn()
        connection = await asyncpg.connect(dsn)
        await connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)")
        postgres.kill()
        postgres.restart()
        assert postgres.dsn() == dsn
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SELECT n FROM kept") == 1
        assert await connection.fetchval("SHOW fsync") == "on"
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
        await connection.close()
    finally:
        postgres.kill()


def test_a_folder_that_kafka_would_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PartError, match="use a path without a comma"):
        Kafka(tmp_path / "a,b").start()


async def test_the_database_wants_its_password(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path)
    postgres.start()
    try:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(postgres.dsn(password="guessed"))
        assert (tmp_path / "password").stat().st_mode & 0o077 == 0
    finally:
        postgres.stop()


async def test_two_databases_run_side_by_side(tmp_path: Path) -> None:
    servers = [Postgres(tmp_path / name) for name in ("one", "two")]
    try:
        for server in servers:
            server.start()
        answers = [await asyncpg.connect(server.dsn()) for server in servers]
        assert {await each.fetchval("SHOW data_directory") for each in answers} == {
            str(s.data) for s in servers
        }
        for each in answers:
            await each.close()
    finally:
        for server in servers:
            server.kill()


def test_an_interrupted_creation_begins_again(tmp_path: Path) -> None:
    (tmp_path / "data.new").mkdir()
    (tmp_path / "data.new" / "half").write_text("written")
    postgres = Postgres(tmp_path)
    postgres.start()
    postgres.stop()
    assert postgres.process.exit_code == 0
    assert not (tmp_path / "data.new").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives the database another account")
def test_root_may_keep_the_data_below_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    postgres = Postgres(closed / "data")
    postgres.start()
    try:
        assert postgres.process.pid is not None
        assert psutil.Process(postgres.process.pid).uids().effective != 0
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        postgres.stop()


def test_a_port_in_use_is_told_with_the_log(tmp_path: Path) -> None:
    with_listener = Postgres(tmp_path / "first")
    with_listener.start()
    try:
        second = Postgres(tmp_path / "second", with_listener.port)
        with pytest.raises(PartError, match=r"(?s)postgres ended with code 1; its log .*could not bind"):
            second.start()
    finally:
        with_listener.stop()


SUPERVISOR = """
import sys, time
from pathlib import Path
from deploy.embedded.postgres import Postgres
from deploy.embedded.process import Process
postgres = Postgres(Path(sys.argv[1]) / "postgres")
postgres.start()
sleeper = Process("sleeper", Path(sys.argv[1]) / "sleeper.log")
sleeper.launch(["sleep", "1000"])
print(postgres.process.pid, sleeper.pid, flush=True)
time.sleep(1000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's")
def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", SUPERVISOR, str(tmp_path)]
    parent = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": root}
    )
    assert parent.stdout is not None
    children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
    family = [*children, *(each for child in children for each in child.children(recursive=True))]
    assert len(family) > 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert survivors(family, within=10) == []


def test_free_ports_are_outside_the_range_of_outgoing_connections() -> None:
    port = free_port()
    assert is_free(port)
    assert port < 32_768
