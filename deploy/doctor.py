"""Looks at an installation as its processes will: settings and files, Kafka, PostgreSQL, workers, endpoints.

Only reads. Every check stands alone but for those that it cannot do without, and says what to do when it
fails (`deploy.findings`).
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import yaml
from pydantic import ValidationError

from access.kafka import KafkaSettings
from access.kafka_trouble import trouble as kafka_trouble
from access.postgres import trouble as postgres_trouble
from access.postgres import without_tls
from deploy import kafka_health
from deploy.agreement import other_files
from deploy.findings import Check, Doubtful, Failed, some
from deploy.migrations import MigrationError, pending, shipped
from deploy.processes import explain
from deploy.rights import WORKER, Rights
from schemas.catalog import Catalog, CatalogError
from streams.app import load_catalog, load_routes
from streams.configuration import digest_of
from streams.router import InvalidRoutes
from streams.settings import Settings

CLOCK_APART = 2.0  # seconds
LITTLE_DISK, NO_DISK = 5 * 2**30, 200 * 2**20  # bytes
ASKING = 3.0  # seconds for an answer over HTTP
UNUSABLE = "its settings cannot be used"
UNREADABLE = (CatalogError, InvalidRoutes, OSError, UnicodeDecodeError, yaml.YAMLError)

GENERATION = """
SELECT generation, timezone, catalog_digest, routes_digest,
       (SELECT max(generation) FROM generations WHERE state = 'building') AS building
  FROM generations WHERE state = 'active'
"""
ROLE = """
SELECT current_user AS name, rolsuper AS super, pg_has_role(current_user, relowner, 'USAGE') AS owns
  FROM pg_roles, pg_class
 WHERE rolname = current_user AND pg_class.oid = to_regclass('public.cloudevents_raw')
"""
HELD = """
SELECT CASE WHEN $2 = 'DELETE' THEN has_table_privilege(format('public.%I', $1::text), $2)
            ELSE has_any_column_privilege(format('public.%I', $1::text), $2::text) END
