"""100,000 damaged requests for a real ingress in front of a real broker: none of them breaks it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import Topics
from tests.fuzz.corpus import BEARERS, SECRET, SIGNED, requests
from tests.fuzz.storm import storm
from tests.infra.production import eventually
from tests.infra.programs import Program
from tests.infra.servers import Infra

pytestmark = [pytest.mark.connected, pytest.mark.partitions(4)]

VALID = {"ce-specversion": "1.0", "ce-id": "valid", "ce-type": "t", "ce-source": "/valid"}
GROWTH = 64 * 2**20  # bytes that an ingress may have grown by: caches are bounded, and memory is fragmented


@dataclass
class Size:
    """What a process holds."""

    memory: int
    files: int

    @classmethod
    def of(cls, pid: int) -> "Size":
        process = psutil.Process(pid)
        return cls(process.memory_info().rss, process.num_fds())


@asynccontextmanager
async def ingress(infra: Infra, topics: Topics, folder: Path) -> AsyncIterator[Program]:
    """An ingress that takes the web hooks of all providers and has little patience."""
    known = {name: SECRET.decode() for name in (*SIGNED, *BEARERS)}
    secrets = {f"DORA_WEBHOOK_{name.upper()}_SECRETS": known[name] for name in known if has(name)}
    environment = {
        "DORA_KAFKA": infra.kafka,
        "DORA_TOPIC_PREFIX": topics.prefix,
        "DORA_PARTITIONS": str(topics.partitions),
        "DORA_PORT": "0",
        "DORA_BODY_TIMEOUT": "2",
        **secrets,
    }
    program = Program("ingress", folder / "ingress", environment)
    program.start()
    try:
        await program.ready()
        yield program
    finally:
        program.kill()


def has(name: str) -> bool:
    from ingress.providers import find_providers

    return name in find_providers()


async def fuzz(infra: Infra, topics: Topics, folder: Path, number: int, seed: int) -> None:
    async with ingress(infra, topics, folder) as program:
        assert program.process is not None
        pid, port = program.process.pid, int(program.url.rpartition(":")[2])
        warm = await storm(port, requests(), number // 10, seed + 1)
        before = await settled(program)
        tally = await storm(port, requests(), number, seed)
        after = await settled(program)
        print(f"\nHTTP: {tally}; memory {before.memory >> 20} -> {after.memory >> 20} MiB,"
              f" files {before.files} -> {after.files}")  # fmt: skip
        refused = await check_metrics(program, infra, topics)
        print(f"      refused {refused}")
        failed = {status for status in (*warm.answers, *tally.answers) if status >= 500}
        assert not failed, program.log()
        assert not tally.silent, tally.silent[:3]
        assert program.running
        assert program.process.pid == pid
        assert "Traceback" not in (program.folder / "log").read_text(errors="replace")
        async with httpx.AsyncClient() as client:
            assert (await client.post(program.url, headers=VALID)).status_code == 202
        assert after.files <= before.files + 5
        assert after.memory <= before.memory + GROWTH


async def settled(program: Program) -> Size:
    """The size when nothing is being answered any more."""
    assert program.process is not None

    async def idle() -> bool:
        text = await metrics(program)
        return (
            value(text, "dora_ingress_requests_in_flight")
            == value(text, "dora_ingress_events_in_flight")
            == 0
        )

    await eventually(idle, what="requests to end")
    await asyncio.sleep(1.2)  # a refused connection lingers for a second
    return Size.of(program.process.pid)


async def metrics(program: Program) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{program.url}/metrics")).text


def value(text: str, name: str) -> float:
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.split("{")[0].split()[0] == name)


async def check_metrics(program: Program, infra: Infra, topics: Topics) -> dict[str, int]:
    """Every request is accepted or refused, and what was accepted is on the topic, no more and no less."""
    text = await metrics(program)
    refused = value(text, "dora_ingress_requests_refused_total")
    assert (
        value(text, "dora_ingress_requests_total")
        == value(text, "dora_ingress_requests_accepted_total") + refused
    )
    assert value(text, "dora_ingress_events_accepted_total") == await on_topic(infra, topics)
    lines = [line for line in text.splitlines() if line.startswith("dora_ingress_requests_refused_total{")]
    counted = {line.split('"')[1]: int(float(line.split()[-1])) for line in lines}
    assert "internal" not in counted
    return counted


async def on_topic(infra: Infra, topics: Topics) -> int:
    consumer = AIOKafkaConsumer(bootstrap_servers=infra.kafka)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(
            [TopicPartition(topics["cloudevents"], n) for n in range(topics.partitions)]
        )
        return sum(ends.values())
    finally:
        await consumer.stop()


async def test_a_sample_of_damaged_requests(infra: Infra, topics: Topics, tmp_path: Path) -> None:
    await fuzz(infra, topics, tmp_path, number=1_500, seed=20261123)


@pytest.mark.fuzz
@pytest.mark.timeout(600)
async def test_damaged_requests(infra: Infra, topics: Topics, tmp_path: Path) -> None:
    await fuzz(infra, topics, tmp_path, number=100_000, seed=1)
