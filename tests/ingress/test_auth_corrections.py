"""Corrections: who may send events may not change what others told."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ingress.secrets import FixedSecrets
from ingress.settings import Settings
from schemas.cloudevents.kafka import read_record
from schemas.corrections import is_correction
from streams.sources import find_sources
from tests.access.issuing import SUBJECT, answering
from tests.ingress.calling import CORRECTOR, EVENT, SENDER, STRUCTURED, TOKENS, post, trusting
from tests.ingress.recording import Ingress, assert_problem, running
from tests.ingress.test_webhooks import hooks


@pytest.fixture
async def ingress() -> AsyncIterator[Ingress]:
    async with running(callers=TOKENS) as ingress:
        yield ingress
        ingress.assert_all_counted()


ATTRIBUTION = EVENT | {"type": "dev.dora.attribution.set.v1", "data": {"deploy_id": "x", "failed": False}}
CDEVENT_TYPE = "dev.cdeventsx.dora-attribution.set.0.1.0"
CDEVENT = {
    "context": {
        "specversion": "0.5.1", "id": "1", "source": "/ci", "type": CDEVENT_TYPE,
        "timestamp": "2026-01-31T12:00:00Z",
    },
    "subject": {"id": "deploy-1", "content": {"failed": False}},
}  # fmt: skip


def binary(type_: str, data: Any) -> tuple[dict[str, str], bytes]:
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/ci", "ce-type": type_}
    return headers | {"content-type": "application/json"}, json.dumps(data).encode()


def batch(*events: Any) -> tuple[dict[str, str], bytes]:
    return {"content-type": "application/cloudevents-batch+json"}, json.dumps(events).encode()


def structured(event: Any) -> tuple[dict[str, str], bytes]:
    return dict(STRUCTURED), json.dumps(event).encode()


CORRECTIONS = {
    "structured": ("/", *structured(ATTRIBUTION)),
    "structured, charset": (
        "/cloudevents", {"content-type": "application/cloudevents+json; charset=utf-8"},
        structured(ATTRIBUTION)[1],
    ),
    "binary": ("/cloudevents", *binary(ATTRIBUTION["type"], ATTRIBUTION["data"])),
    "binary, percent-encoded": ("/", *binary("dev%2Edora%2eattribution.set.v1", ATTRIBUTION["data"])),
    "batch": ("/", *batch(EVENT, EVENT | {"id": "2"}, ATTRIBUTION)),
    "batch, first": ("/cloudevents", *batch(ATTRIBUTION, EVENT)),
    "structured, escaped": (
        "/", STRUCTURED, json.dumps(ATTRIBUTION).replace("dev.dora", "\\u0064ev.dora").encode(),
    ),
    "an order to drop dead letters": ("/", *structured(EVENT | {"type": "dev.dora.deadletter.drop.v1"})),
    "one that does not exist yet": ("/", *structured(EVENT | {"type": "dev.dora.brand.new.v1"})),
    "as a CDEvent": ("/cdevents", *structured(EVENT | {"type": CDEVENT_TYPE, "data": CDEVENT})),
    "as a CDEvent, binary": ("/cdevents", *binary(CDEVENT_TYPE, CDEVENT)),
    "as a CDEvent, at another address": ("/", *structured(EVENT | {"type": CDEVENT_TYPE, "data": CDEVENT})),
    "as a CDEvent, in a batch": ("/cdevents", *batch(EVENT | {"type": CDEVENT_TYPE, "data": CDEVENT})),
}  # fmt: skip


@pytest.mark.parametrize("name", CORRECTIONS)
async def test_corrections_need_a_right_of_their_own(ingress: Ingress, name: str):
    path, headers, body = CORRECTIONS[name]
    sent = headers | {"authorization": f"Bearer {SENDER}"}
    found = assert_problem(await ingress.client.post(path, content=body, headers=sent), 403, "forbidden")
    assert found["detail"] == "Corrections need a token with the right to send them"
    assert not ingress.publisher.records, "of a batch too"
    sent = headers | {"authorization": f"Bearer {CORRECTOR}"}
    assert (await ingress.client.post(path, content=body, headers=sent)).status_code == 202
    assert ingress.publisher.records


@pytest.mark.parametrize("name", CORRECTIONS)
async def test_whoever_reaches_an_ingress_on_this_machine_may_correct(name: str):
    path, headers, body = CORRECTIONS[name]
    async with running() as ingress:
        assert (await ingress.client.post(path, content=body, headers=headers)).status_code == 202


@pytest.mark.parametrize("name", CORRECTIONS)
async def test_an_open_ingress_takes_events_from_other_machines_and_no_corrections(name: str):
    path, headers, body = CORRECTIONS[name]
    async with running(Settings(host="0.0.0.0", open=True)) as ingress:  # noqa: S104 - nothing listens
        assert (await post(ingress)).status_code == 202
        assert (await post(ingress, "a-token-of-knative")).status_code == 202, "nothing could check it"
        refused = await ingress.client.post(path, content=body, headers=headers)
        assert_problem(refused, 403, "forbidden")


async def test_subjects_correct_when_they_are_named_for_it():
    async with (
        answering() as issuer,
        running(callers=trusting(issuer, [SUBJECT], ["system:serviceaccount:ops:*"])) as ingress,
    ):
        path, headers, body = CORRECTIONS["binary"]
        for subject, status in ((SUBJECT, 403), ("system:serviceaccount:ops:lead", 202)):
            sent = headers | {"authorization": f"Bearer {issuer.token(sub=subject)}"}
            assert (await ingress.client.post(path, content=body, headers=sent)).status_code == status
        assert (await post(ingress, issuer.token(sub="system:serviceaccount:ops:lead"))).status_code == 202


async def test_web_hooks_cannot_smuggle_corrections():
    """Harbor's hooks carry whole CloudEvents, Kubewatch's too; their secret is for what they tell."""
    secret = FixedSecrets([b"s3cret"])
    names = ("harbor", "kubewatch", "generic", "alertmanager", "argocd", "opsgenie")
    async with running(hooks=hooks(**dict.fromkeys(names, secret))) as ingress:
        for name in names:
            for event in (ATTRIBUTION, EVENT | {"type": CDEVENT_TYPE, "data": CDEVENT}):
                for content_type in ("application/cloudevents+json", "application/json"):
                    headers = {"authorization": "Bearer s3cret", "content-type": content_type}
                    headers |= {"ce-type": "dev.dora.attribution.set.v1", "ce-id": "1", "ce-source": "/x"}
                    await ingress.client.post(f"/webhooks/{name}", json=event, headers=headers)
        types = {read_record(record.headers, record.value).type for record in ingress.publisher.records}
        assert not [type_ for type_ in types if type_.startswith(("dev.dora.attr", "dev.cdeventsx"))]
        assert types, "something was sent"
        assert ingress.counter("requests_refused_total", reason="forbidden") > 0


async def test_reports_are_events_like_others(ingress: Ingress):
    response = await ingress.client.post(
        "/", json=EVENT | {"type": "dev.dora.report.deployment.v1"},
        headers=STRUCTURED | {"authorization": f"Bearer {SENDER}"},
    )  # fmt: skip
    assert response.status_code == 202


def test_every_type_of_our_own_is_a_correction_unless_it_reports():
    """Whatever a transformer takes under our own name is either what somebody reports, or guarded."""
    ours = [
        name for source in find_sources().values() for name in (*source.types, *source.prefixes)
        if name.startswith("dev.dora.")
    ]  # fmt: skip
    assert {name for name in ours if not is_correction(f"{name}x")} == {"dev.dora.report."}
    assert any(is_correction(f"{name}x") for name in ours)
