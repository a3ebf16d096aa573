"""A broker and a database that fault tests may hurt, each with a direct way and a way through a proxy."""

from pathlib import Path
from uuid import uuid4

from deploy.embedded.kafka import Kafka
from deploy.embedded.ports import HOST, free_port
from deploy.embedded.postgres import Postgres
from deploy.embedded.probes import in_thread
from deploy.migrations import migrate
from tests.infra.databases import execute, named

ROLE = "dora_fault"
PASSWORD = "canary-of-the-database-2f9c"
TEMPLATE = "dora_fault_template"


class Servers:
    """One Kafka and one PostgreSQL. ``kafka_proxy`` is the port at which the broker says it is to be found
    when it is asked through the proxied listener, whose own port is ``kafka_behind``."""

    def __init__(self, folder: Path, data: Path | None = None) -> None:
        self.kafka_proxy, self.kafka_behind = free_port(), free_port()
        port = free_port()
        advertised = f"PLAINTEXT://{HOST}:{port},PROXIED://{HOST}:{self.kafka_proxy}"
        self.kafka = Kafka(
            folder / "kafka",
            port,
            listeners={"PROXIED": ("PLAINTEXT", self.kafka_behind)},
            properties={
                "advertised.listeners": advertised,
                "log.retention.check.interval.ms": 1000,
                "offsets.retention.check.interval.ms": 1000,
            },
        )
        self.postgres = Postgres(data or folder / "postgres")

    def start(self) -> None:
        """Start both, and prepare the database that each scene copies."""
        self.postgres.launch()
        self.kafka.launch()
        self.postgres.complete()
        in_thread(self.prepare())
        self.kafka.complete()

    async def prepare(self) -> None:
        """The role and the migrated database."""
        admin = self.postgres.dsn()
        await execute(admin, f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
        await execute(admin, f'CREATE DATABASE "{TEMPLATE}" OWNER {ROLE}')
        await migrate(self.postgres.dsn(TEMPLATE, ROLE, PASSWORD))

    async def create_database(self) -> str:
        """A migrated database of its own; its name."""
        name = f"fault_{uuid4().hex[:10]}"
        await execute(self.postgres.dsn(), f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}" OWNER {ROLE}')
        return name

    async def drop_database(self, name: str) -> None:
        """Remove it with its connections."""
        await execute(
            named(self.postgres.dsn(), "postgres"), f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
        )

    def kill(self) -> None:
        """End both at once."""
        self.kafka.kill()
        self.postgres.kill()
