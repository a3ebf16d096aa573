"""A generation's rows are made with one catalog and one routes map; workers with others are refused."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from schemas.catalog import Catalog
from schemas.catalog_file import CatalogError
from streams.configuration import OtherConfiguration, agree, digest_of
from streams.settings import Settings
from tests.infra.databases import execute
from tests.infra.production import fetch

CATALOG = "services: {checkout: {workloads: [kasse]}}"
ROUTES = "routes: {com.example.built: [cdevents]}"


def settings(folder: Path, catalog: str | None = None, routes: str | None = None) -> Settings:
    """Settings that name files with these contents."""
    told: dict[str, Any] = {}
    for name, text in (("catalog", catalog), ("routes", routes)):
        if text is not None:
            told[name] = folder / f"{name}-{abs(hash(text))}.yaml"
            told[name].write_text(text)
    return Settings(**told)


async def starts(dsn: str, told: Settings, generation: int = 1) -> bool:
    """Whether a worker with these settings may work for the generation."""
    connection = await asyncpg.connect(dsn)
    try:
        await agree(connection, told, generation)
    except OtherConfiguration:
        return False
    finally:
        await connection.close()
    return True


@pytest.mark.connected
async def test_the_first_worker_says_with_what_the_rows_are_made(database: str, tmp_path: Path):
    plain, other = settings(tmp_path, CATALOG), settings(tmp_path, CATALOG.replace("kasse", "till"))
    assert await starts(database, plain)
    assert await starts(database, plain), "again"
    assert not await starts(database, other)
    assert not await starts(database, settings(tmp_path)), "without a catalog"
    assert not await starts(database, settings(tmp_path, CATALOG, ROUTES)), "with routes"
    # What rows are not made with may change.
    assert await starts(database, settings(tmp_path, f"# comment\n{CATALOG}\nproduction: [production]"))
    assert await starts(
        database, settings(tmp_path, CATALOG.replace("{workloads", "{team: money, workloads"))
    )


@pytest.mark.connected
async def test_of_several_workers_at_once_all_with_one_configuration_start(database: str, tmp_path: Path):
    routed = [settings(tmp_path, None, ROUTES.replace("built", word)) for word in ("a", "b", "c")]
    started = await asyncio.gather(*(starts(database, each) for each in routed * 4))
    by_configuration = [{*started[n::3]} for n in range(3)]
    assert sorted(by_configuration, key=str) == [{False}, {False}, {True}]


@pytest.mark.connected
async def test_the_next_generation_takes_the_catalog_of_its_recompute(database: str, tmp_path: Path):
    assert await starts(database, settings(tmp_path))
    new = settings(tmp_path, CATALOG, ROUTES)
    assert not await starts(database, new)
    ((digest,),) = await fetch(database, "SELECT catalog_digest FROM generations")
    await fetch(database, "SELECT begin_generation('UTC', $1)", digest)
    assert not await starts(database, new, 2), "the recompute was started without the catalog"
    await execute(database, "UPDATE generations SET catalog_digest = '' WHERE generation = 2")
    assert await starts(database, new, 2)
    assert not await starts(database, new, 1)


async def test_a_file_that_cannot_be_read_is_no_other_configuration(tmp_path: Path):
    with pytest.raises(CatalogError):
        await agree(None, settings(tmp_path, "services: 1"), 1)


def test_what_the_demo_has_recorded_can_be_gone_on_with_without_its_catalog():
    samples = Path(__file__).parents[2] / "deploy" / "samples" / "catalog.yaml"
    assert Catalog.parse(samples.read_text()).facts_digest == Catalog.empty().facts_digest


def test_routes_are_told_apart_by_what_they_route():
    one = {"a": ["github"], "b": ["gitlab", "https://f"]}
    assert digest_of(one) == digest_of(dict(reversed(one.items())))
    assert digest_of(one) != digest_of({**one, "b": ["https://f", "gitlab"]})
    assert digest_of(None) == digest_of({}) != digest_of({"a": []})