"""


@dataclass
class Installation:
    """What to look at. ``wrong`` are the settings that cannot be used, by name, with the reason."""

    settings: Settings | None
    wrong: dict[str, str] = field(default_factory=dict)
    ingress: str | None = None
    query: str | None = None
    folders: Sequence[Path] = ()
    generation: int = 1  # until PostgreSQL has told

    @property
    def known(self) -> Settings:
        """The settings; ``Failed`` when there are none."""
        if self.settings is None:
            raise Failed(UNUSABLE)
        return self.settings

    @property
    def dsn(self) -> str:
        """Where PostgreSQL is."""
        return self.known.postgres.get_secret_value()


def read_settings(**given: Any) -> tuple[Settings | None, dict[str, str]]:
    """The worker's settings, and what is wrong with single ones, which then are as if they were not given.

    A rule over several of them is as a rule about how to enter Kafka. There are none when it was not.
    """
    wrong: dict[str, str] = {}
    while True:
        try:
            return Settings(**given), wrong
        except ValidationError as error:
            faults = {
                str(fault["loc"][0]) if fault["loc"] else "": explain("DORA_", fault["loc"], fault["msg"])
                for fault in error.errors()
            }
            if "" in faults:
                faults["kafka"] = faults.pop("")
                given |= {name: each.default for name, each in KafkaSettings.model_fields.items()}
            if not faults.keys() - wrong.keys():
                return None, wrong
            wrong |= faults
            given |= {name: Settings.model_fields[name].default for name in faults}


def checks(place: Installation) -> list[Check]:
    """Everything that is looked at, in order."""
    hopeless = UNUSABLE if place.settings is None else ""
    unusable = {name: UNUSABLE if hopeless or name in place.wrong else "" for name in Settings.model_fields}
    store, broker = unusable["postgres"], unusable["kafka"]
    stored = ("postgres", "schema")
    return [
        Check("settings", lambda: settings(place)),
        Check("catalog", lambda: catalog(place), absent=unusable["catalog"]),
        Check("routes", lambda: routes(place), absent=unusable["routes"]),
        Check("postgres", lambda: postgres(place), absent=store),
        Check("schema", lambda: schema(place), ("postgres",), store),
        Check("rights", lambda: rights(place), stored, store),
        Check("generation", lambda: generation(place), stored, store),
        Check("clock", lambda: clock(place), ("postgres",), store),
        Check("dead letters", lambda: dead_letters(place), stored, store),
        Check("kafka", lambda: kafka(place), absent=broker),
        Check("topics", lambda: topics(place), ("kafka",), broker),
        Check("workers", lambda: workers(place), ("kafka", "topics"), broker),
        Check(
            "ingress", lambda: answers(place.ingress, "ingress"), absent=not_given(place.ingress, "ingress")
        ),
        Check("query", lambda: answers(place.query, "query"), absent=not_given(place.query, "query")),
        Check("disk", lambda: disk(place)),
    ]


def not_given(url: str | None, name: str) -> str:
    """Why an endpoint is not asked."""
    return "" if url else f"not asked: give --{name}-url or DORA_{name.upper()}_URL"


async def settings(place: Installation) -> str:
    """The environment, as a worker reads it."""
    if place.wrong:
        raise Failed("; ".join(place.wrong.values()), "correct them, see docs/operating.md")
    known = place.known
    return f"Kafka at {known.kafka}, {known.partitions} partitions, topics as {known.topics['cloudevents']}"


async def catalog(place: Installation) -> str:
    """The catalog file."""
    file = place.known.catalog
    try:
        found = load_catalog(file)
    except UNREADABLE as error:
        raise Failed(
            told_file(error, "DORA_CATALOG", file), "correct it; workers do not start with it"
        ) from error
    return "none is set" if found == Catalog.empty() and file is None else f"{file} is read"


async def routes(place: Installation) -> str:
    """The routes file."""
    file = place.known.routes
    try:
        found = load_routes(file)
    except UNREADABLE as error:
        raise Failed(
            told_file(error, "DORA_ROUTES", file), "correct it; workers do not start with it"
        ) from error
    return "none are set: every built-in source" if found is None else f"{file} routes {len(found)} types"


def told_file(error: Exception, setting: str, file: Path | None) -> str:
    """What is wrong with a file, in one line that names it."""
    told = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
    return told if told and str(file) in told else f"{setting} {file}: {told}"


@asynccontextmanager
async def connected(place: Installation) -> AsyncIterator[Any]:
    """A connection to PostgreSQL."""
    try:
        connection = await asyncpg.connect(place.dsn)
    except (OSError, TimeoutError, asyncpg.PostgresError, ValueError) as error:
        raise Failed(postgres_trouble(error, place.dsn)) from error
    try:
        yield connection
    finally:
        connection.terminate()


async def postgres(place: Installation) -> str:
    """Whether PostgreSQL lets us in, and without being overheard."""
    async with connected(place) as connection:
        version = await connection.fetchval("SHOW server_version")
        encrypted = await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    if (host := without_tls(place.dsn)) is not None:
        raise Doubtful(
            f"PostgreSQL {version} at {host} is spoken to without insisting on TLS",
            "add ?sslmode=verify-full to DORA_POSTGRES",
        )
    return f"PostgreSQL {version}, {'with TLS' if encrypted else 'on this machine'}"


async def schema(place: Installation) -> str:
    """Whether every migration was applied."""
    async with connected(place) as connection:
        if await connection.fetchval("SELECT to_regclass('public.schema_migrations') IS NULL"):
            raise Failed("the database is empty", "run: dora migrate")
        try:
            missing = await pending(connection, shipped())
        except MigrationError as error:
            raise Failed(str(error)) from error
    if missing:
        raise Failed(f"not applied: {', '.join(map(str, missing))}", "run: dora migrate")
    return f"at {shipped()[-1]}"


async def rights(place: Installation) -> str:
    """Whether the role may do what a worker does."""
    async with connected(place) as connection:
        role = await connection.fetchrow(ROLE)
        if role["super"] or role["owns"]:
            return f"{role['name']} {'is a superuser' if role['super'] else 'owns the tables'}"
        lacking = [
            f"{privilege} on {table}"
            for table, privilege in wanted(WORKER)
            if not await connection.fetchval(HELD, table, privilege)
        ]
    if lacking:
        raise Failed(
            f"the role {role['name']} is no worker: it lacks {some(lacking)}",
            f"as the owner, run: dora migrate --worker-role {role['name']}",
        )
    return f"{role['name']} may do what a worker does"


def wanted(rights: Rights) -> list[tuple[str, str]]:
    """Each table with each privilege on it, columns left out."""
    return [
        (table, privilege)
        for table, privileges in rights.tables.items()
        for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE")
        if privilege in privileges
    ]


async def generation(place: Installation) -> str:
    """Whether a generation is active, and made with what the settings say now."""
    known = place.known
    async with connected(place) as connection:
        row = await connection.fetchrow(GENERATION)
    if row is None:
        raise Failed("there is no active generation", "run: dora migrate")
    place.generation = int(row["generation"])
    if known.timezone not in (None, row["timezone"]):
        raise Failed(
            f"the tables are kept in {row['timezone']}, DORA_TIMEZONE says {known.timezone}",
            "unset it, or run: dora recompute --timezone",
        )
    try:
        told = other_files(
            row, load_catalog(known.catalog).facts_digest, digest_of(load_routes(known.routes))
        )
    except UNREADABLE:
        told = []  # which the checks of these files say
    if told:
        raise Doubtful(
            "; ".join(told), "give the files of the workers, or run: dora recompute; workers do not start so"
        )
    building = f", {row['building']} is being built" if row["building"] is not None else ""
    return f"{row['generation']} is active, in {row['timezone']}{building}"


async def clock(place: Installation) -> str:
    """How far the clock here is from PostgreSQL's."""
    async with connected(place) as connection:
        before = datetime.now(UTC)
        there = await connection.fetchval("SELECT clock_timestamp()")
        after = datetime.now(UTC)
    # Somewhere between the two it was read.
    apart = max((before - there).total_seconds(), (there - after).total_seconds(), 0.0)
    if apart > CLOCK_APART:
        raise Doubtful(
            f"it is {apart:.1f} s apart from PostgreSQL's",
            "keep both with NTP: times of arrival depend on it",
        )
    return f"within {CLOCK_APART:g} s of PostgreSQL's"


