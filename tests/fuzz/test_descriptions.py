"""Requests made up from our own OpenAPI documents: no 5xx, and every answer as described."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from schemas.topics import Topics
from tests.fuzz.test_http import ingress
from tests.infra.servers import Infra
from tests.query.conftest import tables
from tests.query.process import running
from tests.query.rows import Tables

__all__ = ["tables"]  # a fixture

pytestmark = [pytest.mark.connected, pytest.mark.partitions(4)]

# Not all that a schema allows makes sense together, and of an event the schema says hardly anything.
OPTIONS = ("--exclude-checks=positive_data_acceptance", "--phases=examples,coverage,fuzzing", "--no-color")


async def generated(url: str, examples: int, folder: Path, *options: str) -> Counter[int]:
    """Let schemathesis send ``examples`` requests at most to each operation, and more for the corners."""
    har = folder / "requests.har"
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", *OPTIONS, *options]
    command += [f"--max-examples={examples}", f"--report-har-path={har}", "--seed=1"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    entries = json.loads(har.read_text())["log"]["entries"]
    return Counter(entry["response"]["status"] for entry in entries)


async def of_ingress(infra: Infra, topics: Topics, folder: Path, examples: int) -> Counter[int]:
    async with ingress(infra, topics, folder) as program:
        statuses = await generated(program.url, examples, folder)
        assert "Traceback" not in (program.folder / "log").read_text(errors="replace")
    return checked("ingress", statuses)


async def of_query(tables: Tables, dsn: str, folder: Path, examples: int) -> Counter[int]:
    for day in range(1, 10):
        at = f"2026-07-0{day}T10:00:00+00:00"
        await tables.deployment("0", at, "0", commit="c", repository="acme/shop")
        await tables.event(str(day), source="0", body=[b"{}", b"\xff", None][day % 3], reason="because")
        await tables.deadletter(source="0", id=str(day), type="t")
    await tables.keep_frequency()
    async with running(folder, DORA_POSTGRES=dsn) as query:
        statuses = await generated(query.url, examples, folder)
    return checked("query", statuses)


def checked(what: str, statuses: Counter[int]) -> Counter[int]:
    print(f"\n{what}: {statuses.total()} generated requests, answers {dict(sorted(statuses.items()))}")
    assert not [status for status in statuses if status >= 500], statuses
    return statuses


async def test_a_sample_of_what_the_ingress_describes(infra: Infra, topics: Topics, tmp_path: Path) -> None:
    statuses = await of_ingress(infra, topics, tmp_path, examples=8)
    assert {200, 400, 404, 405} <= statuses.keys()


@pytest.mark.fuzz
@pytest.mark.timeout(1500)
async def test_ten_thousand_of_what_both_describe(
    infra: Infra, topics: Topics, database: str, tables: Tables, tmp_path: Path
) -> None:
    (tmp_path / "query").mkdir()
    statuses = await of_ingress(infra, topics, tmp_path, examples=450)
    statuses += await of_query(tables, database, tmp_path / "query", examples=450)
    assert statuses.total() >= 10_000
