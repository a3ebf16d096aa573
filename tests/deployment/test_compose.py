"""docker-compose.yml, really run: events in, answers out, a killed worker, three workers, tokens and keys."""

import time
from collections.abc import Callable
from uuid import uuid4

import asyncpg
import httpx
import pytest

from deploy.embedded.probes import in_thread
from tests.deployment.compose import Compose
from tests.deployment.engine import docker
from tests.deployment.kubernetes import objects, render
from tests.deployment.test_grafana import EXPRESSIONS
from tests.infra.commands import dora
from tests.infra.databases import execute
from tests.infra.production import count, fetch

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]


def post(compose: Compose, service: str, numbers: range) -> None:
    """Tell of deployments of a service, one event for each number; each must be confirmed."""
    with httpx.Client(base_url=compose.url("INGRESS_PORT"), timeout=30) as client:
        for number in numbers:
            body = {
                "context": {
                    "specversion": "0.5.1",
                    "id": f"{service}-{number}",
                    "source": "/compose",
                    "type": "dev.cdevents.service.deployed.0.3.0",
                    "timestamp": "2026-03-02T09:00:00Z",
                },
                "subject": {
                    "id": service,
                    "content": {
                        "environment": {"id": "production"},
                        "artifactId": f"pkg:oci/{service}@{number}",
                    },
                },
            }
            headers = {
                "ce-specversion": "1.0",
                "ce-id": f"{service}-{number}",
                "ce-source": "/compose",
                "ce-type": "dev.cdevents.service.deployed.0.3.0",
            }
            assert client.post("/cdevents", headers=headers, json=body).status_code == 202


def counted(compose: Compose, service: str) -> int:
    """Deployments that the query API answers with."""
    url = compose.url("QUERY_PORT")
    rows = httpx.get(f"{url}/deploy-frequency/day", params={"service": service}, timeout=10).json()
    return sum(row["Deployments"] for row in rows)


