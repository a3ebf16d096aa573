"""A flood of strangers keeps nobody out who belongs in."""

import asyncio
import json
import sys
import time
from pathlib import Path

import httpx
import pytest

from access.issuers import COOLDOWN
from schemas.topics import Topics
from tests.access.issuing import Answering, answering
from tests.infra.programs import ROOT, Program
from tests.infra.servers import Infra
from tests.ingress.calling import EVENT, SENDER, STRUCTURED

SECONDS = 5.0
RATE = 20  # requests a second with each of two good tokens
TIMES = 10  # requests of strangers for each authentic one
ROUNDS = 3  # the best one counts: what else this machine does in the meantime slows single ones
SLOWER = 10  # times, at most, at the 99th percentile: strangers, senders and the ingress share the cores

pytestmark = [pytest.mark.connected, pytest.mark.fault]


async def authentic(url: str, *tokens: str) -> float:
    """The 99th percentile, in seconds, of steady streams of requests, all of which have to be confirmed."""
    taken: list[float] = []
    async with httpx.AsyncClient(base_url=url, timeout=10) as client:

        async def send(token: str) -> None:
            began = time.monotonic()
            event = EVENT | {"id": f"{token[:8]}-{began}"}
            response = await client.post(
                "/", json=event, headers=STRUCTURED | {"authorization": f"Bearer {token}"}
            )
            assert response.status_code == 202
            taken.append(time.monotonic() - began)

        async with asyncio.TaskGroup() as group:
            for _ in range(int(SECONDS * RATE)):
                for token in tokens:
                    group.create_task(send(token))
                await asyncio.sleep(1 / RATE)
    return sorted(taken)[int(len(taken) * 0.99)]


async def flood(program: Program, issuer: Answering) -> dict[str, int]:
    """Strangers with nothing, with a guess, with what looks like a token, and with forged ones."""
    good = issuer.token()
    forged = f"{good[: good.rindex('.')]}.{'A' * 342}"
    tokens = ["", "guess-0123456789abcdef", "a.b.c", forged, issuer.token(number=1), issuer.token(exp=1)]
    port = (program.folder / "port").read_text().strip()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.ingress.flooding", port, str(SECONDS), str(TIMES * 2 * RATE), *tokens,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told, _ = await process.communicate()
    counted: dict[str, int] = json.loads(told)
    return counted


async def test_a13_a_flood_of_strangers_slows_nobody_down_who_is_known(
    infra: Infra, topics: Topics, tmp_path: Path
) -> None:
    async with answering() as issuer:
        program = Program(
            "ingress",
            tmp_path / "ingress",
            {
                "DORA_KAFKA": infra.kafka, "DORA_TOPIC_PREFIX": topics.prefix, "DORA_PORT": "0",
                "DORA_INGRESS_TOKENS": SENDER, "DORA_INGRESS_OIDC_ISSUER": issuer.url,
                "DORA_INGRESS_OIDC_AUDIENCE": "dora",
            },
        )  # fmt: skip
        program.start()
        try:
            await program.ready()
            rounds = [await one_round(program, issuer) for _ in range(ROUNDS)]
        finally:
            assert program.stop() == 0, program.log()
    assert min(busy / quiet for quiet, busy in rounds) < SLOWER
    assert issuer.asked_for_keys <= 1 + ROUNDS * SECONDS * 2 / COOLDOWN, "made-up tokens cause no questions"
    assert program.log().count('"request.refused"') <= ROUNDS * (SECONDS + 2), "nor a full disk"


async def one_round(program: Program, issuer: Answering) -> tuple[float, float]:
    """The 99th percentile in quiet, and under a flood whose every request is refused."""
    good = (SENDER, issuer.token())
    quiet = await authentic(program.url, *good)
    flooding = asyncio.create_task(flood(program, issuer))
    busy = await authentic(program.url, *good)
    strangers = await flooding
    print(f"p99 {quiet * 1000:.1f} ms, under the flood {busy * 1000:.1f} ms; strangers {strangers}")
    assert strangers == {"401": int(SECONDS * TIMES * 2 * RATE)}
    return quiet, busy
