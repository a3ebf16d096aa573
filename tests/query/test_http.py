"""HTTP itself: addresses, methods, problem documents, headers, the page."""

import re

import pytest
import structlog

from query.app import ROUTES, create_app
from query.database import Database
from query.metrics import metrics
from query.settings import Settings
from schemas.catalog import Catalog
from schemas.problems import MEDIA_TYPE
from tests.query.client import client_of

GETS = ["/", "/healthz", "/readyz", "/metrics", "/deploy-frequency/day", "/v1/metrics", "/v1/services"]


@pytest.mark.parametrize(
    "path",
    ["/nope", "/v1", "/v1/", "/v1/metrics/", "/deploy-frequency", "/deploy-frequency/day/", "/docs"],
)
async def test_what_there_is_not_is_404(offline, path):
    answer = await offline.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert (answer.json()["status"], answer.json()["type"]) == (404, "urn:dora:problem:not-found")


@pytest.mark.parametrize(
    "bucket", ["quarter", "hour", "DAY", "day;", "%00", "day%00", "'", "%2e%2e", "x" * 5000, "%ff"]
)
async def test_an_unknown_bucket_is_404(offline, bucket):
    answer = await offline.get(f"/deploy-frequency/{bucket}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, MEDIA_TYPE)


@pytest.mark.parametrize("path", GETS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nothing_can_be_changed(offline, path, method):
    answer = await offline.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert answer.headers["content-type"] == MEDIA_TYPE


async def test_no_address_is_unused():
    app = create_app(Settings(postgres="postgresql://127.0.0.1:1/none"), Catalog.empty())
    described = app.openapi()["paths"]
    routes = [route for module in ROUTES for route in module.router.routes]
    assert {route.path for route in routes if route.include_in_schema} == described.keys()
    assert {operation for item in described.values() for operation in item} == {"get"}


async def test_every_metric_has_an_address(offline):
    listed = (await offline.get("/v1/metrics")).json()["items"]
    assert [item["name"] for item in listed] == [metric.name for metric in metrics()]
    assert "deployment-frequency" in [item["name"] for item in listed]
    for item in listed:
        assert item.keys() == {"name", "definition", "unit", "edition", "url"}
        assert (await offline.get(item["url"])).status_code == 503  # there, but without PostgreSQL


async def test_a_problem_carries_the_trace_of_the_caller(offline):
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    answer = await offline.get("/nope", headers={"traceparent": traceparent})
    assert answer.json()["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize("traceparent", ["", "x", "00-ZZ-1-1", "00-4bf92f3577b34da6a3ce929d0e0e4736"])
async def test_a_problem_without_a_usable_trace_gets_its_own(offline, traceparent):
    answers = [await offline.get("/nope", headers={"traceparent": traceparent}) for _ in range(2)]
    ids = {answer.json()["trace_id"] for answer in answers}
    assert len(ids) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)


async def test_q9_a_fault_of_ours_tells_the_caller_an_id_and_the_log_everything(monkeypatch):
    def broken(self):
        raise RuntimeError("SELECT secret FROM vault")

    monkeypatch.setattr(Database, "reading", broken)
    app = create_app(Settings(postgres="postgresql://127.0.0.1:1/none"), Catalog.empty())
    with structlog.testing.capture_logs() as logs:
        async with client_of(app) as client:
            answer = await client.get("/v1/services")
            counted = (await client.get("/metrics")).text
    assert answer.status_code == 500
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert "SELECT" not in answer.text
    assert "Traceback" not in answer.text
    (entry,) = [entry for entry in logs if entry["event"] == "request.failed"]
    assert entry["trace_id"] == answer.json()["trace_id"]
    assert "SELECT secret FROM vault" in entry["traceback"]
    assert 'dora_query_requests_total{method="GET",route="/v1/services",status="500"} 1.0' in counted


@pytest.mark.connected
async def test_q9_an_error_of_postgres_is_told_by_an_id_alone(api, database, monkeypatch):
    """Each of these is a real refusal of the real server, with the statement in its message."""
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    for fault, status in (
        ("SELECT 1 / 0 AS secret_column", 500),
        ("SELECT 'vault'::integer", 500),
        ("SELEC secret_column FROM vault", 500),
        ("SELECT secret_column FROM vault", 503),
        ("SELECT secret_column FROM deployments", 503),
        ("INSERT INTO deployments DEFAULT VALUES", 500),
    ):
        monkeypatch.setattr("query.database.statement", lambda _, fault=fault: fault)
        answer = await api.get("/v1/metrics/deployment-frequency", headers={"traceparent": traceparent})
        assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE), fault
        assert answer.json()["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
        assert answer.json().keys() == {"type", "title", "status", "detail", "trace_id"}
        told = (answer.text + str(answer.headers)).lower()
        for word in (
            "select",
            "secret",
            "vault",
            "deployments",
            "insert",
            "traceback",
            "asyncpg",
            "python",
            "18.",
        ):
            assert word not in told, (fault, told)


@pytest.mark.parametrize("path", ["/healthz", "/v1/metrics", "/nope", "/v1/services", "/v1/services?x=1"])
async def test_browsers_are_told_to_be_careful(offline, path):
    headers = (await offline.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["referrer-policy"] == "no-referrer"


async def test_requests_are_counted_by_route_and_not_by_path(offline):
    for path in ["/v1/services?x=1", "/v1/services?y=2", *(f"/guess/{number}" for number in range(50))]:
        await offline.get(path)
    await offline.request("BREW", "/healthz")
    counted = (await offline.get("/metrics")).text
    assert 'dora_query_requests_total{method="GET",route="/v1/services",status="422"} 2.0' in counted
    assert 'dora_query_requests_total{method="GET",route="none",status="404"} 50.0' in counted
    assert "guess" not in counted
    assert 'dora_query_requests_total{method="other",route="/healthz",status="405"} 1.0' in counted
    assert "BREW" not in counted


async def test_the_description_is_openapi_and_names_problems_everywhere(offline):
    answer = await offline.get("/openapi.json")
    description = answer.json()
    assert description["openapi"].startswith("3.")
    parameters = description["paths"]["/v1/metrics/deployment-frequency"]["get"]["parameters"]
    assert [each["name"] for each in parameters] == [
        "from",
        "to",
        "service",
        "team",
        "environment",
        "bucket",
        "timezone",
        "by",
        "compare",
        "format",
    ]
    assert not any(each["required"] for each in parameters)
    refused = description["paths"]["/v1/deployments"]["get"]["responses"]["422"]["content"]
    assert list(refused) == [MEDIA_TYPE]
