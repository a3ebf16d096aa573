"""A year of rows through a real ingress and worker: the five metrics are the numbers worked out by hand.

Each Monday of 2025 at 12:00 UTC a deployment of the commit that was made on Sunday at 12:00, merged at 13:00.
Four of them are followed by an incident, 13:00 to 15:00 of the same day, and one is rolled back a day later.
Two rollouts failed and one was cancelled; they are in no number.
"""

import csv
import io
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from schemas.topics import Topics
from tests.infra.commands import dora, environment
from tests.infra.pipelines import Pipeline, running
from tests.infra.production import eventually
from tests.infra.servers import Infra

FIRST = datetime(2025, 1, 6, 12, tzinfo=UTC)
MONDAYS = [FIRST + timedelta(weeks=week) for week in range(52)]
BERLIN = ZoneInfo("Europe/Berlin")
TROUBLED, ROLLED_BACK = (3, 16, 29, 42), 20

# metric → value, sample count
BY_HAND = {
    "deployment-frequency": (52 / 365, 52),
    "change-lead-time": (86_400, 52),
    "change-failure-rate": (5 / 52, 52),
    # Four times from 12:00 to 15:00, and once a day; the median.
    "failed-deployment-recovery-time": (3 * 3600, 5),
    "deployment-rework-rate": (1 / 53, 53),
}


def commit(week: int) -> str:
    return f"{week:040x}"


def berlin(instant: datetime) -> str:
    """As somebody there writes it into a sheet."""
    return instant.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M")


def write(path: Path, headings: str, rows: list[tuple[str, ...]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows([headings.split(","), *rows])
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())


@pytest.fixture
def sheets(tmp_path: Path) -> Path:
    deployments = [(berlin(at), "SUCCESS", commit(week)) for week, at in enumerate(MONDAYS)]
    deployments += [(berlin(MONDAYS[week] - timedelta(hours=3)), "failed", commit(week)) for week in (10, 11)]
    deployments += [(berlin(MONDAYS[12] - timedelta(hours=3)), "cancelled", commit(12))]
    deployments += [
        (berlin(MONDAYS[ROLLED_BACK] + timedelta(days=1)), "rolled back", commit(ROLLED_BACK - 1))
    ]
    write(tmp_path / "deployments.csv", "Deployed at,Result,Commit", deployments)
    day = timedelta(days=1)
    merged = [(commit(week), (at - day).isoformat(), (at - day + timedelta(hours=1)).isoformat())
              for week, at in enumerate(MONDAYS)]  # fmt: skip
    write(tmp_path / "changes.csv", "commit,committed at,time", merged)
    hour = timedelta(hours=1)
    incidents = [
        (
            f"INC-{week}",
            berlin(MONDAYS[week] + hour),
            berlin(MONDAYS[week] + 3 * hour),
            "Nobody\ncan pay; at all",
        )
        for week in TROUBLED
    ]
    write(tmp_path / "incidents.csv", "Key,Begin,End,Title", incidents)
    return tmp_path


ABOUT = ("--set", "service=checkout", "--set", "environment=production", "--timezone", "Europe/Berlin")
OF_REPOSITORY = ("--set", "repository=acme/checkout")
COMMANDS = (
    ("deployments", *ABOUT, *OF_REPOSITORY, "--map", "Deployed at=time", "--map", "Result=outcome"),
    ("changes", "--set", "service=checkout", *OF_REPOSITORY),
    ("incidents", *ABOUT, "--map", "Key=id", "--map", "Begin=time", "--map", "End=resolved_at"),
)


def interrupt(arguments: list[str], folder: Path) -> None:
    """Begin an import slowly, and kill it when its first rows are done."""
    command = [sys.executable, "-P", "-m", "deploy.cli", *arguments, "--rate", "40"]
    running = subprocess.Popen(command, cwd=folder, env=environment())
    deadline = time.monotonic() + 30
    while not (folder / ".dora" / "import.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()


def play(folder: Path, url: str, *more: str) -> str:
    told = ""
    for kind, *options in COMMANDS:
        arguments = ["import", kind, *options, "--ingress-url", url, f"{kind}.csv", *more]
        done = dora(*arguments, cwd=folder)
        assert done.returncode == 0, done.stderr
        told += done.stdout
    return told


async def answers(pipeline: Pipeline) -> dict[str, tuple[float, int]]:
    window = "from=2025-01-01T00:00:00Z&to=2026-01-01T00:00:00Z&bucket=year&service=checkout"
    found = {}
    for metric in BY_HAND:
        told = await pipeline.ask(f"/v1/metrics/{metric}?{window}&environment=production")
        found[metric] = (told["value"], told["sample_count"])
    return found


async def events(database: str) -> int:
    connection = await asyncpg.connect(database)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM cloudevents_raw"))
    finally:
        await connection.close()


@pytest.mark.connected
@pytest.mark.timeout(240)
async def test_a_year_of_rows_gives_the_numbers_worked_out_by_hand(
    infra: Infra, topics: Topics, database: str, sheets: Path
):
    async with running(infra, topics, database, sheets / "run") as pipeline:
        url = pipeline.ingress.url
        kind, *options = COMMANDS[0]
        interrupt(["import", kind, *options, "--ingress-url", url, f"{kind}.csv"], sheets)
        told = play(sheets, url)
        assert "done before" in told

        async def right() -> bool:
            return await answers(pipeline) == {
                metric: (pytest.approx(value), count) for metric, (value, count) in BY_HAND.items()
            }

        await eventually(right, what="the numbers of the year")
        # 52 and 3 more deployments, 52 changes, 4 incidents with an end.
        assert await events(database) == 55 + 52 + 8
        assert "accepted 55, refused 0" in play(sheets, url, "--again")
        await pipeline.settled()
        assert await events(database) == 55 + 52 + 8
        assert await right()
