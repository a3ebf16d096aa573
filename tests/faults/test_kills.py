"""5,000 events while the worker is killed three times, the ingress once and the broker once.

Then every acknowledged event is recorded once, byte for byte, with its one fate, and the tables are what a
pure computation over the distinct events gives. The same run with a program broken on purpose must fail.
"""

import asyncio
import os
import random
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.embedded.kafka import Kafka
from deploy.kafka_topics import create
from schemas.topics import Topics
from tests.faults import sabotage
from tests.faults.oracle import find_faults
from tests.faults.workload import Client, Journal, build
from tests.infra.production import count, eventually
from tests.infra.programs import Program

pytestmark = [pytest.mark.connected, pytest.mark.fault, pytest.mark.timeout(300)]

EVENTS = 5_000
A_SECOND = 500


class Scene:
    """One broker of its own, one ingress and one worker, each started again whenever it ends."""

    def __init__(self, folder: Path, dsn: str, *, worker: str = "", ingress: str = "") -> None:
        self.kafka = Kafka(folder / "kafka")
        self.dsn = dsn
        self.topics = Topics(partitions=4)
        self.folder = folder
        self._before = {"worker": worker, "ingress": ingress}
        self._keepers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Scene":
        await asyncio.to_thread(self.kafka.start)
        await create(self.kafka.address, self.topics.all())
        environment = {
            "DORA_KAFKA": self.kafka.address,
            "DORA_POSTGRES": self.dsn,
            "DORA_PARTITIONS": "4",
            "DORA_STATE_DIR": str(self.folder / "state"),
            "DORA_PORT": "0",
            "DORA_WORKER_PORT": "0",
            "DORA_SESSION_TIMEOUT": "6",
            "DORA_INSTANCE": "worker-1",
        }
        self.ingress, self.worker = (
            Program(command, self.folder / command, environment, before=self._before[command])
            for command in ("ingress", "worker")
        )
        for program in (self.ingress, self.worker):
            self._keepers.append(asyncio.create_task(program.keep_running()))
            await asyncio.sleep(0)
            await program.ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        for keeper in self._keepers:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
        for program in (self.ingress, self.worker):
            program.kill()
        self.kafka.kill()

    async def hurt(self) -> None:
        """The faults, spread over the time of posting."""
        chance = random.Random(20261123)
        for victim in ("worker", "ingress", "worker", "kafka", "worker"):
            await asyncio.sleep(chance.uniform(1.0, 1.6))
            if victim == "kafka":
                await self.freeze_and_restart_broker()
            else:
                await asyncio.to_thread(getattr(self, victim).kill)

    async def freeze_and_restart_broker(self) -> None:
        """A broker that stops answering before it dies: what it had in its sockets is gone."""
        assert self.kafka.process.pid is not None
        os.kill(self.kafka.process.pid, signal.SIGSTOP)
        await asyncio.sleep(1)
        self.kafka.kill()
        await asyncio.to_thread(self.kafka.restart)

    def url(self) -> str:
        return self.ingress.url + "/cloudevents"

    async def quiet(self) -> None:
        """Wait until the worker has nothing left to do."""

        async def nothing_left() -> bool:
            try:
                health = await self.worker.get("/healthz")
            except Exception:  # noqa: BLE001 - it may be starting again just now
                return False
            return bool(health["lag"]) and not any(health["lag"].values())

        await eventually(nothing_left, seconds=90, what="lag 0")
        await asyncio.sleep(2.5)
        await eventually(nothing_left, seconds=90, what="lag 0, still")


async def play(scene: Scene, events: int) -> Journal:
    journal = Journal()
    client = Client(scene.url, journal, seed=7)
    load = client.post_all([build(n, seed=7) for n in range(events)], at_once=24, a_second=A_SECOND)
    await asyncio.gather(load, scene.hurt())
    await scene.quiet()
    return journal


async def test_nothing_is_lost_or_counted_twice(tmp_path: Path, database: str) -> None:
    async with Scene(tmp_path, database) as scene:
        journal = await play(scene, EVENTS)
        print(
            f"sent {len(journal.sent)}, acknowledged {len(journal.acknowledged)}, answers {journal.answers},"
            f" recorded {await count(database, 'cloudevents_raw')}, worker starts {scene.worker.starts},"
            f" ingress starts {scene.ingress.starts}"
        )
        assert len(journal.acknowledged) == EVENTS
        assert scene.worker.starts >= 4
        assert scene.ingress.starts >= 2
        assert await find_faults(journal, database) == []


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        ({"worker": sabotage.ACK_BEFORE_SEND}, ""),
        ({"ingress": sabotage.ACKS_0}, "acknowledged events are lost"),
        ({"worker": sabotage.INCREMENT}, "buckets are wrong"),
    ],
    ids=["ack-before-send", "acks=0", "+= 1"],
)
async def test_the_checker_notices_sabotage(
    tmp_path: Path, database: str, broken: dict[str, str], fault: str
) -> None:
    async with Scene(tmp_path, database, **broken) as scene:
        faults = await find_faults(await play(scene, EVENTS), database)
    print(faults)
    assert any(fault in found for found in faults), faults
