"""Who is not let in is told why, in one line that says what to do; the password is never in it."""

import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from access.kafka import Cluster
from access.kafka_trouble import trouble
from deploy.kafka_acls import Principals, allow, rules
from deploy.kafka_topics import create
from schemas.topics import Topics
from streams.preparation import CannotBegin, wait_for_kafka
from streams.settings import Settings as WorkerSettings
from tests.infra.commands import dora
from tests.infra.production import eventually
from tests.infra.programs import Program
from tests.infra.secure_kafka import PASSWORDS, SecureKafka
from tests.infra.servers import Infra
from tests.infra.workers import Worker

pytestmark = pytest.mark.connected
Settings = dict[str, str]
Case = tuple[Callable[[SecureKafka], Settings], str]

CASES: dict[str, Case] = {
    "another password": (
        lambda broker: broker.environment("dora-operator", kafka_password="wr0ng-passw0rd"),
        "refuses the password of dora-operator",
    ),
    "another mechanism": (
        lambda broker: broker.environment("dora-operator", kafka_mechanism="SCRAM-SHA-256"),
        "does not take SCRAM-SHA-256: check DORA_KAFKA_MECHANISM",
    ),
    "another authority": (
        lambda broker: broker.environment("dora-operator", kafka_ca_file=str(broker.stranger.file)),
        "cannot be trusted (unable to get local issuer certificate): set DORA_KAFKA_CA_FILE",
    ),
    "another host name": (
        lambda broker: broker.environment(
            "dora-operator", kafka=broker.sasl.replace("127.0.0.1", "localhost")
        ),
        "is for another host name: name the broker in DORA_KAFKA as its certificate does",
    ),
    "plain text to a port of TLS": (
        lambda broker: {"DORA_KAFKA": broker.sasl},
        "speaks TLS: set DORA_KAFKA_SECURITY to SSL or SASL_SSL",
    ),
    "TLS to a port of plain text": (
        lambda broker: broker.environment("dora-operator", kafka=broker.kafka.address),
        "does not speak TLS: check its port",
    ),
    "no certificate where one is asked for": (
        lambda broker: {
            "DORA_KAFKA": broker.mtls,
            "DORA_KAFKA_SECURITY": "SSL",
            "DORA_KAFKA_CA_FILE": str(broker.authority.file),
        },
        "refuses our certificate",
    ),
    "no user where one is asked for": (
        lambda broker: {
            "DORA_KAFKA": broker.sasl,
            "DORA_KAFKA_SECURITY": "SSL",
            "DORA_KAFKA_CA_FILE": str(broker.authority.file),
        },
        "it may ask for a user or a certificate; check DORA_KAFKA_SECURITY=SSL",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_command_says_why_it_is_not_let_in(secure: SecureKafka, name: str):
    settings, told = CASES[name]
    began = time.monotonic()
    done = dora("topics", **settings(secure))
    assert done.returncode == 1
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert time.monotonic() - began < 15
    for secret in (*PASSWORDS.values(), "wr0ng-passw0rd"):
        assert secret not in done.stdout + done.stderr


async def test_a_certificate_is_an_identity_too(secure: SecureKafka):
    topics = Topics(partitions=1, prefix=f"m{uuid4().hex[:8]}.")
    who = Principals(operator="User:CN=dora-operator")
    await allow(secure.inside, rules(topics, who))
    done = dora(
        "topics",
        DORA_KAFKA=secure.mtls,
        DORA_KAFKA_SECURITY="SSL",
        DORA_KAFKA_CA_FILE=str(secure.authority.file),
        DORA_KAFKA_CERTIFICATE_FILE=str(secure.operator),
        DORA_TOPIC_PREFIX=topics.prefix,
        DORA_PARTITIONS="1",
    )
    assert done.returncode == 0, done.stderr
    assert f"created {topics['cdevents']}" in done.stdout


async def test_a_broker_that_is_not_there_is_worth_waiting_for():
    met = await trouble(Cluster("127.0.0.1:9"))
    assert met is not None
    assert not met.lasting
    assert met.reason == (
        "no broker answers at 127.0.0.1:9 (connection refused): is it running, and is DORA_KAFKA right?"
    )


async def test_an_ingress_that_is_not_let_in_is_alive_and_says_why(secure: SecureKafka, tmp_path: Path):
    settings = secure.environment("dora-ingress", kafka_password="wr0ng-passw0rd", port="0")
    ingress = Program("ingress", tmp_path / "ingress", settings)
    ingress.start()
    try:

        async def said() -> bool:
            async with httpx.AsyncClient() as client:
                try:
                    answer = await client.get(f"{ingress.url}/readyz")
                except (OSError, httpx.HTTPError):
                    return False
            return answer.status_code == 503 and "refuses the password of dora-ingress" in answer.text

        await eventually(said, what="the reason in /readyz")
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{ingress.url}/healthz")).status_code == 200
        assert "refuses the password of dora-ingress" in ingress.log()
        assert "wr0ng-passw0rd" not in ingress.log()
    finally:
        ingress.kill()


async def test_a_worker_that_is_not_let_in_ends_and_says_why(
    secure: SecureKafka, database: str, tmp_path: Path
):
    settings = secure.environment("dora-worker", kafka_password="wr0ng-passw0rd")
    worker = Program("worker", tmp_path / "worker", {**settings, "DORA_POSTGRES": database})
    worker.start()
    assert worker.process is not None
    assert worker.process.wait(30) == 1
    assert "dora: 127.0.0.1" in worker.log()
    assert "refuses the password of dora-worker" in worker.log()
    assert "wr0ng-passw0rd" not in worker.log()
    assert "Traceback" not in worker.log()


async def test_r23_a_worker_without_a_topic_refuses_to_start(infra: Infra, database: str, tmp_path: Path):
    topics = Topics(partitions=1, prefix=f"r{uuid4().hex[:8]}.")
    await create(Cluster(infra.kafka), [each for each in topics.all() if each.name != topics["cdevents"]])
    worker = Worker(infra.kafka, topics, database, tmp_path / "worker")
    worker.start()
    assert worker.process is not None
    assert worker.process.wait(30) == 1
    assert f"dora: Kafka has no topic {topics['cdevents']}: run dora topics" in worker.log()
    assert "Traceback" not in worker.log()


async def test_r23_a_missing_changelog_or_input_is_told_too(infra: Infra):
    topics = Topics(partitions=1, prefix=f"r{uuid4().hex[:8]}.")
    lacking = topics.changelog("day", 1)
    await create(Cluster(infra.kafka), [each for each in topics.all() if each.name != lacking])
    with pytest.raises(CannotBegin, match=f"^Kafka has no topic {lacking}, elsewhere: run dora topics$"):
        await wait_for_kafka(told(infra, topics, input_topics="elsewhere"), 1)


async def test_r23_other_partitions_of_source_and_changelog_are_told(infra: Infra):
    topics = Topics(partitions=2, prefix=f"r{uuid4().hex[:8]}.")
    odd = topics.changelog("week", 1)
    await create(Cluster(infra.kafka), [each for each in topics.all() if each.name != odd])
    await create(Cluster(infra.kafka), [each for each in topics.with_partitions(1).all() if each.name == odd])
    with pytest.raises(CannotBegin, match=f"^topic {odd} has 1 partitions, expected 2, .*") as refused:
        await wait_for_kafka(told(infra, topics), 1)
    assert str(refused.value).count("partitions, expected") == 1
    with pytest.raises(CannotBegin, match=f"topic {topics['cdevents']} has 2 partitions, expected 1"):
        await wait_for_kafka(told(infra, topics.with_partitions(1)), 1)


def told(infra: Infra, topics: Topics, **settings: str) -> WorkerSettings:
    """The settings of a worker on these topics."""
    return WorkerSettings(
        kafka=infra.kafka, topic_prefix=topics.prefix, partitions=topics.partitions, **settings
    )
