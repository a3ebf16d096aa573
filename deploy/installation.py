"""What `dora doctor` looks at, and what can be seen of it without Kafka and PostgreSQL. Only reads."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml
from pydantic import ValidationError

from access.kafka import KafkaSettings
from deploy.findings import Doubtful, Failed
from deploy.processes import explain
from schemas.catalog import Catalog, CatalogError
from streams.app import load_catalog, load_routes
from streams.router import InvalidRoutes
from streams.settings import Settings

LITTLE_DISK, NO_DISK = 5 * 2**30, 200 * 2**20  # bytes
ASKING = 3.0  # seconds for an answer over HTTP
UNUSABLE = "its settings cannot be used"
UNREADABLE = (CatalogError, InvalidRoutes, OSError, UnicodeDecodeError, yaml.YAMLError)


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
