"""The process: its settings, where it says it listens, how it ends, what strange requests do to it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter

import httpx
import pytest
from pydantic import ValidationError

from query.app import create_app, serve
from query.observation import ENDLESS
from query.settings import Settings
from schemas.catalog import CatalogError
from tests.query.process import running

NOWHERE = "postgresql://dora:secret-password@127.0.0.1:1/none"


@pytest.fixture
def clean(monkeypatch) -> None:
    for name in [name for name in os.environ if name.startswith("DORA_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_where_it_listens_and_ends_well(tmp_path, end):
    async with running(tmp_path, DORA_POSTGRES=NOWHERE) as query:
        async with httpx.AsyncClient(base_url=query.url) as client:
            assert (await client.get("/healthz")).json() == {"status": "ok"}
            answer = await client.get("/readyz")
            assert answer.status_code == 503
            assert "server" not in answer.headers
        query.process.send_signal(end)
        assert await query.ended() == 0
        assert "secret-password" not in query.log.read_text()


async def test_a_port_that_is_taken_ends_it_with_a_message(tmp_path):
    async with running(tmp_path, DORA_POSTGRES=NOWHERE) as query:
        port = query.url.rpartition(":")[2]
        settings = Settings(postgres=NOWHERE, port=int(port))
        with pytest.raises(OSError, match=r"cannot listen on .*already in use.*DORA_PORT"):
            serve(settings)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "postgres"),
        ({"DORA_POSTGRES": "secret-password"}, "postgres"),
        ({"DORA_POSTGRES": NOWHERE, "DORA_TIMEZONE": "Mars"}, "timezone"),
        ({"DORA_POSTGRES": NOWHERE, "DORA_PORT": "99999"}, "port"),
        ({"DORA_POSTGRES": NOWHERE, "DORA_CONNECTIONS": "0"}, "connections"),
        ({"DORA_POSTGRES": NOWHERE, "DORA_ELITE_DAYS_PER_WEEK": "8"}, "elite_days_per_week"),
    ],
)
def test_a_wrong_setting_is_named_and_not_shown(clean, monkeypatch, variables, named):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as error:
        Settings()
    assert [each["loc"] for each in error.value.errors()] == [(named,)]
    assert "secret-password" not in str(error.value)


def test_settings_do_not_show_the_password():
    assert "secret-password" not in repr(Settings(postgres=NOWHERE))


def test_a_catalog_that_cannot_be_read_stops_the_start(tmp_path):
    path = tmp_path / "catalog.yaml"
    with pytest.raises(FileNotFoundError):
        create_app(Settings(postgres=NOWHERE, catalog=path))
    path.write_text("services: {shop: {teem: x}}")
    with pytest.raises(CatalogError, match="team"):
        create_app(Settings(postgres=NOWHERE, catalog=path))
    path.write_text("production: [live]")
    assert create_app(Settings(postgres=NOWHERE, catalog=path)).state.context.catalog.is_production("live")


@pytest.mark.connected
async def test_q1_schemathesis_finds_nothing(tmp_path, database, tables):
    """Requests made up from our own description: no 5xx, and every answer as described."""
    for day in range(1, 10):
        await tables.deployment(
            "0", f"2026-07-0{day}T10:00:00+00:00", "0", commit="c", repository="acme/shop"
        )
        await tables.event(str(day), source="0", body=[b"{}", b"\xff", None][day % 3], reason="because")
        await tables.cdevent(f"c{day:04}", str(day), cause_source="0", cd_source="0")
        await tables.deadletter(source="0", id=str(day), type="t")
    await tables.keep_frequency()
    async with running(tmp_path, DORA_POSTGRES=database) as query:
        # Not everything that a schema allows makes sense together: a cursor of other filters, from after to.
        options = ["--exclude-checks=positive_data_acceptance", "--phases=coverage,fuzzing", "--seed=1"]
        options += [f"--exclude-path={path}" for path in ENDLESS]
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{query.url}/openapi.json"]
        done = await asyncio.to_thread(
            subprocess.run,
            [*command, "--max-examples=12", "--no-color", *options],
            capture_output=True,
            text=True,
            timeout=110,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
        async with httpx.AsyncClient(base_url=query.url) as client:
            counted = (await client.get("/metrics")).text
    statuses = Counter(
        line.split('status="')[1][:3]
        for line in counted.splitlines()
        if line.startswith("dora_query_requests_total{")
    )
    assert {"200", "404", "405", "422"} <= statuses.keys()
    assert not [status for status in statuses if status.startswith("5")]
