"""A secret in the Authorization header, as most providers can be made to send, and all that does not fit."""

import base64

import pytest

from ingress.webhooks import alertmanager, kubewatch, opsgenie
from ingress.webhooks.authorization import verify
from ingress.webhooks.provider import Unauthenticated, WebhookRequest

SECRET = b"correct horse battery staple"


def request(authorization: str | None = None, **headers: str) -> WebhookRequest:
    told = {} if authorization is None else {"authorization": authorization}
    return WebhookRequest(
        told | {name.replace("_", "-"): value for name, value in headers.items()}, b"{}", 0.0
    )


def basic(pair: bytes) -> str:
    return f"Basic {base64.b64encode(pair).decode()}"


def reason(authorization: str | None, *secrets: bytes, **headers: str) -> str:
    with pytest.raises(Unauthenticated) as refused:
        verify(request(authorization, **headers), secrets)
    return refused.value.reason


@pytest.mark.parametrize(
    "authorization",
    [
        f"Bearer {SECRET.decode()}",
        f"bearer {SECRET.decode()}",
        basic(b"alertmanager:" + SECRET),
        basic(b":" + SECRET),
    ],
)
def test_a_bearer_token_or_a_password_is_accepted(authorization: str):
    verify(request(authorization), [SECRET])


def test_a8_each_of_two_secrets_is_accepted_while_one_is_replaced():
    for secret in (SECRET, b"new"):
        verify(request(f"Bearer {secret.decode()}"), [b"new", SECRET])
        verify(request(basic(b"x:" + secret)), [b"new", SECRET])
    assert reason(f"Bearer {SECRET.decode()}", b"new") == "mismatch"
    assert reason(basic(b"x:" + SECRET), b"new") == "mismatch"


def test_a_secret_with_a_user_asks_for_this_user():
    verify(request(basic(b"dora:pass:word")), [b"dora:pass:word"])
    assert reason(basic(b"else:pass:word"), b"dora:pass:word") == "mismatch"
    assert reason(basic(b"x:dora:pass:word"), b"dora:pass:word") == "mismatch"


def test_a_secret_outside_of_ascii_is_compared_as_the_bytes_that_were_sent():
    secret = "schlüssel".encode()
    verify(request(f"Bearer {secret.decode('latin-1')}"), [secret])
    verify(request(basic(b"x:" + secret)), [secret])
    assert reason("Bearer \u2603", b"?") == "malformed"
    assert reason("Basic \u2603", b"?") == "malformed"


@pytest.mark.parametrize(
    ("authorization", "why"),
    [
        (None, "missing"),
        ("", "missing"),
        (" ", "malformed"),
        ("Bearer", "mismatch"),
        ("Bearer ", "mismatch"),
        ("Bearer  correct horse battery staple", "mismatch"),
        ("Bearer correct horse battery staple ", "mismatch"),
        ("Bearer correct horse", "mismatch"),
        ("Bearer Correct horse battery staple", "mismatch"),
        ("Bearer " + "x" * 1_000_000, "mismatch"),
        ("correct horse battery staple", "malformed"),
        ("Token correct horse battery staple", "malformed"),
        ("GenieKey correct horse battery staple", "malformed"),
        ("Basic correct horse battery staple", "malformed"),
        ("Basic", "mismatch"),
        (basic(SECRET), "mismatch"),
        (basic(SECRET + b":"), "mismatch"),
        (basic(b"x:" + SECRET + b" "), "mismatch"),
        (basic(b"x:"), "mismatch"),
    ],
)
def test_a6_anything_else_is_refused(authorization: str | None, why: str):
    assert reason(authorization, SECRET) == why


@pytest.mark.parametrize("empty", [b"", b" ", b"\n"])
@pytest.mark.parametrize("authorization", ["Bearer ", "Bearer  ", "Bearer \n", basic(b"x:"), basic(b"x: ")])
def test_a4_an_empty_secret_lets_nobody_in(authorization: str, empty: bytes):
    assert reason(authorization, empty) == "mismatch"
    assert reason(authorization) == "mismatch"


def test_other_headers_do_not_help():
    assert reason(None, SECRET, x_gitlab_token=SECRET.decode()) == "missing"
    assert reason(None, SECRET, proxy_authorization=f"Bearer {SECRET.decode()}") == "missing"


@pytest.mark.parametrize("module", [alertmanager, kubewatch, opsgenie])
def test_providers_that_sign_nothing_ask_for_it(module):
    module.provider.authenticate(request(f"Bearer {SECRET.decode()}"), [SECRET])
    with pytest.raises(Unauthenticated):
        module.provider.authenticate(request("Bearer wrong"), [SECRET])
    with pytest.raises(Unauthenticated):
        module.provider.authenticate(request(), [SECRET])