def wait_for(check: Callable[[], bool], what: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


def test_events_are_counted_once_through_kills_and_scaling(compose: Compose):
    compose.up()
    post(compose, "checkout", range(40))
    wait_for(lambda: counted(compose, "checkout") == 40, "40 deployments")

    (worker,) = compose.containers("worker")
    docker("kill", worker["ID"])
    post(compose, "checkout", range(20, 60))  # half of them again
    assert counted(compose, "checkout") == 40

    compose.up("--scale", "worker=3")
    post(compose, "payments", range(40))
    wait_for(lambda: counted(compose, "checkout") == 60, "what came while no worker was there")
    wait_for(lambda: counted(compose, "payments") == 40, "three workers")
    workers = compose.containers("worker")
    assert [each["Health"] for each in workers] == ["healthy"] * 3

    compose.run("down", "--timeout", "20")
    compose.up()
    assert (counted(compose, "checkout"), counted(compose, "payments")) == (60, 40)


def test_ports_are_bound_to_this_machine_alone(compose: Compose):
    for service in ("kafka", "postgres", "ingress", "query"):
        (container,) = compose.containers(service)
        assert {each["URL"] for each in container["Publishers"] if each["PublishedPort"]} <= {"127.0.0.1"}


def test_the_jobs_ended_well(compose: Compose):
    for job in ("roles", "migrate", "topics"):
        assert [each["ExitCode"] for each in compose.containers(job)] == [0]


def test_the_readers_cannot_write(compose: Compose):
    port = compose.ports["POSTGRES_PORT"]
    for role, password in (
        ("dora_query", "DORA_READER_PASSWORD"),
        ("dora_grafana", "DORA_DASHBOARDS_PASSWORD"),
    ):
        dsn = f"postgresql://{role}:{compose.passwords[password]}@127.0.0.1:{port}/dora"
        with pytest.raises(asyncpg.PostgresError, match=r"permission denied|read-only"):
            in_thread(execute(dsn, "BEGIN READ WRITE; DELETE FROM deployments"))


def test_s1_processes_run_without_rights(compose: Compose):
    for service in ("ingress", "worker", "query"):
        (container,) = compose.containers(service)
        told = docker(
            "inspect",
            "--format",
            "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}"
            " {{.HostConfig.SecurityOpt}}",
            container["ID"],
        )
        assert told == "10001:10001 true [ALL] [no-new-privileges:true]"


def test_the_demo_prints_the_metrics(compose: Compose):
    told = compose.run("--profile", "demo", "run", "--rm", "--no-deps", "-T", "demo")
    assert "checkout" in told
    assert "elite" in told


def test_prometheus_finds_every_process(compose: Compose):
    if "prometheus" in compose.left_out:
        pytest.skip("the Docker engine cannot get the image of Prometheus")

    def up() -> set[str]:
        answer = httpx.get(
            f"{compose.url('PROMETHEUS_PORT')}/api/v1/query", params={"query": "up == 1"}
        ).json()
        return {each["metric"]["job"] for each in answer["data"]["result"]}

    wait_for(lambda: up() == {"dora-ingress", "dora-worker", "dora-query"}, "three jobs")


def test_every_panel_over_prometheus_shows_something(compose: Compose):
    if "prometheus" in compose.left_out:
        pytest.skip("the Docker engine cannot get the image of Prometheus")
    url = compose.url("INGRESS_PORT")
    assert httpx.post(f"{url}/cloudevents", content=b"no event").status_code == 415
    for data in ({"a": 1}, {"a": 2}):  # one id, other data: a dead letter
        event = {
            "specversion": "1.0",
            "id": "twice",
            "source": "/compose",
            "type": "com.example",
            "data": data,
        }
        headers = {"content-type": "application/cloudevents+json"}
        assert httpx.post(f"{url}/cloudevents", headers=headers, json=event).status_code == 202

    def empty() -> list[str]:
        return [title for title, expression in EXPRESSIONS if not result(compose, expression)]

    wait_for(lambda: empty() == [], "every panel", seconds=120)


def result(compose: Compose, expression: str) -> list[object]:
    """What Prometheus answers; an expression that it cannot read fails."""
    query = expression.replace("$__rate_interval", "5m")
    answer = httpx.get(f"{compose.url('PROMETHEUS_PORT')}/api/v1/query", params={"query": query}).json()
    assert answer["status"] == "success", answer
    found: list[object] = answer["data"]["result"]
    return found


def test_grafana_has_the_dashboards(compose: Compose):
    if "grafana" in compose.left_out:
        pytest.skip("the Docker engine cannot get the image of Grafana")
    found = httpx.get(
        f"{compose.url('GRAFANA_PORT')}/api/search",
        params={"type": "dash-db"},
        auth=("admin", compose.passwords["GRAFANA_PASSWORD"]),
    ).json()
    assert {each["uid"] for each in found} == {"dora-overview", "dora-service", "dora-pipeline"}


def test_with_tokens_and_keys_nobody_does_what_others_may(compose: Compose):
    """The settings that stand in .env for a port that is published further; last, because they stay."""
    token, correcting = uuid4().hex, uuid4().hex
    compose.environment |= {
        "INGRESS_OPEN": "false",
        "DORA_INGRESS_TOKENS": token,
        "DORA_INGRESS_CORRECTION_TOKENS": correcting,
        "DORA_QUERY_AUTH": "keys",
    }
    compose.up()
    ingress, query = compose.url("INGRESS_PORT"), compose.url("QUERY_PORT")

    def send(token: str, name: str) -> int:
        headers = {"ce-specversion": "1.0", "ce-id": name, "ce-source": "/compose", "ce-type": "com.example"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        return httpx.post(f"{ingress}/cloudevents", headers=headers, content=b"1", timeout=10).status_code

    assert [send("", "t0"), send("wrong", "t1"), send(token, "t2")] == [401, 401, 202]
    (deployment, *_) = deployments(compose)
    words = ("attribute", deployment, "--failed", "--ingress-url", ingress)
    assert dora(*words, DORA_TOKEN=token).returncode == 1, "who may send may not correct"
    assert dora(*words, DORA_TOKEN=correcting).returncode == 0

    key = compose.run("run", "--rm", "-T", "migrate", "keys", "create", "reader").strip()
    asked = [
        httpx.get(f"{query}/v1/services", headers=headers, timeout=10).status_code
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Bearer {key}"})
    ]
    assert asked == [401, 401, 200]
    port = compose.ports["POSTGRES_PORT"]
    owner = f"postgresql://dora:{compose.passwords['DORA_OWNER_PASSWORD']}@127.0.0.1:{port}/dora"
    wait_for(lambda: in_thread(count(owner, "corrections WHERE failed")) == 1, "the correction")

    # `helm test` asks the same of a cluster, where keys are asked for, too.
    program, urls = asked_by_helm()
    urls = [
        url.replace("dora-ingress/", "ingress:8080/").replace("dora-query/", "query:8081/") for url in urls
    ]
    python = ("--entrypoint", "/opt/dora/bin/python")
    told = compose.run("run", "--rm", "--no-deps", "-T", *python, "query", "-P", "-c", program, *urls[1:])
    assert told.splitlines() == [f"{urls[1]} 200", f"{urls[2]} 401"]


def deployments(compose: Compose) -> list[str]:
    """The ids of deployments that are recorded."""
    port = compose.ports["POSTGRES_PORT"]
    owner = f"postgresql://dora:{compose.passwords['DORA_OWNER_PASSWORD']}@127.0.0.1:{port}/dora"
    found = in_thread(fetch(owner, "SELECT deploy_id FROM deployments WHERE counted ORDER BY 1"))
    return [row["deploy_id"] for row in found]


def asked_by_helm() -> tuple[str, list[str]]:
    """The program of the chart's test, and the URLs that it is given."""
    (pod,) = [each for each in objects(render({})) if each["kind"] == "Pod"]
    _, _, _, program, *urls = pod["spec"]["containers"][0]["command"]
    return program, urls
