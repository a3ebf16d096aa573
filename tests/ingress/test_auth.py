"""Who may send events, and who may not and learns nothing."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from access.issuers import Issuer
from access.trust import TrustedIssuer
from ingress import gate, metrics
from ingress.callers import EVENTS, EVERYTHING, NOTHING, Callers, Federation, Subjects
from ingress.secrets import FileSecrets, FixedSecrets
from ingress.settings import Settings
from ingress.sparse_log import SparseLog
from tests.access.issuing import AUDIENCE, SUBJECT, Answering, answering, public_jwk
from tests.ingress.calling import (
    CORRECTOR,
    EVENT,
    PATHS,
    SENDER,
    STRUCTURED,
    TOKENS,
    assert_refused,
    post,
    trusting,
)  # fmt: skip
from tests.ingress.listening import listening
from tests.ingress.recording import Ingress, assert_problem, running


@pytest.fixture
async def ingress() -> AsyncIterator[Ingress]:
    async with running(callers=TOKENS) as ingress:
        yield ingress
        ingress.assert_all_counted()


@pytest.fixture
async def issuer() -> AsyncIterator[Answering]:
    async with answering() as issuer:
        yield issuer


@pytest.mark.parametrize("path", PATHS[:2])
@pytest.mark.parametrize("token", [SENDER, CORRECTOR])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_a_token_opens_the_endpoints_for_events(ingress: Ingress, path: str, token: str, scheme: str):
    response = await post(ingress, path=path, authorization=f"{scheme} {token}")
    assert response.status_code == 202
    assert ingress.counter("callers_total", outcome="admitted") == 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("shown", "why"),
    [
        (None, "missing"), ("", "malformed"), ("Bearer", "malformed"), ("Bearer ", "malformed"),
        ("Bearer wrong", "mismatch"), (f"Bearer {SENDER[:-1]}", "mismatch"),
        (f"Bearer {SENDER}0", "mismatch"),
        (f"Bearer {SENDER.upper()}", "mismatch"), (f"Bearer {SENDER} {SENDER}", "mismatch"),
        (f"Bearer {SENDER},{CORRECTOR}", "mismatch"), (SENDER, "malformed"), (f"Basic {SENDER}", "malformed"),
        (f"Token {SENDER}", "malformed"), ("Bearer é", "mismatch"), ("Bearer a.b.c", "mismatch"),
        ("Bearer " + "x" * 8000, "mismatch"),
    ],
)  # fmt: skip
async def test_whoever_is_not_known_learns_only_that(
    ingress: Ingress, path: str, shown: str | None, why: str
):
    headers = STRUCTURED if shown is None else STRUCTURED | {"authorization": shown.encode("latin-1")}
    assert_refused(await ingress.client.post(path, json=EVENT, headers=headers))
    assert ingress.counter("callers_total", outcome=why) == 1
    assert ingress.counter("requests_refused_total", reason="unauthenticated") == 1
    assert not ingress.publisher.records


async def test_of_two_authorizations_none_is_the_right_one(ingress: Ingress):
    headers = [*STRUCTURED.items(), ("authorization", f"Bearer {SENDER}"), ("Authorization", "Bearer x")]
    assert_refused(await ingress.client.post("/", json=EVENT, headers=headers))


@pytest.mark.parametrize(
    "query", [f"?token={SENDER}", f"?access_token={SENDER}", f"?authorization=Bearer%20{SENDER}"]
)
async def test_a6_a_token_in_the_address_counts_for_nothing(ingress: Ingress, query: str):
    with capture_logs() as logs:
        assert_refused(await post(ingress, path=f"/cloudevents{query}"))
    assert SENDER not in json.dumps(logs)


async def test_a_page_in_a_browser_cannot_send_to_what_is_open_to_its_machine():
    for settings in (Settings(), Settings(host="0.0.0.0", open=True)):  # noqa: S104 - nothing listens
        async with running(settings) as ingress:
            assert_refused(await post(ingress, origin="http://rebound.example"))
            assert ingress.counter("callers_total", outcome="browser") == 1
    async with running(callers=TOKENS) as ingress:
        assert (await post(ingress, SENDER, origin="https://console.example")).status_code == 202


async def test_other_headers_do_not_help(ingress: Ingress):
    for name in (
        "proxy-authorization",
        "x-authorization",
        "x-api-key",
        "x-forwarded-authorization",
        "cookie",
    ):
        assert_refused(await post(ingress, **{name: f"Bearer {SENDER}"}))


async def test_a13_nobody_waits_for_the_body_of_a_stranger():
    """The answer comes before a byte of the body, and before what is wrong with it could be seen."""
    async with listening(callers=TOKENS) as ingress:
        for path in (b"/", b"/cloudevents", b"/cdevents"):
            head = b"POST %s HTTP/1.1\r\nHost: i\r\nContent-Length: 900000\r\n\r\n" % path
            answer = await ingress.ask(head)
            assert (answer.status, answer.headers["connection"]) == (401, "close")
            chunked = b"POST %s HTTP/1.1\r\nHost: i\r\nTransfer-Encoding: chunked\r\n\r\n" % path
            assert (await ingress.ask(chunked)).status == 401
        assert ingress.refused("unauthenticated") == 6


async def test_a8_tokens_of_a_file_are_replaced_without_a_restart(tmp_path: Path):
    file = tmp_path / "tokens"
    file.write_text("old-0123456789abcdef\nnew-0123456789abcdef\n")
    async with running(callers=Callers(NOTHING, [(FileSecrets(file), EVENTS)])) as ingress:
        for token in ("old-0123456789abcdef", "new-0123456789abcdef"):
            assert (await post(ingress, token)).status_code == 202
        file.write_text("new-0123456789abcdef\n")
        assert_refused(await post(ingress, "old-0123456789abcdef"))
        assert (await post(ingress, "new-0123456789abcdef")).status_code == 202


async def test_a4_tokens_that_cannot_be_read_let_nobody_in(tmp_path: Path):
    file = tmp_path / "tokens"
    file.write_text(SENDER)
    callers = Callers(
        NOTHING, [(FileSecrets(file), EVENTS), (FixedSecrets([CORRECTOR.encode()]), EVERYTHING)]
    )
    async with running(callers=callers) as ingress:
        for break_it in (lambda: file.write_text(" \n"), file.unlink, file.mkdir):
            break_it()
            for token in (SENDER, "", " ", "x", "a.b.c"):
                response = await post(ingress, token)
                if token.strip():
                    assert_problem(response, 503, "uncheckable")
                    assert response.headers["retry-after"]
                    assert str(tmp_path) not in response.text
                else:
                    assert_refused(response)
            assert_refused(await post(ingress))
            assert (await post(ingress, CORRECTOR)).status_code == 202, "this one can be checked"
        assert len(ingress.publisher.records) == 3


# What Knative's sources send: a token of a service account, made for the sink's audience.


async def test_a_knative_source_sends_with_its_service_account(issuer: Answering):
    async with running(callers=trusting(issuer)) as ingress:
        assert (await post(ingress, issuer.token())).status_code == 202
        assert (await post(ingress, issuer.token(aud=["other", AUDIENCE]))).status_code == 202
        for wrong in (
            issuer.token(aud="kafka-sink"), issuer.token(iss="https://elsewhere.example"),
            issuer.token(exp=1),
            issuer.token(number=1), issuer.token()[:-4] + "AAAA", "a.b.c", "x",
        ):  # fmt: skip
            assert_refused(await post(ingress, wrong))
        assert ingress.counter("callers_total", outcome="audience") == 1
        assert ingress.counter("callers_total", outcome="expired") == 1


@pytest.mark.parametrize(
    ("senders", "subject", "status"),
    [
        ([SUBJECT], SUBJECT, 202),
        (["system:serviceaccount:dora-cloudevents:*"], SUBJECT, 202),
        (["system:serviceaccount:other:*", SUBJECT], SUBJECT, 202),
        (["*"], SUBJECT, 202),
        (["system:serviceaccount:dora-cloudevents"], SUBJECT, 401),
        (["system:serviceaccount:dora:*"], SUBJECT, 401),
        ([SUBJECT], f"{SUBJECT}-2", 401),
        ([SUBJECT], None, 401),
        (["*"], None, 401),
    ],
)
async def test_only_the_subjects_that_are_named_may_send(
    issuer: Answering, senders: list[str], subject: str | None, status: int
):
    async with running(callers=trusting(issuer, senders)) as ingress:
        response = await post(ingress, issuer.token(sub=subject))
        assert response.status_code == status
        if status == 401:
            assert_refused(response)
            assert ingress.counter("callers_total", outcome="subject") == 1


async def test_an_issuer_that_does_not_answer_lets_nobody_in(issuer: Answering):
    issuer.status = 500
    async with running(callers=trusting(issuer)) as ingress:
        response = await post(ingress, issuer.token())
        assert_problem(response, 503, "uncheckable")
        assert response.headers["retry-after"] == "10"
        assert_refused(await post(ingress, "no-token"))
        assert not ingress.publisher.records


# Nothing of a token goes anywhere.


async def test_a14_a15_a_token_is_in_no_log_no_answer_no_metric_and_no_record(issuer: Answering):
    callers = Callers(
        NOTHING, [(FixedSecrets([SENDER.encode()]), EVENTS)],
        Federation(Issuer(TrustedIssuer(issuer.url, (AUDIENCE,))), None, Subjects(())),
    )  # fmt: skip
    signed = issuer.token(secret="in-a-claim")
    answers = []
    with capture_logs() as logs:
        async with running(callers=callers) as ingress:
            for token in (SENDER, f"{SENDER}x", signed, f"{signed}x", issuer.token(number=1), "s3cret"):
                more = {"x_forwarded_for": "10.9.8.7", "faust_ag_replyto": "topic"}
                answers += [await post(ingress, token, **more)]
            issuer.keys = [public_jwk("ES256")]
            answers.append(await post(ingress, issuer.token("ES256", aud="s3cret")))
            order = EVENT | {"type": "dev.dora.deadletter.drop.v1"}
            sent = STRUCTURED | {"authorization": f"Bearer {SENDER}"}
            answers.append(await ingress.client.post("/", json=order, headers=sent))
            metrics = (await ingress.client.get("/metrics")).text
            records = [(record.key, record.value, record.headers) for record in ingress.publisher.records]
    assert len(records) == 2
    told = (
        json.dumps(logs)
        + metrics
        + repr(records)
        + "".join(each.text + str(each.headers) for each in answers)
    )
    for secret in (SENDER, *signed.split("."), "s3cret", "in-a-claim", SUBJECT, "10.9.8.7", "replyto"):
        assert secret not in told
    names = {name for _, _, headers in records for name, _ in headers}
    assert names == {"ce_specversion", "ce_id", "ce_source", "ce_type", "content-type"}


def test_a14_callers_and_issuers_do_not_show_themselves():
    assert SENDER not in repr(TOKENS)
    assert SENDER not in str(Settings(ingress_oidc_issuer="https://i.example", ingress_oidc_audience="a"))


async def test_a11_labels_do_not_grow_with_what_callers_show(ingress: Ingress):
    for number in range(50):
        await post(ingress, f"stranger-{number}")
        await post(ingress, None, authorization=f"Scheme{number} x")
    series = [
        line for line in (await ingress.client.get("/metrics")).text.splitlines() if "callers_total{" in line
    ]
    assert len(series) == 2
    assert "stranger" not in "".join(series)


async def test_a13_a_flood_writes_one_line_a_second(ingress: Ingress):
    assert isinstance(metrics.log, SparseLog)
    assert isinstance(gate.log, SparseLog)
    with capture_logs() as logs:
        for _ in range(100):
            await post(ingress, "x")
    assert len([line for line in logs if line.get("reason") == "unauthenticated"]) <= 2
    assert ingress.counter("requests_refused_total", reason="unauthenticated") == 100


# The description for machines.


async def test_the_description_says_what_callers_have_to_show(ingress: Ingress):
    document = (await ingress.client.get("/openapi.json")).json()
    assert document["components"]["securitySchemes"]["token"] == {
        "type": "http", "scheme": "bearer",
        "description": document["components"]["securitySchemes"]["token"]["description"],
    }  # fmt: skip
    for path in PATHS:
        operation = document["paths"][path]["post"]
        assert operation["security"] == [{"token": []}]
        assert {"401", "403", "503"} <= operation["responses"].keys()
    assert document["paths"]["/webhooks/{provider}"]["post"]["security"] == [{"webhook": []}]
    assert "security" not in document["paths"]["/healthz"]["get"]


async def test_the_description_of_an_open_ingress_demands_nothing():
    async with running() as ingress:
        document = (await ingress.client.get("/openapi.json")).json()
    assert document["paths"]["/cloudevents"]["post"]["security"] == [{}, {"token": []}]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json"])
async def test_operation_and_the_handshake_ask_nobody(ingress: Ingress, path: str):
    assert (await ingress.client.get(path)).status_code == 200
    assert (await ingress.client.options("/cloudevents")).status_code == 200
