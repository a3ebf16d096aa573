"""The kill schedule: signals, restarts and partitions, one after another by chance, with what each cost."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from aiokafka.errors import KafkaError

from deploy.offsets import watching
from tests.faults.scene import SESSION_TIMEOUT, Scene
from tests.infra.programs import Program

Act = Callable[["Storm"], Awaitable[None]]
LOOK = 1.0  # seconds between looks at the lag


@dataclass
class Sample:
    """How far the workers had come with the input topic at one moment (monotonic seconds)."""

    at: float
    done: int
    lag: int


@dataclass
class Storm:
    """Faults on ``scene`` until told to stop. ``pause`` is the shortest and longest time between two."""

    scene: Scene
    seed: int
    pause: tuple[float, float]
    acts: Counter[str] = field(default_factory=Counter)
    healed: list[tuple[str, float]] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    async def rage(self, seconds: float, least: int = 6) -> None:
        """Every kind of fault in turn, in a new order each round, for about so long and ``least`` times."""
        until = time.monotonic() + seconds
        while True:
            round_ = list(ACTS)
            self.chance.shuffle(round_)
            for name in round_:
                await asyncio.sleep(self.chance.uniform(*self.pause))
                if time.monotonic() > until and self.acts.total() >= least:
                    return
                self.acts[name] += 1
                await ACTS[name](self)
                self.healed.append((name, time.monotonic()))

    async def watch(self) -> None:
        """Sample the lag until cancelled; a broker that is away gives no sample."""
        topic = self.scene.topics["cloudevents"]
        while True:
            with suppress(KafkaError, OSError, TimeoutError, KeyError):
                async with watching(self.scene.cluster, self.scene.group) as offsets:
                    while True:
                        async with asyncio.timeout(5):
                            done = sum((await offsets.committed([topic])).values())
                            ends = sum((await offsets.ends([topic])).values())
                        self.samples.append(Sample(time.monotonic(), done, ends - done))
                        await asyncio.sleep(LOOK)
            await asyncio.sleep(LOOK)

    def recoveries(self) -> dict[str, list[float]]:
        """Seconds from the end of each fault until something was committed again, by kind."""
        found: dict[str, list[float]] = {}
        for name, at in self.healed:
            before = max((s.done for s in self.samples if s.at <= at), default=0)
            after = next((s.at for s in self.samples if s.at > at and s.done > before), None)
            if after is not None:
                found.setdefault(name, []).append(after - at)
        return found

    # Victims

    def worker(self) -> Program:
        return self.chance.choice(self.scene.workers)

    def ingress(self) -> Program:
        return self.chance.choice(self.scene.ingresses)

    async def send(self, program: Program, number: signal.Signals) -> None:
        """A signal, without waiting for what comes of it."""
        if program.running and program.process is not None:
            program.process.send_signal(number)


async def terminate_worker(storm: Storm) -> None:
    await storm.send(storm.worker(), signal.SIGTERM)


async def interrupt_worker(storm: Storm) -> None:
    await storm.send(storm.worker(), signal.SIGINT)


async def kill_worker(storm: Storm) -> None:
    await storm.send(storm.worker(), signal.SIGKILL)


async def kill_workers_in_a_burst(storm: Storm) -> None:
    for _ in range(5):
        await storm.send(storm.worker(), signal.SIGKILL)
        await asyncio.sleep(storm.chance.uniform(0.1, 1.0))


async def stop_worker_beyond_its_session(storm: Storm) -> None:
    victim = storm.worker()
    process = victim.process
    await storm.send(victim, signal.SIGSTOP)
    await asyncio.sleep(SESSION_TIMEOUT + 1)
    if process is not None and process.poll() is None:
        process.send_signal(signal.SIGCONT)


async def kill_ingress(storm: Storm) -> None:
    await storm.send(storm.ingress(), signal.SIGKILL)


async def terminate_ingress(storm: Storm) -> None:
    await storm.send(storm.ingress(), signal.SIGTERM)


async def kill_broker(storm: Storm) -> None:
    kafka = storm.scene.servers.kafka
    await asyncio.to_thread(kafka.kill)
    await asyncio.to_thread(kafka.restart)


async def restart_broker(storm: Storm) -> None:
    kafka = storm.scene.servers.kafka
    await asyncio.to_thread(kafka.stop)
    await asyncio.to_thread(kafka.restart)


async def kill_database(storm: Storm) -> None:
    postgres = storm.scene.servers.postgres
    await asyncio.to_thread(postgres.kill)
    await asyncio.sleep(storm.chance.uniform(0.5, 3))
    await asyncio.to_thread(postgres.restart)


async def part_from_broker(storm: Storm) -> None:
    storm.scene.kafka_proxy.freeze()
    await asyncio.sleep(storm.chance.uniform(2, SESSION_TIMEOUT + 2))
    storm.scene.kafka_proxy.thaw()


async def cut_connections(storm: Storm) -> None:
    storm.scene.kafka_proxy.reset()
    storm.scene.postgres_proxy.reset()


ACTS: dict[str, Act] = {
    "worker TERM": terminate_worker,
    "worker INT": interrupt_worker,
    "worker KILL": kill_worker,
    "worker KILL burst": kill_workers_in_a_burst,
    "worker STOP": stop_worker_beyond_its_session,
    "ingress KILL": kill_ingress,
    "ingress TERM": terminate_ingress,
    "broker KILL": kill_broker,
    "broker restart": restart_broker,
    "database KILL": kill_database,
    "partition": part_from_broker,
    "connections cut": cut_connections,
}
