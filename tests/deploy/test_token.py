"""The token that commands show an ingress which asks who sends."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schemas.cloudevents.kafka import read_record
from tests.infra.commands import dora
from tests.ingress.calling import CORRECTOR, EVENT, SENDER, TOKENS
from tests.ingress.listening import Listening, listening

REPORT = ("report", "deployment", "--service", "checkout", "--environment", "production", "--id", "1")
ATTRIBUTE = ("attribute", "github:1234", "--not-failed")


@pytest.fixture
async def ingress() -> AsyncIterator[Listening]:
    async with listening(callers=TOKENS) as ingress:
        yield ingress


@pytest.fixture
def event(tmp_path: Path) -> str:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(EVENT))
    return str(file)


async def run(ingress: Listening, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    url = f"http://127.0.0.1:{ingress.port}"
    done = await asyncio.to_thread(dora, *arguments, DORA_INGRESS_URL=url, **settings)
    shown = [value for name, value in settings.items() if name == "DORA_TOKEN"]
    assert not [token for token in shown if token in done.stdout + done.stderr]
    return done


async def test_commands_show_their_token(ingress: Listening, event: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{SENDER}\n")
    ended = await asyncio.gather(
        run(ingress, "send", event, DORA_TOKEN=SENDER),
        run(ingress, *REPORT, DORA_TOKEN_FILE=str(file)),
        run(ingress, *ATTRIBUTE, DORA_TOKEN=CORRECTOR),
    )
    assert [done.returncode for done in ended] == [0, 0, 0], ended
    types = [read_record(record.headers, record.value).type for record in ingress.publisher.records]
    assert set(types) == {EVENT["type"], "dev.dora.report.deployment.v1", "dev.dora.attribution.set.v1"}


async def test_without_the_right_one_they_say_what_to_set(ingress: Listening, event: str) -> None:
    stranger = "a-wrong-token-0123456789"
    sent, reported, corrected = await asyncio.gather(
        run(ingress, "send", event, DORA_TOKEN=stranger),
        run(ingress, *REPORT, DORA_TOKEN=stranger),
        run(ingress, *ATTRIBUTE, DORA_TOKEN=SENDER),
    )
    assert [done.returncode for done in (sent, reported, corrected)] == [1, 1, 1]
    for done in (sent, reported):
        assert "401" in done.stderr
        assert "set DORA_TOKEN to one of the ingress's DORA_INGRESS_TOKENS" in done.stderr
    assert "403" in corrected.stderr
    assert "set DORA_TOKEN to one of the ingress's DORA_INGRESS_CORRECTION_TOKENS" in corrected.stderr
    assert ingress.publisher.records == []


async def test_a_file_that_is_not_there_is_told(ingress: Listening, event: str) -> None:
    done = await run(ingress, "send", event, DORA_TOKEN_FILE="/nowhere/token")
    assert (done.returncode, done.stderr) == (1, "dora: /nowhere/token: No such file or directory\n")


async def test_recorded_requests_keep_their_own_authorization(ingress: Listening, tmp_path: Path) -> None:
    recorded = {
        "path": "/cloudevents",
        "headers": [["Authorization", f"Bearer {SENDER}"], ["Content-Type", "application/cloudevents+json"]],
        "body": json.dumps(EVENT),
    }
    file = tmp_path / "recorded.jsonl"
    file.write_text(json.dumps(recorded))
    assert (await run(ingress, "send", str(file), DORA_TOKEN="another-0123456789abcdef")).returncode == 0
