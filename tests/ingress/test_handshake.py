"""The web-hook handshake (CloudEvents 1.0.2, http-webhook.md, section 4)."""

import asyncio

import pytest
from structlog.testing import capture_logs

from ingress.settings import Settings
from tests.ingress.recording import Ingress, running

PATHS = ["/", "/cloudevents", "/cdevents"]
ORIGIN = "webhook-request-origin"


@pytest.mark.parametrize("path", PATHS)
async def test_p4_consent(ingress: Ingress, path: str):
    response = await ingress.client.options(
        path, headers={ORIGIN: "emitter.example.com", "webhook-request-rate": "120"}
    )
    assert response.status_code == 200
    assert response.headers["allow"] == "POST, OPTIONS"
    assert response.headers["webhook-allowed-origin"] == "*"
    assert response.headers["webhook-allowed-rate"] == "*"
    assert ingress.counter("handshakes_total", outcome="granted") == 1
    assert ingress.counter("requests_total") == 0


def consents(response) -> bool:
    return any(name.startswith("webhook-") for name in response.headers)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(ORIGIN, "")],
        [(ORIGIN, "a.example.com"), (ORIGIN, "b.example.com")],
        [(ORIGIN, "a.example.com, b.example.com")],
        [(ORIGIN, "a.example.com\tx")],
        [(ORIGIN, "<script>")],
        [(ORIGIN, "a" * 300)],
        [("webhook-request-callback", "http://169.254.169.254/latest")],
    ],
)
async def test_p5_no_consent_without_one_origin(ingress: Ingress, headers: list[tuple[str, str]]):
    response = await ingress.client.options("/", headers=headers)
    assert response.status_code == 200
    assert not consents(response)


async def test_p4_p5_named_origins_only():
    settings = Settings(webhook_origins="a.example.com, B.example.com")
    async with running(settings) as ingress:
        for origin, expected in (
            ("b.Example.com", True),
            ("c.example.com", False),
            ("xa.example.com", False),
        ):
            response = await ingress.client.options("/", headers={ORIGIN: origin})
            assert consents(response) is expected
            assert response.headers.get("webhook-allowed-origin") == (origin if expected else None)


@pytest.mark.parametrize(
    ("asked", "granted"), [("20", "20"), ("1000", "60"), ("0", "60"), ("-1", "60"), ("x", "60")]
)
async def test_p4_the_granted_rate_is_at_most_ours(asked: str, granted: str):
    async with running(Settings(webhook_rate=60)) as ingress:
        response = await ingress.client.options(
            "/", headers={ORIGIN: "a.example.com", "webhook-request-rate": asked}
        )
        assert response.headers["webhook-allowed-rate"] == granted


@pytest.mark.parametrize("path", PATHS)
async def test_p6_a_callback_is_never_fetched_and_counted(ingress: Ingress, path: str):
    called = []

    async def answer(_: object, writer: asyncio.StreamWriter) -> None:
        called.append(1)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for url in (
            f"http://127.0.0.1:{port}/",
            "http://169.254.169.254/latest/meta-data",
            "file:///etc/passwd",
        ):
            headers = {ORIGIN: "a.example.com", "webhook-request-callback": url}
            with capture_logs() as logs:
                response = await ingress.client.options(path, headers=headers)
            assert consents(response)
            assert url not in str(response.headers) + response.text + str(logs)
            assert [each["event"] for each in logs] == ["handshake.callback_ignored"]
        await asyncio.sleep(0.2)
    assert called == []
    assert ingress.counter("handshakes_total", outcome="callback_ignored") == 3


async def test_other_endpoints_have_no_handshake(ingress: Ingress):
    assert (await ingress.client.options("/healthz", headers={ORIGIN: "a.example.com"})).status_code == 405
