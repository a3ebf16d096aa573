"""Whether topics are as the pipeline needs them, and whether its consumer group gets on. Only reads."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from access.kafka import Cluster
from deploy.findings import Doubtful, Failed, some
from deploy.kafka_topics import TopicError, administering, configuration, differences, has_leaders
from deploy.offsets import Offsets, watching
from schemas.topics import Topic

LOOKED_AT = (
    "cleanup.policy",
    "retention.ms",
    "min.insync.replicas",
    "message.timestamp.type",
    "max.message.bytes",
)
SAFE = 3  # copies, of which one may be away while two confirm
MOVING = 3.5  # seconds within which a group that gets on has committed something
POLL = 0.5


async def topics(cluster: Cluster, wanted: Sequence[Topic], further: Sequence[str], generation: int) -> str:
    """What is well with the topics. Raises ``Failed`` and ``Doubtful``."""
    try:
        async with administering(cluster) as admin:
            existing = set(await admin.list_topics())
            missing = [topic.name for topic in wanted if topic.name not in existing]
            if missing:
                told = "" if generation == 1 else f" --generation {generation}"
                raise Failed(f"missing: {some(missing)}", f"run: dora topics{told}")
            if absent := [name for name in further if name not in existing]:
                raise Failed(
                    f"missing: {some(absent)}", "let their owner create them, or correct DORA_INPUT_TOPICS"
                )
            names = [topic.name for topic in wanted]
            described = {each["topic"]: each for each in await admin.describe_topics(names)}
            configured = await configuration(admin, names, LOOKED_AT)
            brokers = len((await admin.describe_cluster())["brokers"])
    except TopicError as error:
        raise Failed(str(error)) from error
    faults = [
        fault for topic in wanted for fault in wrong(topic, described[topic.name], configured[topic.name])
    ]
    if faults:
        raise Failed(some(faults, "; "))
    doubts = [
        doubt
        for topic in wanted
        for doubt in doubtful(topic, described[topic.name], configured[topic.name], brokers)
    ]
    if doubts:
        raise Doubtful(some(doubts, "; "), "alter them with your cluster's tools")
    copies = "one copy, on one broker" if brokers == 1 else f"{brokers} brokers"
    return f"{len(wanted)} are there, {wanted[0].partitions} partitions, {copies}"


def wrong(topic: Topic, described: Mapping[str, Any], config: Mapping[str, str]) -> list[str]:
    """In what a topic loses events, or stops the pipeline."""
    partitions = described["partitions"]
    faults = differences(topic, len(partitions), config)
    if not has_leaders(described):
        faults.append(f"topic {topic.name} has a partition without a leader: is a broker missing?")
    least = int(config.get("min.insync.replicas") or 1)
    if any(len(each["replicas"]) < least for each in partitions):
        faults.append(
            f"topic {topic.name} has min.insync.replicas={least} and fewer copies, so that nothing is ever"
            " confirmed: alter it"
        )
    return faults


def doubtful(
    topic: Topic, described: Mapping[str, Any], config: Mapping[str, str], brokers: int
) -> list[str]:
    """In what a topic is not as `dora topics` makes it, or not as safe as it could be."""
    partitions = described["partitions"]
    copies = min(len(each["replicas"]) for each in partitions)
    least = int(config.get("min.insync.replicas") or 1)
    doubts = []
    if any(len(each["isr"]) < len(each["replicas"]) for each in partitions):
        doubts.append(f"{topic.name} has copies that are behind")
    if brokers > 1 and copies == 1:
        doubts.append(f"{topic.name} has one copy on {brokers} brokers")
    if copies > 1 and least == copies:
        doubts.append(f"{topic.name} takes nothing while one broker is away (min.insync.replicas={least})")
    if copies >= SAFE and least == 1:
        doubts.append(f"{topic.name} confirms what one broker alone has (min.insync.replicas=1)")
    doubts += shorter(topic, config)
    return doubts


def shorter(topic: Topic, config: Mapping[str, str]) -> list[str]:
    """Settings of a topic that hold less than the pipeline counts on."""
    doubts = []
    for name in ("retention.ms", "max.message.bytes"):
        wanted, found = topic.config.get(name), config.get(name)
        if wanted is not None and found is not None and 0 <= int(found) < int(wanted):
            doubts.append(f"{topic.name} has {name}={found}, less than {wanted}")
    arrival = topic.config.get("message.timestamp.type")
    if arrival is not None and config.get("message.timestamp.type") != arrival:
        doubts.append(
            f"{topic.name} lets producers say when a record arrived: message.timestamp.type={arrival}"
        )
    return doubts


async def group(cluster: Cluster, name: str, read: Sequence[str]) -> str:
    """What is well with a consumer group and the topics that it reads. Raises ``Failed`` and ``Doubtful``."""
    try:
        async with administering(cluster) as admin:
            answers: list[Any] = await admin.describe_consumer_groups([name])
    except TopicError as error:
        raise Failed(str(error)) from error
    (told,) = [each for answer in answers for each in answer.groups]
    state, members = told[2], len(told[5])
    if not members:
        raise Failed(f"no worker is in the group {name}", "start: dora worker")
    if state != "Stable":
        raise Doubtful(f"{members} in the group {name}, which is sharing its partitions out", "look again")
    async with watching(cluster, name) as offsets:
        lag = await moving_lag(offsets, read)
    workers = f"{members} {'worker' if members == 1 else 'workers'}"
    return f"{workers}, nothing left to do" if not lag else f"{workers}, {lag} records behind and getting on"


async def moving_lag(offsets: Offsets, read: Sequence[str]) -> int:
    """How many records are left to do. Raises ``Doubtful`` when none of them is done for a while."""
    ends = await offsets.ends(read)
    first: int | None = None
    deadline = asyncio.get_running_loop().time() + MOVING
    while True:
        committed = await offsets.committed(read)
        left = sum(max(end - committed.get(partition, 0), 0) for partition, end in ends.items())
        if not left or (first is not None and left < first):
            return left
        first = left if first is None else first
        if asyncio.get_running_loop().time() > deadline:
            raise Doubtful(
                f"{left} records are left to do, and none was done for {MOVING:g} s",
                "see the log of dora worker",
            )
        await asyncio.sleep(POLL)
