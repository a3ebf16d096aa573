"""The web-hook handshake (CloudEvents 1.0.2, http-webhook.md, section 4)."""

import pytest

from ingress.settings import Settings
from tests.ingress.recording import Ingress, running

PATHS = ["/", "/cloudevents", "/cdevents"]
ORIGIN = "webhook-request-origin"


@pytest.mark.parametrize("path", PATHS)
async def test_consent(ingress: Ingress, path: str):
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
async def test_no_consent_without_one_origin(ingress: Ingress, headers: list[tuple[str, str]]):
    response = await ingress.client.options("/", headers=headers)
    assert response.status_code == 200
    assert not consents(response)


async def test_named_origins_only():
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
async def test_the_granted_rate_is_at_most_ours(asked: str, granted: str):
    async with running(Settings(webhook_rate=60)) as ingress:
        response = await ingress.client.options(
            "/", headers={ORIGIN: "a.example.com", "webhook-request-rate": asked}
        )
        assert response.headers["webhook-allowed-rate"] == granted


async def test_a_callback_is_never_fetched_and_counted(ingress: Ingress):
    headers = {ORIGIN: "a.example.com", "webhook-request-callback": "http://169.254.169.254/"}
    assert consents(await ingress.client.options("/", headers=headers))
    assert ingress.counter("handshakes_total", outcome="callback_ignored") == 1


async def test_other_endpoints_have_no_handshake(ingress: Ingress):
    assert (await ingress.client.options("/healthz", headers={ORIGIN: "a.example.com"})).status_code == 405
