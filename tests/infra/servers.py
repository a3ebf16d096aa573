"""A real Apache Kafka and a real PostgreSQL for the whole test run: containers or the embedded parts."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from deploy.embedded.kafka import Kafka
from deploy.embedded.ports import HOST, free_port
from deploy.embedded.postgres import Postgres
from deploy.embedded.probes import in_thread, kafka_answers, postgres_answers

Kind = Literal["containers", "embedded"]
KAFKA_IMAGE = "apache/kafka:4.4.0"
POSTGRES_IMAGE = "postgres:17"
START_TIMEOUT = 90  # seconds, less than a test may take
PULL_TIMEOUT = 300


@dataclass(frozen=True)
class Infra:
    """Where the servers are: ``kafka`` as `host:port`, ``postgres`` as the DSN of a superuser."""

    kind: Kind
    kafka: str
    postgres: str


def choose(option: str) -> tuple[Kind, str]:
    """Which servers to use for ``--infra=option``, and why."""
    if option == "embedded":
        return "embedded", "asked for with --infra=embedded"
    answers, why = docker_answers()
    if option == "containers":
        if not answers:
            raise RuntimeError(f"--infra=containers needs a Docker engine: {why}")
        return "containers", "asked for with --infra=containers"
    return ("containers", why) if answers else ("embedded", why)


def docker_answers() -> tuple[bool, str]:
    """Whether a Docker engine is there, in words."""
    try:
        done = subprocess.run(
            ["docker", "info", "--format", "{{.ServerVersion}}"], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, f"no Docker engine answers ({type(error).__name__})"
    version = done.stdout.strip()
    if done.returncode or not version:
        return False, "no Docker engine answers"
    return True, f"Docker engine {version} answers"


def missing_image() -> str | None:
    """The name of an image that the engine neither has nor can pull; ``None`` when it has them all."""
    return next((image for image in (KAFKA_IMAGE, POSTGRES_IMAGE) if not available(image)), None)


def available(image: str) -> bool:
    """Whether the engine has an image, now at the latest."""
    return docker("image", "inspect", image) or docker("pull", "--quiet", image)


def docker(*arguments: str) -> bool:
    """Whether a docker command succeeds."""
    try:
        return (
            subprocess.run(["docker", *arguments], capture_output=True, timeout=PULL_TIMEOUT).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


@contextmanager
def embedded(folder: Path) -> Iterator[Infra]:
    """The parts that `./dora up` runs."""
    postgres, kafka = Postgres(folder / "postgres"), Kafka(folder / "kafka")
    try:
        postgres.launch()
        kafka.launch()
        postgres.complete()
        kafka.complete()
        yield Infra("embedded", kafka.address, postgres.dsn())
    finally:
        kafka.kill()
        postgres.kill()


@contextmanager
def containers() -> Iterator[Infra]:
    """The official images. The broker tells clients its mapped port, so that is chosen before it starts."""
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    # The container that removes the others after a killed run is welcome, but not worth failing for.
    if not testcontainers_config.ryuk_disabled and not available(testcontainers_config.ryuk_image):
        testcontainers_config.ryuk_disabled = True
    kafka_port, postgres_port = free_port(), free_port()
    kafka = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, kafka_port)
    for name, value in kafka_environment(kafka_port).items():
        kafka = kafka.with_env(name, value)
    postgres = (
        DockerContainer(POSTGRES_IMAGE)
        .with_bind_ports(5432, postgres_port)
        .with_env("POSTGRES_PASSWORD", "postgres")
    )
    with kafka, postgres:
        infra = Infra(
            "containers",
            f"{HOST}:{kafka_port}",
            f"postgresql://postgres:postgres@{HOST}:{postgres_port}/postgres",
        )
        wait_until_answering(infra, (kafka, postgres))
        yield infra


def kafka_environment(port: int) -> dict[str, str]:
    """The settings of the embedded broker that matter to tests, in the image's variables."""
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        # To verify transactions the broker speaks to itself; from inside, the mapped port leads nowhere.
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,BROKER://:9094,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{HOST}:{port},BROKER://localhost:9094",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "BROKER",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "4",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }


def wait_until_answering(infra: Infra, started: tuple[Any, ...]) -> None:
    """Return when both servers answer their clients; say what an ended container wrote."""
    deadline = time.monotonic() + START_TIMEOUT
    while not (in_thread(postgres_answers(infra.postgres)) and in_thread(kafka_answers(infra.kafka))):
        for container in (each.get_wrapped_container() for each in started):
            container.reload()
            if container.status == "exited":
                raise RuntimeError(
                    f"{container.image} ended: {container.logs(tail=20).decode(errors='replace')}"
                )
        if time.monotonic() > deadline:
            raise RuntimeError(f"the containers did not answer within {START_TIMEOUT} s")
        time.sleep(0.5)
