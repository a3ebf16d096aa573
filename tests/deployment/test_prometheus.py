"""A real Prometheus over the real processes: every panel shows something, and every rule can be evaluated.

The processes run on the embedded parts or in containers, as everything connected does; the compose file's own
Prometheus is looked at in test_compose.py.
"""

import json
import math
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import yaml

from deploy.embedded.ports import free_port
from schemas.topics import Topics
from tests.deployment.kubernetes import ROOT, needs, objects, render
from tests.deployment.test_grafana import EXPRESSIONS
from tests.infra.pipelines import Pipeline, running
from tests.infra.production import eventually
from tests.infra.servers import Infra

pytestmark = [pytest.mark.connected, pytest.mark.partitions(2), pytest.mark.timeout(180)]
NAMESPACE, RELEASE = "dora", "dora"
CDEVENT = {
    "context": {
        "specversion": "0.5.1",
        "source": "/watched",
        "type": "dev.cdevents.service.deployed.0.3.0",
        "timestamp": "2026-03-02T09:00:00Z",
    },
    "subject": {
        "id": "web",
        "content": {"environment": {"id": "production"}, "artifactId": "pkg:oci/web@1"},
    },
}


class Prometheus:
    """One that looks at three processes each second, as the compose file's does under the same names."""

    def __init__(self, folder: Path, processes: dict[str, str]) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.folder = folder
        targets = [
            {
                "job_name": f"dora-{name}",
                "static_configs": [
                    {
                        "targets": [url.removeprefix("http://")],
                        "labels": {"namespace": NAMESPACE, "service": f"{RELEASE}-{name}"},
                    }
                ],
            }
            for name, url in processes.items()
        ]
        self.settings = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(ROOT / "deploy/prometheus/alerts.yml")],
            "scrape_configs": targets,
        }

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it; see ``ask``."""
        self.folder.mkdir()
        (self.folder / "prometheus.yml").write_text(json.dumps(self.settings))
        return subprocess.Popen(
            [
                "prometheus",
                f"--config.file={self.folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={self.folder / 'data'}",
                f"--web.listen-address={self.url.removeprefix('http://')}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("wb"),
        )

    async def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer; what Prometheus cannot read fails."""
        async with httpx.AsyncClient(base_url=self.url, timeout=10) as client:
            answer = (await client.get(path, params=parameters)).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    async def values(self, expression: str) -> list[float]:
        """What an expression is now, without what is no number."""
        query = expression.replace("$__rate_interval", "30s")
        found = (await self.ask("/api/v1/query", query=query))["result"]
        return [value for each in found if math.isfinite(value := float(each["value"][1]))]


@asynccontextmanager
async def watching(pipeline: Pipeline, folder: Path) -> AsyncIterator[Prometheus]:
    """A Prometheus that sees all three processes."""
    programs = {"ingress": pipeline.ingress, "worker": pipeline.worker, "query": pipeline.query}
    prometheus = Prometheus(folder, {name: each.url for name, each in programs.items()})
    process = prometheus.start()

    async def sees_all() -> bool:
        try:
            return await prometheus.values("sum(up)") == [3]
        except httpx.TransportError:
            assert process.poll() is None, (folder / "log").read_text()
            return False

    try:
        await eventually(sees_all, 30, "three processes that are up")
        yield prometheus
    finally:
        process.kill()
        process.wait()


async def send(pipeline: Pipeline, number: int) -> None:
    """Something of everything that the panels show: accepted, refused, a conflict, a question."""
    name = f"watched-{number}"
    body = CDEVENT | {"context": {**CDEVENT["context"], "id": name}}
    headers = {
        "ce-specversion": "1.0",
        "ce-id": name,
        "ce-source": "/watched",
        "ce-type": "dev.cdevents.service.deployed.0.3.0",
    }
    assert (await pipeline.post("/cdevents", headers, orjson.dumps(body))).status_code == 202
    assert (await pipeline.post("/cloudevents", {}, b"no event")).status_code == 415
    for data in (b"1", b"2"):  # one id, other data
        headers = {"ce-specversion": "1.0", "ce-id": name, "ce-source": "/other", "ce-type": "com.example"}
        assert (await pipeline.post("/cloudevents", headers, data)).status_code == 202
    await pipeline.ask("/deploy-frequency/day")


async def test_every_panel_and_rule_works_in_prometheus(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
):
    needs("prometheus")
    async with running(infra, topics, database, tmp_path) as pipeline:
        # A counter shows an increase only after it was seen: two rounds with a look between.
        await send(pipeline, 0)
        async with watching(pipeline, tmp_path / "prometheus") as prometheus:
            sent = 0
            empty: list[str] = []

            async def every_panel_has_values() -> bool:
                nonlocal sent
                sent += 1
                await send(pipeline, sent)
                empty[:] = [title for title, each in EXPRESSIONS if not await prometheus.values(each)]
                return not empty

            await eventually(every_panel_has_values, 60, f"values in {empty}")
            assert await prometheus.values(keda_query()), "KEDA would see no lag"
            groups = (await prometheus.ask("/api/v1/rules"))["groups"]
            rules = [rule for group in groups for rule in group["rules"]]
            told = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
            assert len(rules) == sum(len(group["rules"]) for group in told)
            assert {(rule["health"], rule.get("lastError")) for rule in rules} <= {("ok", None), ("ok", "")}


def keda_query() -> str:
    """What the chart has KEDA ask Prometheus, when workers follow the lag."""
    values = {"worker": {"autoscaling": {"kind": "keda", "prometheus": "http://prometheus:9090"}}}
    rendered = objects(render(values, RELEASE))
    (scaled,) = [each for each in rendered if each["kind"] == "ScaledObject"]
    query: str = scaled["spec"]["triggers"][0]["metadata"]["query"]
    return query
