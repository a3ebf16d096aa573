"""The whole pipeline on a broker with TLS, SASL/SCRAM and ACLs: identities with the rights that we print."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError, for_code

from access.kafka import Cluster, KafkaSettings
from deploy.embedded.probes import in_thread
from deploy.kafka_acls import Principals, Rule, allow, rules
from query.settings import Settings as QuerySettings
from schemas.topics import Topics
from streams.preparation import CannotBegin, wait_for_kafka
from streams.progress import EXIT_STUCK
from streams.settings import Settings as WorkerSettings
from tests.infra import databases
from tests.infra.commands import dora
from tests.infra.production import eventually, fetch
from tests.infra.programs import Program
from tests.infra.secure_kafka import PASSWORDS, SecureKafka
from tests.infra.servers import Infra

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]
DEADLINE = 8.0  # seconds in which every request is answered


@dataclass
class Secured:
    """A running ingress and worker, each under its own name, and the tables that they fill."""

    broker: SecureKafka
    topics: Topics
    dsn: str
    ingress: Program
    worker: Program

    def cluster(self, user: str) -> Cluster:
        """The cluster as ``user`` enters it."""
        values = self.broker.environment(user)
        return KafkaSettings(
            **{name.removeprefix("DORA_").lower(): value for name, value in values.items()}  # type: ignore[arg-type]
        ).cluster

    def rules(self, principal: str, topic: str, operation: str) -> list[Rule]:
        """The rules by which ``principal`` may do ``operation`` with the topic of this role."""
        return [
            rule
            for rule in rules(self.topics, Principals())
            if (rule.principal, rule.name, rule.operation) == (principal, self.topics[topic], operation)
        ]

    async def tell(self, number: int) -> httpx.Response:
        """Tell of one deployment."""
        headers = {
            "ce-specversion": "1.0",
            "ce-id": f"secured-{number}",
            "ce-source": "/secured",
            "ce-type": "dev.cdevents.service.deployed.0.3.0",
        }
        body = {
            "context": {
                "specversion": "0.5.1",
                "id": f"secured-{number}",
                "source": "/secured",
                "type": "dev.cdevents.service.deployed.0.3.0",
                "timestamp": "2026-03-02T09:00:00Z",
            },
            "subject": {
                "id": f"service-{number}",
                "content": {"environment": {"id": "production"}, "artifactId": f"pkg:oci/s@{number}"},
            },
        }
        async with httpx.AsyncClient(timeout=DEADLINE) as client:
            return await client.post(f"{self.ingress.url}/cdevents", headers=headers, json=body)

    async def deployed(self, number: int) -> bool:
        """Whether the deployment has its row."""
        rows = await fetch(
            self.dsn, "SELECT count(*) AS n FROM deployments WHERE service = $1", f"service-{number}"
        )
        return bool(rows[0]["n"] == 1)

    async def trouble(self) -> str:
        """What the ingress says that it waits for; empty when it is ready."""
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{self.ingress.url}/readyz")
        return "" if answer.status_code == httpx.codes.OK else str(answer.json()["detail"])


@pytest.fixture(scope="module")
def secured(
    secure: SecureKafka, infra: Infra, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Secured]:
    """The pipeline, prepared by the commands that an operator would use."""
    topics = Topics(partitions=2, prefix=f"s{uuid4().hex[:8]}.")
    shape = {"topic_prefix": topics.prefix, "partitions": "2"}
    given = dora("topics", "--create-acls", **secure.environment("admin", **shape))
    assert given.returncode == 0, given.stderr
    created = dora("topics", **secure.environment("dora-operator", **shape))
    assert created.returncode == 0, created.stderr

    folder = tmp_path_factory.mktemp("secured")
    dsn = in_thread(databases.create_database(infra.postgres, template_database))
    ingress = Program(
        "ingress", folder / "ingress", secure.environment("dora-ingress", **shape, port="0", send_timeout="3")
    )
    worker = Program(
        "worker",
        folder / "worker",
        secure.environment(
            "dora-worker",
            **shape,
            postgres=dsn,
            state_dir=str(folder / "state"),
            worker_port="0",
            session_timeout="8",
        ),
    )
    ingress.start()
    worker.start()
    in_thread(ingress.ready())
    in_thread(worker.ready())
    yield Secured(secure, topics, dsn, ingress, worker)
    ingress.kill()
    worker.kill()
    for program in (ingress, worker):
        assert not [word for word in PASSWORDS.values() if word in program.log()]


async def test_an_event_becomes_a_row_with_the_rights_that_are_printed(secured: Secured):
    assert (await secured.tell(1)).status_code == 202
    await eventually(lambda: secured.deployed(1), what="the deployment")
    assert (await secured.worker.get("/readyz"))["status"] == "ready"


@pytest.fixture
async def consumer(secured: Secured) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer with the ingress's identity."""
    consumer = AIOKafkaConsumer(
        secured.topics["cloudevents"],
        auto_offset_reset="earliest",
        group_id=secured.topics.application(1),
        **secured.cluster("dora-ingress").options(),
    )
    yield consumer
    await consumer.stop()


async def test_q6_the_ingress_cannot_consume(secured: Secured, consumer: AIOKafkaConsumer):
    with pytest.raises(GroupAuthorizationFailedError):
        await consumer.start()
    alone = AIOKafkaConsumer(
        secured.topics["cloudevents"],
        auto_offset_reset="earliest",
        **secured.cluster("dora-ingress").options(),
    )
    await alone.start()
    try:
        with pytest.raises(TopicAuthorizationFailedError):
            await asyncio.wait_for(alone.getone(), 10)
    finally:
        await alone.stop()


