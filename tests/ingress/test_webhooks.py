"""``POST /webhooks/{provider}``: who is let in, who is not and learns nothing; and the secrets."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingress import providers
from ingress import webhooks as modules
from ingress.providers import DuplicateProvider, Webhook, find_providers, webhooks_of
from ingress.secrets import FileSecrets, FixedSecrets, MisconfiguredSecrets, Secrets, secrets_of
from ingress.settings import Settings
from schemas.cloudevents.kafka import read_record
from tests.ingress.listening import listening
from tests.ingress.recording import Ingress, assert_problem, running

# docs.github.com, "Validating webhook deliveries", "Testing the webhook payload validation".
SECRET = b"It's a Secret to Everybody"
VECTOR = b"Hello, World!"
VECTOR_SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

PUSH = b'{"ref": "refs/heads/main", "repository": {"url": "https://github.com/acme/shop"}}'
PING = b'{"zen": "Design for failure.", "hook_id": 1, "hook": {}}'


def signed(body: bytes, secret: bytes = SECRET, event: str = "push", **others: str) -> dict[str, str]:
    headers = {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "x-hub-signature-256": f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}",
    }
    return headers | {name.replace("_", "-"): value for name, value in others.items()}


def hooks(**secrets: Secrets) -> dict[str, Webhook]:
    return {name: Webhook(find_providers()[name], given) for name, given in secrets.items()}


@pytest.fixture
async def ingress() -> AsyncIterator[Ingress]:
    configured = hooks(github=FixedSecrets([SECRET]), generic=FixedSecrets([b"token"]))
    async with running(hooks=configured) as ingress:
        yield ingress
        ingress.assert_all_counted()


def outcomes(ingress: Ingress, provider: str = "github") -> dict[str, float]:
    samples = [sample for family in ingress.app.state.metrics.webhooks.collect() for sample in family.samples]
    return {
        sample.labels["outcome"]: sample.value
        for sample in samples
        if sample.name.endswith("_total") and sample.labels["provider"] == provider
    }


async def test_an_authentic_delivery_is_published_as_it_was_sent(ingress: Ingress):
    response = await ingress.client.post("/webhooks/github", content=PUSH, headers=signed(PUSH))
    assert (response.status_code, response.content) == (202, b"")
    (record,) = ingress.publisher.records
    event = read_record(record.headers, record.value)
    assert (event.type, event.source) == ("com.github.push", "https://github.com/acme/shop")
    assert (event.id, event.subject) == ("72d3162e-cc78-11e3-81ab-4c9367dc0958", "refs/heads/main")
    assert record.value == PUSH
    assert ingress.counter("events_accepted_total", mode="webhook") == 1
    assert outcomes(ingress) == {"accepted": 1}


async def test_a_ping_and_events_that_nobody_maps_are_taken_too(ingress: Ingress):
    for event in ("ping", "never_heard_of"):
        headers = signed(PING, event=event)
        assert (
            await ingress.client.post("/webhooks/github", content=PING, headers=headers)
        ).status_code == 202
    types = [read_record(record.headers, record.value).type for record in ingress.publisher.records]
    assert types == ["com.github.ping", "com.github.never_heard_of"]


async def test_a15_nothing_of_the_request_but_the_event_goes_on(ingress: Ingress):
    headers = signed(PUSH, x_forwarded_for="10.0.0.1", authorization="Bearer x", faust_ag_replyto="topic")
    await ingress.client.post("/webhooks/github", content=PUSH, headers=headers)
    names = {name for name, _ in ingress.publisher.records[0].headers}
    assert names == {
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_subject",
        "ce_time",
        "content-type",
    }


async def test_a1_githubs_own_vector_is_authentic_though_its_body_is_no_event(ingress: Ingress):
    headers = signed(VECTOR) | {"x-hub-signature-256": VECTOR_SIGNATURE}
    response = await ingress.client.post("/webhooks/github", content=VECTOR, headers=headers)
    assert_problem(response, 400, "invalid-event")
    assert outcomes(ingress) == {"invalid": 1}


DIGEST = hmac.new(SECRET, PUSH, hashlib.sha256).hexdigest()
SHA1 = hmac.new(SECRET, PUSH, hashlib.sha1).hexdigest()


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (None, "missing"),
        ("", "malformed"),
        ("sha256=", "malformed"),
        (DIGEST, "malformed"),
        (f"sha1={SHA1}", "malformed"),
        (f"sha1={DIGEST}", "malformed"),
        (f"sha256={DIGEST.upper()}", "malformed"),
        (f"SHA256={DIGEST}", "malformed"),
        (f"sha256={DIGEST[:-1]}", "malformed"),
        (f"sha256={DIGEST}0", "malformed"),
        (f"sha256={DIGEST} ", "malformed"),
        (f"sha256={DIGEST}," * 20_000, "malformed"),
        (f"sha256={DIGEST}\u00e9", "malformed"),
        (f"sha256={'0' * 64}", "mismatch"),
        (f"sha256={hmac.new(b'another', PUSH, hashlib.sha256).hexdigest()}", "mismatch"),
        (f"sha256={hmac.new(b'', PUSH, hashlib.sha256).hexdigest()}", "mismatch"),
    ],
)
async def test_a2_who_is_not_authentic_learns_nothing_but_that(ingress: Ingress, signature, reason):
    headers = {name: value for name, value in signed(PUSH).items() if name != "x-hub-signature-256"}
    if signature is not None:
        headers["x-hub-signature-256"] = signature.encode("latin-1")
    response = await ingress.client.post("/webhooks/github", content=PUSH, headers=headers)
    if len(signature or "") > 8192:
        assert_problem(response, 431, "headers-too-large")
        return
    assert (response.status_code, response.content) == (401, await refusal(ingress))
    assert response.headers["www-authenticate"] == "Webhook"
    assert not ingress.publisher.records
    assert outcomes(ingress)[reason] >= 1


async def refusal(ingress: Ingress) -> bytes:
    """The one answer to everybody who is not authentic."""
    return (await ingress.client.post("/webhooks/generic", content=b"x")).content


async def test_a2_the_older_signature_alone_counts_for_nothing(ingress: Ingress):
    headers = {name: value for name, value in signed(PUSH).items() if name != "x-hub-signature-256"}
    headers["x-hub-signature"] = f"sha1={SHA1}"
    response = await ingress.client.post("/webhooks/github", content=PUSH, headers=headers)
    assert_problem(response, 401, "unauthenticated")


@pytest.mark.parametrize(
    "body",
    [PUSH + b"\n", PUSH.replace(b"main", b"maim"), b"", json.dumps(json.loads(PUSH), indent=1).encode()],
)
async def test_a3_a_body_that_was_changed_is_not_authentic(ingress: Ingress, body: bytes):
    response = await ingress.client.post("/webhooks/github", content=body, headers=signed(PUSH))
    assert_problem(response, 401, "unauthenticated")


async def test_a2_of_two_signatures_none_is_the_right_one(ingress: Ingress):
    headers = [*signed(PUSH).items(), ("X-Hub-Signature-256", "sha256=" + "0" * 64)]
    response = await ingress.client.post("/webhooks/github", content=PUSH, headers=headers)
    assert_problem(response, 401, "unauthenticated")
    assert outcomes(ingress) == {"missing": 1}


async def test_a10_a_signature_for_one_provider_opens_no_other(ingress: Ingress):
    response = await ingress.client.post("/webhooks/generic", content=PUSH, headers=signed(PUSH))
    assert_problem(response, 401, "unauthenticated")


@pytest.mark.parametrize(
    "name",
    [
        "gitlab",  # exists, and has no secrets here
        "nobody", "GitHub", "github%20", "%2e%2e%2fmetrics", "..%2f..%2fmetrics", "github/", "github/x",
        "x" * 10_000, "%00",
    ],
)  # fmt: skip
async def test_a11_a_provider_that_is_not_configured_is_not_there(ingress: Ingress, name: str):
    response = await ingress.client.post(f"/webhooks/{name}", content=PUSH, headers=signed(PUSH))
    nowhere = await ingress.client.post("/nowhere", content=PUSH)
    assert (response.status_code, response.content) == (404, nowhere.content)
    assert outcomes(ingress, name) == {}
    assert not ingress.publisher.records


async def test_a11_labels_of_metrics_do_not_grow_with_what_is_asked_for(ingress: Ingress):
    for number in range(20):
        await ingress.client.post(f"/webhooks/stranger{number}", content=b"x")
    assert "stranger" not in (await ingress.client.get("/metrics")).text


async def test_only_post_is_allowed(ingress: Ingress):
    response = await ingress.client.get("/webhooks/github")
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "POST"


async def test_a_redelivery_is_the_same_event(ingress: Ingress):
    for _ in range(2):
        await ingress.client.post("/webhooks/github", content=PUSH, headers=signed(PUSH))
    first, again = (read_record(record.headers, record.value) for record in ingress.publisher.records)
    assert (first.source, first.id, first.body) == (again.source, again.id, again.body)


async def test_the_limits_of_bodies_hold_for_web_hooks_too():
    small = Settings(body_limit=64 * 1024)
    async with running(small, hooks(github=FixedSecrets([SECRET]))) as ingress:
        body = b"x" * (64 * 1024 + 1)
        response = await ingress.client.post("/webhooks/github", content=body, headers=signed(body))
        assert_problem(response, 413, "too-large")


async def test_a13_what_no_body_could_make_authentic_is_refused_before_the_body():
    configured = hooks(**dict.fromkeys(("github", "gitlab", "pagerduty", "harbor"), FixedSecrets([SECRET])))
    async with listening(configured) as ingress:
        for name in configured:
            head = f"POST /webhooks/{name} HTTP/1.1\r\nHost: i\r\nContent-Length: 900000\r\n".encode()
            wrong = b"X-Hub-Signature-256: sha256=0\r\nX-PagerDuty-Signature: v1=0\r\n"
            for headers in (b"", wrong):
                answer = await ingress.ask(head + headers + b"\r\n")
                assert (answer.status, answer.headers["connection"]) == (401, "close")


async def test_what_kafka_does_not_confirm_is_not_taken(ingress: Ingress):
    from ingress.publisher import Unavailable

    ingress.publisher.error = Unavailable("no broker")
    response = await ingress.client.post("/webhooks/github", content=PUSH, headers=signed(PUSH))
    assert_problem(response, 503, "unavailable")
    assert outcomes(ingress) == {}


async def test_a8_each_secret_is_good_while_one_is_being_replaced_and_the_old_one_no_longer():
    both = FixedSecrets([b"new", SECRET])
    async with running(hooks=hooks(github=both)) as ingress:
        for secret in (SECRET, b"new"):
            answer = await ingress.client.post("/webhooks/github", content=PUSH, headers=signed(PUSH, secret))
            assert answer.status_code == 202
    async with running(hooks=hooks(github=FixedSecrets([b"new"]))) as ingress:
        answer = await ingress.client.post("/webhooks/github", content=PUSH, headers=signed(PUSH))
        assert_problem(answer, 401, "unauthenticated")


async def test_a4_a8_a_file_of_secrets_is_read_anew_and_without_one_nobody_is_let_in(tmp_path: Path):
    file = tmp_path / "secrets"
    file.write_bytes(SECRET + b"\n")
    async with running(hooks=hooks(github=FileSecrets(file))) as ingress:

        async def status(secret: bytes) -> int:
            headers = signed(PUSH, secret)
            return (await ingress.client.post("/webhooks/github", content=PUSH, headers=headers)).status_code

        assert await status(SECRET) == 202
        file.write_bytes(b"new\n" + SECRET)
        assert (await status(b"new"), await status(SECRET)) == (202, 202)
        file.write_bytes(b"new\r\n")
        assert (await status(b"new"), await status(SECRET)) == (202, 401)
        for break_it in (lambda: file.write_bytes(b" \n\n"), file.unlink, file.mkdir):
            break_it()
            assert (await status(b"new"), await status(b""), await status(SECRET)) == (503, 503, 503)
        file.rmdir()
        file.write_bytes(b"new")
        assert await status(b"new") == 202
        assert outcomes(ingress)["unavailable"] == 9


async def test_a4_without_secrets_the_answer_says_when_to_try_again(tmp_path: Path):
    async with running(hooks=hooks(github=FileSecrets(tmp_path / "gone"))) as ingress:
        response = await ingress.client.post("/webhooks/github", content=PUSH, headers=signed(PUSH))
        assert_problem(response, 503, "uncheckable")
        assert response.headers["retry-after"]
        assert str(tmp_path) not in response.text


def test_secrets_come_from_variables_and_files(tmp_path: Path):
    file = tmp_path / "secrets"
    file.write_text("one, with a comma\n\n two \n")
    found = secrets_of(
        {
            "DORA_WEBHOOK_GITHUB_SECRETS": "old, new",
            "DORA_WEBHOOK_GITLAB_SECRETS_FILE": str(file),
            "DORA_WEBHOOK_ORIGINS": "*",
            "DORA_WEBHOOK_RATE": "7",
        },
        ["github", "gitlab", "pagerduty"],
    )
    assert {name: list(secrets.current()) for name, secrets in found.items()} == {
        "github": [b"old", b"new"],
        "gitlab": [b"one, with a comma", b"two"],
    }


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"DORA_WEBHOOK_GITHUB_SECRETS": ""}, "GITHUB_SECRETS: it holds no secret; set it"),
        ({"DORA_WEBHOOK_GITHUB_SECRETS": " , ,"}, "GITHUB_SECRETS: it holds no secret"),
        ({"DORA_WEBHOOK_GITHUB_SECRETS_FILE": "/nowhere/x"}, "GITHUB_SECRETS_FILE: it cannot be read"),
        ({"DORA_WEBHOOK_GITHUB_SECRETS_FILE": ""}, "GITHUB_SECRETS_FILE: it cannot be read"),
        ({"DORA_WEBHOOK_GITHIB_SECRETS": "s3cret"}, "there is no such web hook; there are: "),
        ({"DORA_WEBHOOK_GITHUB_SECRET": "s3cret"}, "call it DORA_WEBHOOK_GITHUB_SECRETS"),
        (
            {"DORA_WEBHOOK_GITHUB_SECRETS": "s3cret", "DORA_WEBHOOK_GITHUB_SECRETS_FILE": "x"},
            "the secrets of github are given twice",
        ),
    ],
)
def test_a4_a14_what_could_let_anybody_in_stops_the_start_and_shows_no_secret(environment, says):
    with pytest.raises(MisconfiguredSecrets, match=says.replace("(", r"\(")) as stopped:
        webhooks_of(environment)
    assert "s3cret" not in str(stopped.value)


def test_a14_secrets_do_not_show_themselves():
    webhook = Webhook(find_providers()["github"], FixedSecrets([SECRET]))
    assert "Everybody" not in repr(webhook) + str(webhook.secrets)


def test_two_providers_of_one_name_are_an_error_that_names_both(monkeypatch):
    import sys
    import types

    twin = types.ModuleType("ingress.webhooks.twin")
    twin.provider = find_providers()["github"]
    monkeypatch.setitem(sys.modules, "ingress.webhooks.twin", twin)
    known = list(providers.pkgutil.iter_modules(modules.__path__))
    info = known[0]._replace(name="twin")
    monkeypatch.setattr(providers.pkgutil, "iter_modules", lambda _: [*known, info])
    with pytest.raises(DuplicateProvider, match="twin and github are both called 'github'"):
        find_providers()


@pytest.mark.parametrize("name", sorted(find_providers()))
def test_a4_secrets_that_are_empty_open_nothing(name: str):
    """The process does not start with them; should one slip through, nobody is let in for it."""
    from ingress.webhooks.provider import Unauthenticated, WebhookRequest

    digest = hmac.new(b"", PUSH, hashlib.sha256).hexdigest()
    headers = {
        "x-hub-signature-256": f"sha256={digest}",
        "x-pagerduty-signature": f"v1={digest}",
        "x-gitlab-token": "",
        "authorization": "Bearer ",
    }
    for secrets in ([], [b""]):
        with pytest.raises(Unauthenticated):
            find_providers()[name].authenticate(WebhookRequest(headers, PUSH, 0.0), secrets)