async def dead_letters(place: Installation) -> str:
    """Whether events wait for somebody."""
    async with connected(place) as connection:
        number = await connection.fetchval("SELECT count(*) FROM deadletters WHERE state = 'open'")
    if number:
        raise Doubtful(f"{number} are open", "see: dora deadletters list")
    return "none is open"


async def kafka(place: Installation) -> str:
    """Whether a broker lets us in."""
    cluster = place.known.cluster
    if (met := await kafka_trouble(cluster)) is not None:
        raise Failed(str(met))
    return f"{cluster.servers} answers, {cluster.protocol}"


async def topics(place: Installation) -> str:
    """Whether every topic is there as the pipeline needs it."""
    known = place.known
    further = [name for name in known.inputs if name != known.topics["cloudevents"]]
    return await kafka_health.topics(
        known.cluster, list(known.topics.all(place.generation)), further, place.generation
    )


async def workers(place: Installation) -> str:
    """Whether somebody does the work, and gets on with it."""
    known = place.known
    own = [known.topics[role] for role in ("observations", "functions", "cdevents", "deadletters")]
    return await kafka_health.group(
        known.cluster, known.topics.application(place.generation), [*known.inputs, *own]
    )


async def answers(url: str | None, name: str) -> str:
    """Whether an endpoint is ready."""
    ready = f"{(url or '').rstrip('/')}/readyz"
    try:
        async with httpx.AsyncClient(timeout=ASKING, trust_env=False) as client:
            answer = await client.get(ready)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        why = str(error) or type(error).__name__
        raise Failed(
            f"{url} does not answer ({why})", f"is dora {name} running, and the URL right?"
        ) from error
    if answer.status_code != httpx.codes.OK:
        raise Failed(f"{ready} answers {answer.status_code}", f"see the log of dora {name}")
    return f"{url} is ready"


async def disk(place: Installation) -> str:
    """Whether the folders of this machine have room."""
    found = []
    for folder in place.folders:
        there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
        free = (await asyncio.to_thread(shutil.disk_usage, there)).free
        told = f"{free / 2**30:.1f} GiB free for {folder}"
        if free < NO_DISK:
            raise Failed(told, "make room: the tables of a worker cannot be written")
        if free < LITTLE_DISK:
            raise Doubtful(told, "make room")
        found.append(told)
    return ", ".join(found)
