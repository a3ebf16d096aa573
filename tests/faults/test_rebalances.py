"""Workers that come and go, a topic that takes nothing, and one partition that has nearly everything."""

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from streams.progress import EXIT_STUCK
from tests.faults.invariants import assert_invariants
from tests.faults.proxy import Verdict, kafka_key
from tests.faults.scene import Scene, opened
from tests.faults.servers import Servers
from tests.infra.production import count, eventually, produce
from tests.streams.produced import deployed

pytestmark = [pytest.mark.connected, pytest.mark.fault, pytest.mark.timeout(240)]

PRODUCE = 0  # of Kafka's protocol


async def test_r3_a_second_worker_comes_and_goes_under_load(servers: Servers, tmp_path: Path):
    """It joins, leaves in order, joins again and is killed, while batches are in hand.

    These have no names of their own; the workers of the kill schedule (R2) have.
    """
    async with opened(Scene(servers, tmp_path, static=False)) as scene:
        async with scene.load(1500, a_second=100):
            await come_and_go(scene)
        await scene.settled()
        await assert_invariants(scene)


async def come_and_go(scene: Scene) -> None:
    second = scene.worker("worker-2")
    scene.workers.append(second)
    scene.keep(second)
    await scene.ready()
    await asyncio.sleep(1)
    await asyncio.to_thread(second.stop)
    await asyncio.sleep(1)  # it is started again
    await scene.ready()
    await asyncio.sleep(1)
    await asyncio.to_thread(second.kill)
    await scene.release(second)
    scene.workers.remove(second)


IMPATIENT = """
from streams import pipeline
pipeline.SEND_DEADLINE = 5.0
"""


async def test_r8_dead_letters_cannot_be_written(servers: Servers, tmp_path: Path):
    """The worker ends without acknowledging, again and again, until they can."""

    def refuse_dead_letters(request: bytes) -> Verdict:
        wanted = kafka_key(request) == PRODUCE and scene.topics["deadletters"].encode() in request
        return Verdict.CUT if wanted else Verdict.PASS

    async with opened(Scene(servers, tmp_path, before={"worker": IMPATIENT})) as scene:
        (worker,) = scene.workers
        await scene.post(50)
        await scene.settled()
        before = await count(scene.admin_dsn, "deadletters")
        scene.kafka_proxy.judge = refuse_dead_letters
        await produce(servers.kafka.address, scene.topics["cloudevents"], [(b"k", b"no event", [])])

        async def ended() -> bool:
            return EXIT_STUCK in worker.exits

        await eventually(ended, 40, "the worker's end")
        assert "worker.send_unconfirmed" in scene.whole_log(worker)
        with pytest.raises(AssertionError, match="still a lag"):
            await scene.settled(1)
        assert await count(scene.admin_dsn, "deadletters") == before
        scene.kafka_proxy.judge = None
        await scene.settled()
        assert await count(scene.admin_dsn, "deadletters") == before + 1
        await assert_invariants(scene)


async def test_r19_a_hot_partition_does_not_hold_up_the_others(servers: Servers, tmp_path: Path):
    hot, cold = 4500, 60
    async with opened(Scene(servers, tmp_path)) as scene:
        (worker,) = scene.workers
        await scene.release(worker)
        await asyncio.to_thread(worker.stop)
        producer = AIOKafkaProducer(bootstrap_servers=servers.kafka.address)
        async with producer:
            topic = scene.topics["cloudevents"]
            for number in range(hot + 3 * cold):
                name, partition = ("hot", 0) if number < hot else ("cold", 1 + number % 3)
                key, value, headers = deployed(f"{name}-{number}", service=f"{name}-{partition}")
                await producer.send(topic, value, key, partition, headers=headers)
            await producer.flush()
        scene.keep(worker)
        counting = """SELECT count(*) FILTER (WHERE id LIKE 'hot%'),
                             count(*) FILTER (WHERE id LIKE 'cold%') FROM cloudevents_raw"""
        done = 0

        async def others_are_done() -> bool:
            nonlocal done
            done, others = (await scene.rows(counting))[0]
            return others == 3 * cold

        await eventually(others_are_done, 60, "the other partitions' events")
        assert done < hot
        await scene.settled(90)
        assert tuple((await scene.rows(counting))[0]) == (hot, 3 * cold)
        assert await count(scene.admin_dsn, "deployments") == hot + 3 * cold
