"""A real ingress, and a broker that is there and cannot take events: K4 of docs/faults.md.

That it may not take them, for want of a right: tests/access.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from access.kafka import Cluster
from deploy.embedded.kafka import Kafka
from deploy.kafka_topics import create
from ingress.settings import Settings
from schemas.cloudevents.kafka import read_record
from schemas.topics import Topics
from tests.ingress.clusters import CannotMount, Follower, small_disk
from tests.ingress.serving import BINARY, DEADLINE, Journal, Process, process, until
from tests.ingress.test_kafka import records_on

pytestmark = [pytest.mark.fault, pytest.mark.connected, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kafka, Follower]]:
    """Two brokers of one cluster."""
    folder = tmp_path_factory.mktemp("pair")
    one = Kafka(folder / "1")
    two = Follower(folder / "2", one)
    try:
        one.start()
        two.start()
        yield one, two
    finally:
        two.kill()
        one.kill()


@asynccontextmanager
async def admin_of(kafka: Kafka) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def topic(kafka: Kafka, prefix: str, replicas: int = 1, **config: str) -> Settings:
    """The topic of an ingress, with a configuration of its own."""
    configs = {name.replace("_", "."): value for name, value in config.items()}
    async with admin_of(kafka) as admin:
        await admin.create_topics([NewTopic(f"{prefix}cloudevents", 4, replicas, topic_configs=configs)])
    return Settings(kafka=kafka.address, topic_prefix=prefix, partitions=4)


async def refused_in_time(ingress: Process, event_id: str) -> httpx.Response:
    began = time.monotonic()
    answer = await ingress.post(event_id)
    assert time.monotonic() - began < DEADLINE
    assert answer.headers.get("retry-after") or answer.status_code == 413
    return answer


async def test_k4_leaders_change_and_too_few_replicas_are_left(pair: tuple[Kafka, Follower], tmp_path: Path):
    one, two = pair
    changing = await topic(one, "changing.", 2, min_insync_replicas="1")
    demanding = await topic(one, "demanding.", 2, min_insync_replicas="2")
    async with process(changing, tmp_path) as ingress:
        await until(ingress.ready)
        journal = Journal(ingress)
        async with journal.load():
            await asyncio.to_thread(two.kill)  # the leader of half of the partitions
            before = len(journal.accepted)
            await until(lambda: len(journal.accepted) > before + 300)
        assert journal.slowest < DEADLINE
    await journal.assert_nothing_lost(changing)

    (tmp_path / "demanding").mkdir()
    async with process(demanding, tmp_path / "demanding", DORA_SEND_TIMEOUT="2") as ingress:
        await until(ingress.ready)
        answer = await refused_in_time(ingress, "early")
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:dora:problem:unconfirmed"
        assert await counted(ingress, "unconfirmed") == 1
        await asyncio.to_thread(two.restart)
        await until(lambda: accepted(ingress, "late"))
    ids = {read_record(record.headers, record.value).id for record in await records_on(demanding)}
    assert "late" in ids


async def accepted(ingress: Process, event_id: str) -> bool:
    return (await ingress.post(event_id)).status_code == 202


async def counted(ingress: Process, reason: str) -> int:
    """How often the ingress refused for ``reason``."""
    text = (await ingress.client.get("/metrics")).text
    lines = [line for line in text.splitlines() if f'refused_total{{reason="{reason}"}}' in line]
    return int(float(lines[0].split()[-1])) if lines else 0


async def test_k4_a_topic_that_is_deleted_and_made_again(pair: tuple[Kafka, Follower], tmp_path: Path):
    one, _ = pair
    settings = await topic(one, "gone.")
    async with process(settings, tmp_path) as ingress:
        await until(ingress.ready)
        assert (await ingress.post("before")).status_code == 202
        async with admin_of(one) as admin:
            await admin.delete_topics(["gone.cloudevents"])
        await until(lambda: unready(ingress))
        answer = await refused_in_time(ingress, "meanwhile")
        assert answer.status_code == 503
        assert await counted(ingress, "unavailable") == 1
        assert "gone.cloudevents" in (await ingress.client.get("/readyz")).json()["detail"]
        await topic(one, "gone.")
        await until(ingress.ready)
        await until(lambda: accepted(ingress, "after"))
    ids = {read_record(record.headers, record.value).id for record in await records_on(settings)}
    assert "after" in ids


async def unready(ingress: Process) -> bool:
    return not await ingress.ready()


async def test_k4_b15_a_topic_that_takes_less(pair: tuple[Kafka, Follower], tmp_path: Path):
    one, _ = pair
    settings = await topic(one, "small.", max_message_bytes="500000")
    async with process(settings, tmp_path) as ingress:
        await until(lambda: b"DORA_BODY_LIMIT" in ingress.log.read_bytes())
        assert (await refused_in_time(ingress, "early")).status_code == 503
        await set_limit(one, "small.cloudevents", "1048588")
        await until(ingress.ready)
        assert (await ingress.post("fits")).status_code == 202
        # Lowered while it runs: what is too large is refused as that, and what is not goes on.
        await set_limit(one, "small.cloudevents", "500000")
        await until(lambda: is_too_large(ingress))
        assert await counted(ingress, "too-large") >= 1
        await until(ingress.ready)
        await until(lambda: accepted(ingress, "after"))


async def is_too_large(ingress: Process) -> bool:
    answer = await ingress.client.post("/", headers={**BINARY, "ce-id": "large"}, content=b"x" * 900_000)
    assert answer.status_code in (202, 413)
    return answer.status_code == 413


async def set_limit(kafka: Kafka, name: str, largest: str) -> None:
    async with admin_of(kafka) as admin:
        resource = ConfigResource(ConfigResourceType.TOPIC, name, {"max.message.bytes": largest})
        await admin.alter_configs([resource])


async def test_k4_a_broker_whose_disk_is_full(tmp_path: Path):
    try:
        with small_disk(tmp_path / "disk", 24) as disk:
            kafka = Kafka(disk.folder / "kafka", log=tmp_path / "kafka.log")
            try:
                await asyncio.to_thread(kafka.start)
                topics = Topics(partitions=4, prefix="full.")
                await create(Cluster(kafka.address), topics.all())
                settings = Settings(kafka=kafka.address, topic_prefix=topics.prefix, partitions=4)
                await fill_and_recover(kafka, settings, tmp_path, lambda: disk.grow(256))
            finally:
                kafka.kill()
    except CannotMount as error:
        pytest.skip(f"needs the right to mount a file system: {error}")


async def fill_and_recover(kafka: Kafka, settings: Settings, folder: Path, grow) -> None:
    """A broker that cannot write ends itself. With space it comes back, and with it all that was accepted."""
    journal: list[str] = []
    async with process(settings, folder, DORA_SEND_TIMEOUT="2") as ingress:
        await until(ingress.ready)
        async with asyncio.timeout(60):
            answer = None
            while answer is None or answer.status_code == 202:
                event_id = f"before-{len(journal)}"
                answer = await post_large(ingress, event_id)
                journal += [event_id] if answer.status_code == 202 else []
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        await until(lambda: not kafka.process.running)
        await until(lambda: unready(ingress))
        assert (await refused_in_time(ingress, "meanwhile")).status_code == 503
        await asyncio.to_thread(grow)
        await asyncio.to_thread(kafka.restart)
        await until(ingress.ready)
        assert (await post_large(ingress, "after")).status_code == 202
    ids = {read_record(record.headers, record.value).id for record in await records_on(settings)}
    assert {*journal, "after"} <= ids


async def post_large(ingress: Process, event_id: str) -> httpx.Response:
    headers = {**BINARY, "ce-id": event_id, "content-type": "text/plain"}
    return await ingress.client.post("/", headers=headers, content=b"x" * 200_000, timeout=30)
