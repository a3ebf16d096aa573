"""GitLab's web hooks: what is authentic, what is not, and the CloudEvent that a delivery becomes."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from ingress.webhooks.gitlab import provider
from ingress.webhooks.provider import Unauthenticated, WebhookRequest
from schemas.cloudevents.attributes import check
from schemas.cloudevents.event import InvalidCloudEvent
from tests.sources.payloads import payloads

NOW = 1_767_225_600.0
TOKEN = b"correct horse battery staple"
KEY = b"0123456789abcdef0123456789abcdef"
SIGNING = b"whsec_" + base64.b64encode(KEY)
BODY = b'{"object_kind": "push", "ref": "refs/heads/main"}'


def request(body: bytes = BODY, **headers: str) -> WebhookRequest:
    return WebhookRequest({name.replace("_", "-"): value for name, value in headers.items()}, body, NOW)


def signature(key: bytes = KEY, *, identity: str = "d-1", at: str = "1767225600", body: bytes = BODY) -> str:
    digest = hmac.digest(key, f"{identity}.{at}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def signed(body: bytes = BODY, **others: str) -> WebhookRequest:
    told = {"webhook_id": "d-1", "webhook_timestamp": "1767225600", "webhook_signature": signature()}
    return request(body, **{**told, **others})


def reason(of: WebhookRequest, *secrets: bytes) -> str:
    with pytest.raises(Unauthenticated) as refused:
        provider.authenticate(of, secrets)
    return refused.value.reason


def test_a8_the_secret_token_is_accepted_and_so_is_each_of_two_while_one_is_replaced():
    provider.authenticate(request(x_gitlab_token=TOKEN.decode()), [TOKEN])
    provider.authenticate(request(x_gitlab_token=TOKEN.decode()), [b"new", TOKEN])
    provider.authenticate(request(x_gitlab_token="new"), [b"new", TOKEN])
    assert reason(request(x_gitlab_token=TOKEN.decode()), b"new") == "mismatch"


def test_a_token_outside_of_ascii_is_compared_as_the_bytes_that_were_sent():
    sent = "schlüssel".encode().decode("latin-1")  # how a server hands on the bytes of a header
    provider.authenticate(request(x_gitlab_token=sent), ["schlüssel".encode()])
    assert reason(request(x_gitlab_token="schlüssel"), "schlüssel".encode()) == "mismatch"
    assert reason(request(x_gitlab_token="\u2603"), b"?") == "malformed"


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", "missing"),
        (" ", "mismatch"),
        ("wrong", "mismatch"),
        ("correct horse", "mismatch"),
        ("correct horse battery staple ", "mismatch"),
        ("Correct horse battery staple", "mismatch"),
        ("correct horse battery staplf", "mismatch"),
        ("x" * 1_000_000, "mismatch"),
    ],
)
def test_a6_another_token_is_refused(token: str, why: str):
    assert reason(request(x_gitlab_token=token), TOKEN) == why


def test_without_a_token_nothing_else_helps():
    assert reason(request(), TOKEN) == "missing"
    assert reason(request(authorization="Bearer correct horse battery staple"), TOKEN) == "missing"
    assert reason(request(x_hub_signature_256="sha256=" + "0" * 64), TOKEN) == "missing"


@pytest.mark.parametrize("secrets", [(), (b"",), (b" ",), (b"\n", b"")])
def test_a4_no_secret_or_an_empty_one_lets_nobody_in(secrets: tuple[bytes, ...]):
    for token in ("", " ", "\n", "anything"):
        assert reason(request(x_gitlab_token=token), *secrets) in ("missing", "mismatch")
    assert reason(signed(), *secrets) in ("missing", "mismatch")


def test_a_signature_of_the_signing_token_is_accepted():
    provider.authenticate(signed(), [SIGNING])
    provider.authenticate(signed(), [TOKEN, SIGNING])
    provider.authenticate(signed(), [b"whsec_" + base64.b64encode(b"new"), SIGNING])
    both = f"{signature(b'old')} {signature()}"
    provider.authenticate(signed(webhook_signature=both), [SIGNING])


@pytest.mark.parametrize("clock", ["1767225300", "1767225900"])
def test_a7_five_minutes_either_way_are_allowed(clock: str):
    told = signed(webhook_timestamp=clock, webhook_signature=signature(at=clock))
    provider.authenticate(told, [SIGNING])  # raises when it is not authentic


@pytest.mark.parametrize("clock", ["1767225299", "1767225901", "0", "999999999999"])
def test_a7_a_signature_from_another_time_is_stale(clock: str):
    told = signed(webhook_timestamp=clock, webhook_signature=signature(at=clock))
    assert reason(told, SIGNING) == "stale"


@pytest.mark.parametrize(
    "clock",
    ["nan", "1_767_225_600", "١٧٦٧٢٢٥٦٠٠", "1767225600.0", "-1767225600", "+1767225600", " 1767225600"],
)
def test_a7_a_timestamp_is_digits(clock: str):
    told = signed(webhook_timestamp=clock, webhook_signature=signature(at=clock))
    assert reason(told, SIGNING) == "malformed"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (signature(b"another key"), "mismatch"),
        (signature(body=BODY + b"\n"), "mismatch"),
        (signature(identity="d-2"), "mismatch"),
        (signature().replace("v1,", "v1"), "malformed"),
        (signature().replace("v1,", "v2,"), "malformed"),
        ("v1,", "mismatch"),
        ("v1,not base64!", "malformed"),
        ("v1,\u2603", "malformed"),
        (" ".join([signature()] * 50), "malformed"),
        ("x" * 1_000_000, "malformed"),
    ],
)
def test_a7_another_signature_is_refused(told: str, why: str):
    assert reason(signed(webhook_signature=told), SIGNING) == why


def test_a3_the_raw_bytes_are_signed():
    assert reason(signed(body=json.dumps(json.loads(BODY), indent=1).encode()), SIGNING) == "mismatch"


def test_a7_an_id_with_a_dot_could_be_another_request_and_is_refused():
    told = signed(webhook_id="d.1", webhook_signature=signature(identity="d.1"))
    assert reason(told, SIGNING) == "malformed"


@pytest.mark.parametrize("name", ["webhook_id", "webhook_timestamp", "webhook_signature"])
def test_a7_a_part_of_the_signature_that_is_empty_is_missing(name: str):
    assert reason(signed(**{name: ""}), SIGNING) == "missing"


def test_a_wrong_signature_is_not_saved_by_the_right_token():
    told = signed(webhook_signature=signature(b"another key"), x_gitlab_token=TOKEN.decode())
    assert reason(told, TOKEN, SIGNING) == "mismatch"


def test_while_the_hook_is_not_signed_yet_its_token_counts():
    provider.authenticate(request(x_gitlab_token=TOKEN.decode()), [TOKEN, SIGNING])
    provider.authenticate(signed(x_gitlab_token=TOKEN.decode()), [TOKEN])


def test_a_signing_token_is_no_password():
    assert reason(request(x_gitlab_token=SIGNING.decode()), SIGNING) == "mismatch"


@pytest.mark.parametrize("secret", [b"whsec_", b"whsec_not base64!", b"whsec_===="])
def test_a_signing_token_that_is_no_key_signs_nothing(secret: bytes):
    assert reason(signed(webhook_signature=signature(b"")), secret) == "mismatch"


def translated(told: Any, **headers: str) -> dict[str, Any]:
    event = provider.translate(request(json.dumps(told).encode(), **headers))
    check(dict(event.attributes))
    assert event.body == json.dumps(told).encode()
    return dict(event.attributes)


HOME = "https://gitlab.example/group/shop"
PROJECT = {"web_url": HOME}
REPOSITORY = {"homepage": HOME}


def changed(kind: str, **attributes: Any) -> dict[str, Any]:
    return {
        "object_kind": kind,
        "project": PROJECT,
        "repository": REPOSITORY,
        "object_attributes": attributes,
    }


def noted(on: str, url: str, **more: Any) -> dict[str, Any]:
    note = {"id": 12, "created_at": "2015-05-17 18:08:09 UTC", "noteable_type": on}
    return {"object_kind": "note", "object_attributes": {**note, "url": f"{url}#note_12"}, **more}


# The tables of adapters/gitlab.md of CloudEvents 1.0.2, in their order; then what they lack.
ADAPTED: list[tuple[Any, str, str, str | None, str | None]] = [
    (
        {"object_kind": "push", "repository": REPOSITORY, "checkout_sha": "da1560"},
        "push",
        HOME,
        "da1560",
        None,
    ),
    (
        {"object_kind": "tag_push", "repository": REPOSITORY, "ref": "refs/tags/v1"},
        "tag_push",
        HOME,
        "refs/tags/v1",
        None,
    ),
    (changed("issue", state="opened", iid=23), "issue.opened", HOME, "23", None),
    (
        noted("Commit", f"{HOME}/commit/1", commit={"url": f"{HOME}/-/commit/1"}),
        "note.commit",
        f"{HOME}/-/commit/1",
        "12",
        "2015-05-17T18:08:09Z",
    ),
    (
        noted("MergeRequest", f"{HOME}/-/merge_requests/1"),
        "note.merge_request",
        f"{HOME}/-/merge_requests/1",
        "12",
        "2015-05-17T18:08:09Z",
    ),
    (noted("Issue", f"{HOME}/-/issues/1"), "note.issue", f"{HOME}/-/issues/1", "12", "2015-05-17T18:08:09Z"),
    (noted("Snippet", f"{HOME}/-/s/1"), "note.snippet", f"{HOME}/-/s/1", "12", "2015-05-17T18:08:09Z"),
    (
        changed("merge_request", action="merge", iid=1, created_at="2013-12-03T17:23:34Z"),
        "merge_request.merge",
        HOME,
        "1",
        "2013-12-03T17:23:34Z",
    ),
    (changed("wiki_page", action="create", slug="a"), "wiki_page.create", HOME, "a", None),
    (changed("pipeline", status="success", id=31), "pipeline.success", HOME, "31", None),
    (
        {"object_kind": "build", "repository": REPOSITORY, "build_status": "failed", "build_id": 1977},
        "job.failed",
        HOME,
        "1977",
        None,
    ),
    (
        {"object_kind": "deployment", "project": PROJECT, "status": "success", "deployment_id": 15},
        "deployment.success",
        HOME,
        "15",
        None,
    ),
    (
        {"object_kind": "release", "project": PROJECT, "action": "create", "tag": "v1.1"},
        "release.create",
        HOME,
        "v1.1",
        None,
    ),
    ({"event_name": "user_create", "user_id": 41}, "user_create", "https://gitlab.example", None, None),
]


@pytest.mark.parametrize(
    ("told", "event_type", "source", "subject", "time"), ADAPTED, ids=[each[1] for each in ADAPTED]
)
def test_attributes_are_the_adapters(
    told: Any, event_type: str, source: str, subject: str | None, time: str | None
):
    expected = {
        "specversion": "1.0",
        "id": "e-1",
        "type": f"com.gitlab.{event_type}",
        "source": source,
        "datacontenttype": "application/json",
        "time": time or "2026-01-01T00:00:00Z",
    }
    attributes = translated(told, idempotency_key="e-1", x_gitlab_instance="https://gitlab.example")
    assert attributes == (expected if subject is None else {**expected, "subject": subject})


def test_a_redelivery_is_the_same_event():
    """Over retries and "Resend" only Idempotency-Key stays, and webhook-id, which repeats it."""
    first = translated({"object_kind": "push"}, idempotency_key="i-1", x_gitlab_event_uuid="e-1")
    again = translated({"object_kind": "push"}, idempotency_key="i-1", x_gitlab_event_uuid="e-2")
    assert first["id"] == again["id"] == "i-1"
    signed_ = translated({"object_kind": "push"}, webhook_id="i-1", idempotency_key="i-1")
    assert signed_["id"] == "i-1"


def test_older_versions_have_the_uuid_of_the_event_and_without_any_id_the_body_is_one():
    assert translated({"object_kind": "push"}, x_gitlab_event_uuid="e-1")["id"] == "e-1"
    first, again = (translated({"object_kind": "push"}, x_gitlab_webhook_uuid=each) for each in "ab")
    assert first["id"] == again["id"] == hashlib.sha256(b'{"object_kind": "push"}').hexdigest()
    assert translated({"object_kind": "push", "ref": "x"})["id"] != first["id"]


@pytest.mark.parametrize("told", ["", "a b", "x" * 256, "\u2603", "a\x00b"])
def test_an_id_that_is_none_is_passed_over(told: str):
    assert translated({"object_kind": "push"}, idempotency_key=told, x_gitlab_event_uuid="e-1")["id"] == "e-1"


def test_a_custom_template_that_says_nothing_is_told_by_the_header():
    assert (
        translated({"text": "hi"}, x_gitlab_event="Merge Request Hook")["type"] == "com.gitlab.merge_request"
    )
    assert translated({"object_kind": "A b"}, x_gitlab_event="Push Hook")["type"] == "com.gitlab.push"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"{}"])
def test_what_is_no_payload_is_no_event(body: bytes):
    with pytest.raises(InvalidCloudEvent):
        provider.translate(request(body))


@pytest.mark.parametrize(
    "homepage", [None, 7, "", "not a uri", "x" * 2000, "http://[", "javascript:alert(1) x", {"a": 1}]
)
def test_a_source_that_is_none_is_replaced(homepage: Any):
    told = {"object_kind": "push", "repository": {"homepage": homepage}}
    assert translated(told)["source"] == "/gitlab"
    assert translated(told, x_gitlab_instance="https://gitlab.example")["source"] == "https://gitlab.example"


RECORDED = [payload for payload in payloads() if payload.tool == "gitlab"]


@pytest.mark.parametrize("payload", RECORDED, ids=str)
def test_every_recorded_payload_becomes_an_event_with_its_bytes(payload):
    headers = {name.lower(): value for name, value in payload.headers}
    event = provider.translate(WebhookRequest(headers, payload.body, NOW))
    check(dict(event.attributes))
    assert event.body == payload.body
    told = json.loads(payload.body)
    assert event.type.split(".")[2] == told.get("object_kind", told.get("event_name"))
