"""The upstream's nine sample events: what we make of them, and why it differs from what the upstream made."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from schemas.cloudevents.http import read_message
from tests.kubernetes.recorded import Played

FOLDER = Path(__file__).parents[1] / "fixtures" / "seed-golden"
STRUCTURED = [(b"content-type", b"application/cloudevents+json")]


def played() -> Played:
    lines = (FOLDER / "events.jsonl").read_bytes().splitlines()
    return Played().play(event for line in lines for event in read_message(STRUCTURED, line).events)


def upstream() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((FOLDER / "deploy-frequency-day.json").read_text())
    return rows


def test_one_rollout_is_one_deployment_however_many_events_tell_of_it():
    """The upstream counts nginx-deployment on each of three days; all its Events name one ReplicaSet."""
    days = Counter(row["DeployName"] for row in upstream())
    assert days["nginx-deployment"] == 3
    rows = [row for row in played().deployments.values() if row.deploy_name == "nginx-deployment"]
    assert [row.time_created.isoformat() for row in rows] == ["2023-08-05T10:00:00+00:00"]


def test_what_creates_no_pods_is_no_deployment():
    """The upstream counts any Event about a Deployment, also one with the reason FailedCreate."""
    fates = Counter((fate.fate, fate.reason) for fate in played().fates)
    assert fates["ignored", "a FailedCreate Event about a Deployment tells of no new ReplicaSet"] == 1


def test_the_rest_is_counted_as_the_upstream_does():
    ours = {(row.deploy_name, row.time_created.date().isoformat()) for row in played().deployments.values()}
    theirs = {(row["DeployName"], row["Time"][:10]) for row in upstream()}
    later_days = {("nginx-deployment", "2023-08-06"), ("nginx-deployment", "2023-08-07")}
    assert theirs - ours == later_days
    assert ours <= theirs
