"""Who may do what on Kafka: the least that each identity needs, as Kafka's access control lists.

What the rules name by prefix holds for every generation, so that a recompute needs no new ones. Write and
Read include Describe, and with Kafka 3.0 or later Write includes what an idempotent producer needs.
"""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError, KafkaError, for_code
from aiokafka.protocol.admin import CreateAclsRequest

from access.kafka import Cluster
from access.kafka_trouble import trouble
from schemas.topics import ROLES, Topics

Resource = Literal["topic", "group"]
Pattern = Literal["literal", "prefixed"]
Operation = Literal["Read", "Write", "Create", "Delete", "Alter", "DescribeConfigs"]

# Numbers of Kafka's protocol.
RESOURCES = {"topic": 2, "group": 3}
PATTERNS = {"literal": 3, "prefixed": 4}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Delete": 6, "Alter": 7, "DescribeConfigs": 10}
ALLOW = 3
EVERYWHERE = "*"


class AclError(Exception):
    """The rules could not be created; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Principals:
    """Kafka's names of the identities, as in ``User:dora-ingress``; ``sink`` is empty where there is none."""

    ingress: str = "User:dora-ingress"
    worker: str = "User:dora-worker"
    operator: str = "User:dora-operator"
    sink: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """``principal`` may do ``operation`` with the resource of this name, or with all that begin with it."""

    principal: str
    resource: Resource
    name: str
    pattern: Pattern
    operation: Operation


def rules(topics: Topics, principals: Principals, inputs: Sequence[str] = ()) -> list[Rule]:
    """All rules of an installation; ``inputs`` are further topics of CloudEvents that workers read."""
    written_by = [principals.ingress, *filter(None, [principals.sink])]
    return [
        *(Rule(each, "topic", topics["cloudevents"], "literal", "Write") for each in written_by),
        *working(topics, principals.worker, inputs),
        # The operator runs `dora topics` and `dora recompute`, which starts a worker of its own.
        *working(topics, principals.operator, inputs),
        *operating(topics, principals.operator),
    ]


def working(topics: Topics, principal: str, inputs: Sequence[str]) -> Iterator[Rule]:
    """What a worker does: read what came in, pass it on, keep its state, commit how far it has come."""
    for name in (topics["cloudevents"], *inputs):
        yield Rule(principal, "topic", name, "literal", "Read")
    for role in ROLES.keys() - {"cloudevents"}:
        yield Rule(principal, "topic", topics[role], "literal", "Read")
        yield Rule(principal, "topic", topics[role], "literal", "Write")
    yield Rule(principal, "topic", replays(topics), "prefixed", "Read")
    yield Rule(principal, "topic", replays(topics), "prefixed", "Write")  # what is redriven
    yield Rule(principal, "topic", generations(topics), "prefixed", "Read")
    yield Rule(principal, "topic", generations(topics), "prefixed", "Write")
    yield Rule(principal, "group", generations(topics), "prefixed", "Read")


def operating(topics: Topics, principal: str) -> Iterator[Rule]:
    """What creating topics and playing recorded events take beyond that."""
    names: list[tuple[str, Pattern]] = [(topics[role], "literal") for role in ROLES]
    names += [(replays(topics), "prefixed"), (generations(topics), "prefixed")]
    for name, pattern in names:
        yield Rule(principal, "topic", name, pattern, "Create")
        yield Rule(principal, "topic", name, pattern, "DescribeConfigs")
    for role in ROLES:  # more partitions
        yield Rule(principal, "topic", topics[role], "literal", "Alter")
    for name in (replays(topics), generations(topics)):  # of generations that are over
        yield Rule(principal, "topic", name, "prefixed", "Delete")
    yield Rule(principal, "group", generations(topics), "prefixed", "Delete")


def generations(topics: Topics) -> str:
    """How the consumer groups and changelogs of every generation begin."""
    return topics.application(1).removesuffix("1")


def replays(topics: Topics) -> str:
    """How the replay topics of every generation begin."""
    return topics.replay(1).removesuffix("1")


def commands(servers: str, wanted: Iterable[Rule]) -> Iterator[str]:
    """The rules as calls of Kafka's own tool, one for each identity and resource."""

    def place(rule: Rule) -> tuple[str, str, str, str]:
        return rule.principal, rule.resource, rule.name, rule.pattern

    for (principal, resource, name, pattern), same in groupby(sorted(wanted, key=place), place):
        words = ["kafka-acls.sh", "--bootstrap-server", servers, "--command-config", "admin.properties"]
        words += ["--add", "--allow-principal", principal, f"--{resource}", name]
        words += ["--resource-pattern-type", pattern]
        words += [word for operation in sorted({rule.operation for rule in same})
                  for word in ("--operation", operation)]  # fmt: skip
        yield shlex.join(words)


async def allow(kafka: Cluster, wanted: Iterable[Rule]) -> int:
    """Create the rules and return how many there are. Creating one that is there changes nothing."""
    client = AIOKafkaClient(**kafka.options())
    created = 0
    try:
        await client.bootstrap()
        for rule in wanted:
            answer = await client.send(client.get_random_node(), request(rule))
            for code, message in answer.creation_responses:
                if code:
                    raise AclError(
                        f"the broker refused the rules: {message or for_code(code).__name__};"
                        " take an identity that may alter the cluster, or run what --acls prints"
                    )
            created += 1
    except KafkaConnectionError as error:
        raise AclError(str(await trouble(kafka) or f"{kafka.servers}: {error}")) from error
    except KafkaError as error:
        raise AclError(f"the broker at {kafka.servers} refused: {error}") from error
    finally:
        await client.close()
    return created


def request(rule: Rule) -> CreateAclsRequest:
    """A rule in Kafka's protocol."""
    return CreateAclsRequest(
        RESOURCES[rule.resource],
        rule.name,
        PATTERNS[rule.pattern],
        rule.principal,
        EVERYWHERE,
        OPERATIONS[rule.operation],
        ALLOW,
    )
