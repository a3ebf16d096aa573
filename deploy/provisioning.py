"""What the embedded PostgreSQL and Kafka need before the pipeline starts: roles, database, tables, topics."""

import hashlib
import hmac

import asyncpg

from deploy.embedded.postgres import Postgres
from deploy.kafka_topics import create
from deploy.migrations import migrate
from schemas.topics import Topics

DATABASE = "dora"
OWNER = "dora"
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
    await migrate(role_dsn(postgres, OWNER), timezone=timezone)
    await create(kafka, topics.all(await active_generation(role_dsn(postgres, OWNER))))


async def create_roles(postgres: Postgres) -> None:
    """The owner of the database, which is no superuser, and the role of the query API, which only reads."""
    admin = await asyncpg.connect(postgres.dsn())
    try:
        for role in (OWNER, READER):
            verb = (
                "ALTER"
                if await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
                else "CREATE"
            )
            await admin.execute(f"{verb} ROLE {role} LOGIN PASSWORD '{role_password(postgres, role)}'")
        await admin.execute(f"ALTER ROLE {READER} SET default_transaction_read_only = on")
        await admin.execute(f"GRANT pg_read_all_data TO {READER}")
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
