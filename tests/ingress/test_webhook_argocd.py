"""Argo CD's notifications: what is authentic, and the CloudEvent that a notification becomes."""

import base64
import hashlib
import json
from typing import Any

import pytest

from ingress.webhooks.argocd import provider
from ingress.webhooks.provider import Unauthenticated, WebhookRequest
from schemas.cloudevents.attributes import check
from schemas.cloudevents.event import InvalidCloudEvent

NOW = 1_767_225_600.0
SECRET = b"correct horse"
METADATA = {"name": "checkout", "namespace": "argocd"}


def request(body: bytes = b"{}", **headers: str) -> WebhookRequest:
    return WebhookRequest(headers, body, NOW)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_a8_a_bearer_token_or_a_password_is_accepted_and_each_of_two_while_one_is_replaced():
    provider.authenticate(request(authorization="Bearer correct horse"), [b"new", SECRET])
    provider.authenticate(request(authorization="Bearer new"), [b"new", SECRET])
    provider.authenticate(request(authorization=basic("argocd", "correct horse")), [SECRET])


@pytest.mark.parametrize(
    "told",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer correct",
        "Bearer correct horse ",
        "correct horse",
        basic("argocd", "wrong"),
        "Basic correct horse",
        "Bearer \u2603",
    ],
)
def test_a6_anything_else_is_refused(told: str):
    with pytest.raises(Unauthenticated):
        provider.authenticate(request(authorization=told), [SECRET])


@pytest.mark.parametrize("secrets", [[], [b""], [b" "]])
def test_a4_without_a_secret_nobody_is_let_in(secrets: list[bytes]):
    for told in ("Bearer ", "Bearer", "Bearer  ", basic("", "")):
        with pytest.raises(Unauthenticated):
            provider.authenticate(request(authorization=told), secrets)


def translated(told: Any) -> dict[str, Any]:
    body = json.dumps(told).encode()
    event = provider.translate(request(body))
    check(dict(event.attributes))
    assert event.body == body
    assert event.id == hashlib.sha256(body).hexdigest()  # sent again unchanged, it is the same event
    return dict(event.attributes)


@pytest.mark.parametrize(
    ("told", "source", "subject", "time"),
    [
        (
            {
                "timestamp": "2026-03-02T10:00:00Z",
                "context": {"argocdUrl": "https://argocd.example.com"},
                "app": {"metadata": METADATA},
            },
            "https://argocd.example.com",
            "argocd/checkout",
            "2026-03-02T10:00:00Z",
        ),
        ({"app": {"metadata": METADATA}}, "/argocd", "argocd/checkout", "2026-01-01T00:00:00Z"),
        (
            {"kind": "Application", "metadata": {"name": "checkout"}},
            "/argocd",
            "checkout",
            "2026-01-01T00:00:00Z",
        ),
        (
            {"context": {"argocdUrl": "not an address"}, "app": []},
            "/argocd",
            None,
            "2026-01-01T00:00:00Z",
        ),
    ],
)
def test_a_notification_is_an_event_of_its_argo_cd(told: Any, source: str, subject: str | None, time: str):
    attributes = translated(told)
    assert attributes["type"] == "io.argoproj.application"
    assert (attributes["source"], attributes.get("subject"), attributes["time"]) == (source, subject, time)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"text of a template"])
def test_what_is_no_object_is_no_event(body: bytes):
    with pytest.raises(InvalidCloudEvent):
        provider.translate(request(body))
