"""From a POST to the answer: who writes the number, what it rests on, and what is carried along."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.topics import Topics
from tests.infra.pipelines import Pipeline, running
from tests.infra.production import count, fetch
from tests.infra.servers import Infra

pytestmark = pytest.mark.connected

DEPLOYED = "dev.cdevents.service.deployed.0.3.0"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

# In UTC the last two fall on the second of March; in Berlin and in Kolkata, elsewhere.
TIMES = ("2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z", "2026-03-02T23:30:00Z", "2026-03-02T18:45:00Z")

WITHOUT_MEASURE = (
    "from streams.agents import measure\nmeasure.handle = lambda *_: __import__('asyncio').sleep(0)"
)


async def post_deployments(pipeline: Pipeline) -> None:
    for number, time in enumerate(TIMES):
        document = {
            "context": {
                "specversion": "0.5.1",
                "id": f"d{number}",
                "source": "/ci",
                "type": DEPLOYED,
                "timestamp": time,
            },
            "subject": {
                "id": "checkout",
                "content": {
                    "environment": {"id": "production"},
                    "artifactId": f"pkg:oci/checkout@1.{number}",
                },
            },
        }
        headers = {
            "ce-specversion": "1.0",
            "ce-id": f"d{number}",
            "ce-source": "/ci",
            "ce-type": DEPLOYED,
            "content-type": "application/json",
            "traceparent": TRACE,
        }
        answer = await pipeline.post("/cdevents", headers, json.dumps(document).encode())
        assert answer.status_code == 202, answer.text
    await pipeline.settled()


def days(answer: list[dict[str, Any]]) -> dict[str, int]:
    return {row["Time"]: row["Deployments"] for row in answer}


async def test_the_windowed_tables_answer_alone_and_agree_with_counting(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
) -> None:
    async with running(infra, topics, database, tmp_path) as pipeline:
        await post_deployments(pipeline)
        answer = await pipeline.ask("/deploy-frequency/day")
        assert days(answer) == {"2026-03-01T00:00:00Z": 2, "2026-03-02T00:00:00Z": 2}
        # The same zone by another name counts the table of deployments: both must agree.
        assert days(await pipeline.ask("/deploy-frequency/day?timezone=Europe/Lisbon")) == {
            "2026-03-01T00:00:00+00:00": 2,
            "2026-03-02T00:00:00+00:00": 2,
        }
        assert days(await pipeline.ask("/deploy-frequency/day?timezone=Asia/Kolkata")) == {
            "2026-03-01T00:00:00+05:30": 2,
            "2026-03-03T00:00:00+05:30": 2,
        }
        await fetch(database, "TRUNCATE deployments")
        assert await pipeline.ask("/deploy-frequency/day") == answer
        assert await pipeline.ask("/deploy-frequency/day?timezone=Asia/Kolkata") == []


async def test_nobody_else_writes_the_frequency(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
) -> None:
    async with running(infra, topics, database, tmp_path, worker_before=WITHOUT_MEASURE) as pipeline:
        await post_deployments(pipeline)
        assert await count(database, "deployments") == len(TIMES)
        assert await count(database, "deployment_frequency") == 0
        assert await pipeline.ask("/deploy-frequency/day") == []


async def test_the_trace_context_and_the_lineage_lead_from_the_event_to_the_number(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
) -> None:
    async with running(infra, topics, database, tmp_path) as pipeline:
        await post_deployments(pipeline)
        for table in ("cloudevents_raw", "cdevents_raw"):
            rows = await fetch(database, f"SELECT DISTINCT traceparent FROM {table}")  # noqa: S608
            assert [row["traceparent"] for row in rows] == [TRACE]
        event = await pipeline.ask("/v1/events?source=/ci&id=d0")
        assert event["fate"] == "mapped"
        shown = json.dumps(event)
        assert DEPLOYED in shown
        assert "checkout" in shown
        metric = await pipeline.ask(
            "/v1/metrics/deployment-frequency?service=checkout&bucket=day&from=2026-03-01T00:00:00Z&to=2026-03-03T00:00:00Z"
        )
        assert [point["sample_count"] for point in metric["points"]] == [2, 2]
        evidence = await pipeline.ask(metric["points"][0]["evidence"])
        assert [item["time_created"][:10] for item in evidence["items"]] == ["2026-03-01"] * 2