@pytest.mark.parametrize("user", ["dora-worker", "dora-ingress"])
async def test_q6_no_process_can_create_topics(secured: Secured, user: str):
    admin = AIOKafkaAdminClient(**secured.cluster(user).options())
    await admin.start()
    try:
        names = [secured.topics.changelog("day", 2), secured.topics.replay(2), "anything"]
        answer = await admin.create_topics([NewTopic(name, 1, 1) for name in names])
    finally:
        await admin.close()
    codes = {name: for_code(code) for name, code, *_ in answer.topic_errors}
    assert codes == dict.fromkeys(names, TopicAuthorizationFailedError)


def test_a_right_that_the_operator_lacks_is_told_in_one_line(secured: Secured):
    settings = secured.broker.environment("dora-worker", topic_prefix=secured.topics.prefix, partitions="2")
    for arguments in (("topics",), ("topics", "--create-acls")):
        done = dora(*arguments, **settings)
        assert done.returncode == 1
        assert "--acls" in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("user", "topic"),
    [("dora-worker", "cloudevents"), ("dora-ingress", "cdevents"), ("dora-ingress", "deadletters")],
)
async def test_q6_nobody_writes_what_others_write(secured: Secured, user: str, topic: str):
    async with AIOKafkaProducer(**secured.cluster(user).options()) as producer:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(secured.topics[topic], b"forged")


def test_q6_the_query_has_no_kafka():
    assert not [name for name in QuerySettings.model_fields if "kafka" in name]


def test_r22_a_worker_listens_on_its_health_port_alone(secured: Secured):
    """Faust's web server would serve the tables to anyone, on port 6066."""
    assert secured.worker.process is not None
    process = psutil.Process(secured.worker.process.pid)
    family = [process, *process.children(recursive=True)]
    listening = {
        (each.laddr.ip, each.laddr.port)
        for one in family
        for each in one.net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    }
    assert listening == {("127.0.0.1", int(secured.worker.url.rsplit(":", 1)[1]))}


async def test_k4_a_right_that_was_taken_from_the_ingress_is_503_with_its_reason(secured: Secured):
    right = secured.rules("User:dora-ingress", "cloudevents", "Write")
    assert len(right) == 1
    await secured.broker.forbid(right)
    try:
        began = time.monotonic()
        refused = await secured.tell(2)
        assert refused.status_code == 503
        assert refused.headers["retry-after"]
        assert time.monotonic() - began < DEADLINE

        async def said() -> bool:
            return "does not let this identity write" in await secured.trouble()

        await eventually(said, what="the reason in /readyz")
        assert (await secured.tell(2)).status_code == 503
        assert "dora topics --acls" in secured.ingress.log()
    finally:
        await allow(secured.broker.inside, right)

    async def healed() -> bool:
        return (await secured.tell(2)).status_code == 202

    await eventually(healed, what="accepted again, without a restart")
    await eventually(lambda: secured.deployed(2), what="the deployment")


@pytest.mark.fault
async def test_r11_what_cannot_be_passed_on_is_not_acknowledged(secured: Secured):
    right = secured.rules("User:dora-worker", "cdevents", "Write")
    assert len(right) == 1
    await secured.broker.forbid(right)
    try:
        assert (await secured.tell(3)).status_code == 202
        assert await asyncio.to_thread(secured.worker.process.wait, 60) == EXIT_STUCK  # type: ignore[union-attr]
        assert "worker.send_unconfirmed" in secured.worker.log()
        assert not await secured.deployed(3)
        stored = await fetch(secured.dsn, "SELECT 1 FROM cloudevents_raw WHERE id = 'secured-3'")
        assert stored == [], "its row is written once its outputs are confirmed"
    finally:
        await allow(secured.broker.inside, right)
    secured.worker.start()
    await secured.worker.ready()
    await eventually(lambda: secured.deployed(3), what="the deployment, after all")
    assert await fetch(secured.dsn, "SELECT 1 FROM deadletters") == []


async def test_a_recompute_needs_no_more_rights_than_those_of_its_operator(secured: Secured, tmp_path: Path):
    settings = secured.broker.environment(
        "dora-operator",
        topic_prefix=secured.topics.prefix,
        partitions="2",
        postgres=secured.dsn,
        state_dir=str(tmp_path),
        session_timeout="8",
    )
    done = await asyncio.to_thread(dora, "recompute", timeout=170, **settings)
    assert done.returncode == 0, done.stderr[-3000:]
    stored = (await fetch(secured.dsn, "SELECT count(*) AS n FROM cloudevents_raw"))[0]["n"]
    assert stored
    assert done.stdout == f"generation 2 is active, built from {stored} events\n"


async def test_a_worker_without_its_rights_refuses_to_start_and_names_the_topics(secured: Secured):
    environment = secured.broker.environment(
        "dora-ingress", topic_prefix=secured.topics.prefix, partitions="2"
    )
    values = {name.removeprefix("DORA_").lower(): value for name, value in environment.items()}
    with pytest.raises(CannotBegin, match=r"does not let this identity use .*cdevents.*dora topics --acls"):
        await wait_for_kafka(WorkerSettings.model_validate(values), 1)
