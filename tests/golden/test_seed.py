"""The replaced system's own events through this pipeline, and its answer beside ours.

``tests/fixtures/seed-golden`` holds nine events, and what the upstream's tables and endpoint held after they
were sent to it. Each difference is named below, with its reason.
"""

import json
from pathlib import Path

import pytest

from schemas.topics import Topics
from tests.infra.pipelines import running
from tests.infra.production import fetch
from tests.infra.servers import Infra

pytestmark = pytest.mark.connected

GOLDEN = Path(__file__).parents[1] / "fixtures" / "seed-golden"

# What the upstream answered and we do not, by name, day and reason.
DIFFERENCES = {
    ("nginx-deployment", "2023-08-06T00:00:00Z"): (
        "e3 scales the same ReplicaSet of the same object up again: that is no new rollout;"
        " the upstream counts any Event on a Deployment once per object and day"
    ),
    ("nginx-deployment", "2023-08-07T00:00:00Z"): (
        "e8 is a FailedCreate: nothing was deployed; the upstream does not look at an Event's reason"
    ),
}

# e1, e2, e3 tell of one rollout, e4 and e5 of another: the first to come is mapped, the rest may be known.
FATES = {
    "e1": ("mapped", ""),
    "e2": ("mapped or ignored", ""),
    "e3": ("mapped or ignored", ""),
    "e4": ("mapped or ignored", ""),
    "e5": ("mapped or ignored", ""),
    "e6": ("ignored", "Pod"),
    "e7": ("mapped", ""),
    "e8": ("ignored", "FailedCreate"),
}


def events() -> list[bytes]:
    return (GOLDEN / "events.jsonl").read_bytes().splitlines()


def answered(name: str) -> set[tuple[str, str, int]]:
    return {
        (row["DeployName"], row["Time"], row["Deployments"])
        for row in json.loads((GOLDEN / name).read_text())
    }


async def test_the_answer_is_the_upstreams_but_for_the_named_differences(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
) -> None:
    async with running(infra, topics, database, tmp_path) as pipeline:
        for event in events():
            answer = await pipeline.post("/", {"content-type": "application/cloudevents+json"}, event)
            assert answer.status_code == 202
        await pipeline.settled()
        ours = await pipeline.ask("/deploy-frequency/day")
    upstream = answered("deploy-frequency-day.json")
    assert {tuple(row) for row in ours} == {("DeployName", "Deployments", "Time")}
    found = {(row["DeployName"], row["Time"], row["Deployments"]) for row in ours}
    assert found < upstream
    assert {(name, time) for name, time, _ in upstream - found} == DIFFERENCES.keys()
    assert ours == sorted(ours, key=lambda row: (row["Time"], row["DeployName"]))


async def test_each_event_is_kept_once_with_a_fate_that_says_why(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
) -> None:
    async with running(infra, topics, database, tmp_path) as pipeline:
        for event in events():
            await pipeline.post("/", {"content-type": "application/cloudevents+json"}, event)
        await pipeline.settled()
    rows = await fetch(database, "SELECT id, fate, reason FROM cloudevents_raw ORDER BY id")
    # Nine were sent; e2 came twice, and the upstream stored it twice.
    assert [row["id"] for row in rows] == sorted(FATES)
    for row in rows:
        fate, word = FATES[row["id"]]
        assert row["fate"] in fate.split(" or "), (row["id"], row["reason"])
        assert word in (row["reason"] or "")


async def test_what_the_upstreams_functions_emit_is_counted(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
) -> None:
    """Its CDEvents are of version 0.1: posted to /cdevents, they are upgraded and counted by its own rule."""
    recorded = json.loads((GOLDEN / "cdevents_raw.json").read_text())
    async with running(infra, topics, database, tmp_path) as pipeline:
        for document in recorded:
            context = document["context"]
            headers = {
                "ce-specversion": "1.0",
                "ce-id": context["id"],
                "ce-source": context["source"],
                "ce-type": context["type"],
                "content-type": "application/json",
            }
            answer = await pipeline.post("/cdevents", headers, json.dumps(document).encode())
            assert answer.status_code == 202, answer.text
        await pipeline.settled()
        ours = await pipeline.ask("/deploy-frequency/day")
    # Each of the seven CDEvents is a deployment of its own here: they carry no deploy_id, and the upstream's
    # artifactId is the object's uid, which stays the same over rollouts.
    assert sum(row["Deployments"] for row in ours) == len(recorded)
    assert {(row["DeployName"], row["Time"]) for row in ours} == {
        (name, time) for name, time, _ in answered("deploy-frequency-day.json")
    }
