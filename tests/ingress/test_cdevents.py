"""``POST /cdevents`` takes valid CDEvents and what can be upgraded to one."""

import json
from typing import Any

import pytest

from tests.ingress.recording import Ingress, assert_problem

DEPLOYED: dict[str, Any] = {
    "context": {
        "specversion": "0.5.1",
        "id": "271069a8-fc18-44f1-b38f-9d70a1695819",
        "source": "/ci",
        "type": "dev.cdevents.service.deployed.0.3.0",
        "timestamp": "2026-01-31T12:00:00Z",
    },
    "subject": {
        "id": "checkout",
        "content": {"environment": {"id": "production"}, "artifactId": "pkg:oci/checkout@sha256%3A0b31"},
    },
}
# What the functions of the system that this project replaces emit.
ANCIENT: dict[str, Any] = {
    "context": {
        "version": "0.1.0",
        "id": "0e4627da-ef91-48fa-8141-0fa48d558717",
        "source": "https://10.96.0.1:443",
        "type": "dev.cdevents.service.deployed.0.1.0",
        "timestamp": "2023-08-05T10:00:00Z",
    },
    "subject": {
        "id": "nginx-deployment",
        "source": "ApiServerSource",
        "type": "service",
        "content": {
            "environment": {"id": "default", "source": "https://10.96.0.1:443"},
            "artifactId": "pkg:pkg/default/nginx-deployment@u-1",
        },
    },
}
OLDER: dict[str, Any] = {
    "context": {
        "version": "0.4.1",
        "id": "1",
        "source": "/ci",
        "type": "dev.cdevents.service.deployed.0.2.0",
        "timestamp": "2026-01-31T12:00:00Z",
    },
    "subject": {**DEPLOYED["subject"], "type": "service", "source": "/ci"},
}


def headers_of(document: dict[str, Any], **changed: str) -> dict[str, str]:
    context = document["context"]
    headers = {
        "ce-specversion": "1.0",
        "ce-id": context["id"],
        "ce-source": context["source"],
        "ce-type": context["type"],
        "content-type": "application/json",
    }
    return {**headers, **changed}


def envelope(document: dict[str, Any]) -> dict[str, Any]:
    context = document["context"]
    return {
        "specversion": "1.0",
        "id": context["id"],
        "source": "/ci",
        "type": context["type"],
        "data": document,
    }


@pytest.mark.parametrize("document", [DEPLOYED, OLDER, ANCIENT], ids=["0.5.1", "0.4.1", "0.1.0"])
async def test_cdevents_are_published_unchanged(ingress: Ingress, document: dict[str, Any]):
    body = json.dumps(document, indent=1).encode()
    response = await ingress.client.post("/cdevents", headers=headers_of(document), content=body)
    assert response.status_code == 202, response.text
    (record,) = ingress.publisher.records
    assert record.value == body


async def test_envelopes_and_batches(ingress: Ingress):
    structured = {"content-type": "application/cloudevents+json"}
    response = await ingress.client.post(
        "/cdevents", headers=structured, content=json.dumps(envelope(DEPLOYED))
    )
    assert response.status_code == 202
    batch = {"content-type": "application/cloudevents-batch+json"}
    events = [envelope(DEPLOYED), envelope(ANCIENT)]
    response = await ingress.client.post("/cdevents", headers=batch, content=json.dumps(events))
    assert response.status_code == 202
    assert len(ingress.publisher.records) == 3


def without(document: dict[str, Any], *path: str) -> dict[str, Any]:
    copy = json.loads(json.dumps(document))
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return copy


async def test_the_schema_error_is_named(ingress: Ingress):
    document = without(DEPLOYED, "subject", "content", "artifactId")
    response = await ingress.client.post("/cdevents", headers=headers_of(document), json=document)
    problem = assert_problem(response, 400, "invalid-cdevent")
    assert "artifactId" in problem["detail"]
    assert problem["detail"] == problem["errors"][0]
    assert "index" not in problem
    assert ingress.publisher.records == []


async def test_the_invalid_cdevent_of_a_batch_is_named(ingress: Ingress):
    events = [envelope(DEPLOYED), envelope(without(OLDER, "subject", "content", "environment"))]
    batch = {"content-type": "application/cloudevents-batch+json"}
    response = await ingress.client.post("/cdevents", headers=batch, content=json.dumps(events))
    assert assert_problem(response, 400, "invalid-cdevent")["index"] == 1
    assert ingress.publisher.records == []


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (b"", {}),
        (b"null", {}),
        (b"[]", {}),
        (b"{}", {}),
        (b'{"context": 1}', {}),
        (b"not json", {}),
        (b'{"context": {"id": "1", "id": "2"}}', {}),
        (json.dumps(DEPLOYED).encode(), {"content-type": "text/plain"}),
        (json.dumps(DEPLOYED).encode(), {"ce-type": "com.example.other"}),
        (b"[" * 100_000, {}),
    ],
)
async def test_what_is_no_cdevent(ingress: Ingress, body: bytes, changed: dict[str, str]):
    response = await ingress.client.post("/cdevents", headers=headers_of(DEPLOYED, **changed), content=body)
    assert_problem(response, 400, "invalid-cdevent")
    assert ingress.publisher.records == []


async def test_what_is_no_cloudevent_is_told_so_first(ingress: Ingress):
    response = await ingress.client.post("/cdevents", json=DEPLOYED)
    assert_problem(response, 415, "unsupported-format")
