"""README.md: its commands, run as a reader runs them, answer what it shows."""

import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from deploy.samples import summary
from schemas.topics import Topics
from tests.docs.pages import ROOT, blocks
from tests.infra.pipelines import running
from tests.infra.production import eventually
from tests.infra.servers import Infra

PAGE = (ROOT / "README.md").read_text()


@pytest.mark.connected
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_the_first_event_is_answered(infra: Infra, topics: Topics, database: str, tmp_path: Path):
    send, frequency, lineage = blocks(PAGE, "sh", "curl ")
    (answer,) = blocks(PAGE, "json")
    async with running(infra, topics, database, tmp_path) as pipeline:
        here = {"http://127.0.0.1:8080": pipeline.ingress.url, "http://127.0.0.1:8081": pipeline.query.url}
        assert shell(send, here).startswith("HTTP/1.1 202 ")
        wanted = json.loads(answer)
        await eventually(lambda: is_answered(pipeline.query.url, wanted), what="the answer of the README")
        assert shell(frequency, here) == answer.strip()
        (cdevent,) = json.loads(shell(lineage, here))["cdevents"]
        assert cdevent["deployments"][0]["counts_in"]["deployments"] == 1


def shell(command: str, addresses: dict[str, str]) -> str:
    """What a command prints at the addresses of this test."""
    for address, here in addresses.items():
        command = command.replace(address, here)
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout


async def is_answered(url: str, wanted: Any) -> bool:
    async with httpx.AsyncClient() as client:
        told = await client.get(f"{url}/deploy-frequency/day", params={"service": "hello"})
        return bool(told.json() == wanted)


def test_the_table_is_the_one_that_the_demo_prints():
    printed = io.StringIO()
    Console(file=printed, width=100).print(summary.draw([]))
    assert headings(printed.getvalue()) == headings(PAGE)


def headings(text: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith("┃ service"))
    return [cell.strip() for cell in line.split("┃")]
