"""What the embedded PostgreSQL and Kafka need before the pipeline starts: roles, database, tables, topics."""

import hashlib
import hmac

import asyncpg

from access.kafka import Cluster
from deploy import rights
from deploy.embedded.postgres import Postgres
from deploy.kafka_topics import create
from deploy.migrations import migrate
from schemas.topics import Topics

DATABASE = "dora"
OWNER = "dora"
WORKER = "dora_worker"
READER = "dora_query"


def role_dsn(postgres: Postgres, role: str) -> str:
    """The connection URI of one of our roles."""
    return postgres.dsn(DATABASE, role, role_password(postgres, role))


def role_password(postgres: Postgres, role: str) -> str:
    """A role's password: made from the superuser's, so that it stays the same and is kept nowhere else."""
    return hmac.new(postgres.password.encode(), role.encode(), hashlib.sha256).hexdigest()[:32]


async def provision(postgres: Postgres, kafka: str, topics: Topics, timezone: str) -> None:
    """Create what is missing; everything that is there stays."""
    await create_roles(postgres)
    roles = {WORKER: rights.WORKER, READER: rights.QUERY}
    await migrate(role_dsn(postgres, OWNER), timezone=timezone, roles=roles)
    await create(Cluster(kafka), topics.all(await active_generation(role_dsn(postgres, OWNER))))


async def create_roles(postgres: Postgres) -> None:
    """The owner of the database, who is no superuser; what workers and the query API may do, rights say."""
    admin = await asyncpg.connect(postgres.dsn())
    try:
        for role in (OWNER, WORKER, READER):
            verb = (
                "ALTER"
                if await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
                else "CREATE"
            )
            await admin.execute(f"{verb} ROLE {role} LOGIN PASSWORD '{role_password(postgres, role)}'")
        await admin.execute(f"ALTER ROLE {READER} SET default_transaction_read_only = on")
        await admin.execute(f"REVOKE pg_read_all_data FROM {READER}")  # which it had before there were keys
        if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await admin.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    finally:
        await admin.close()


async def active_generation(dsn: str) -> int:
    """The generation that answers questions now."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("SELECT generation FROM generations WHERE state = 'active'"))
    finally:
        await connection.close()
