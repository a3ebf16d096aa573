"""Health, readiness, metrics, OpenAPI, settings."""

import pytest
from pydantic import ValidationError

from ingress.settings import HEADROOM, Settings
from tests.ingress.recording import Ingress, assert_problem, running

BINARY = {"ce-specversion": "1.0", "ce-id": "1", "ce-type": "t", "ce-source": "/s"}
BROKER_DEFAULT = 1_048_588  # message.max.bytes of Apache Kafka


async def test_the_publisher_runs_as_long_as_the_application():
    async with running() as ingress:
        assert ingress.publisher.running
    assert not ingress.publisher.running


async def test_readiness_follows_kafka_and_liveness_does_not(ingress: Ingress):
    assert (await ingress.client.get("/readyz")).json() == {"status": "ready"}
    ingress.publisher.problem = "the broker does not answer"
    response = await ingress.client.get("/readyz")
    assert assert_problem(response, 503, "unavailable")["detail"] == "the broker does not answer"
    assert response.headers["retry-after"]
    assert (await ingress.client.get("/healthz")).status_code == 200


async def test_readiness_drops_before_the_end(ingress: Ingress):
    ingress.app.state.draining = True
    assert (await ingress.client.get("/readyz")).status_code == 503
    assert (await ingress.client.post("/", headers=BINARY)).status_code == 202


async def test_metrics_hold_what_they_promise(ingress: Ingress):
    await ingress.client.post("/", headers=BINARY)
    await ingress.client.post("/", headers={**BINARY, "ce-id": ""})
    await ingress.client.get("/nowhere/secret")
    await ingress.client.get("/readyz")
    text = (await ingress.client.get("/metrics")).text
    assert "dora_ingress_requests_total 3.0" in text
    assert "dora_ingress_requests_accepted_total 1.0" in text
    assert 'dora_ingress_requests_refused_total{reason="invalid-event"} 1.0' in text
    assert 'dora_ingress_requests_refused_total{reason="not-found"} 1.0' in text
    assert 'dora_ingress_events_accepted_total{mode="binary"} 1.0' in text
    assert "dora_ingress_publish_seconds_count 1.0" in text
    assert "dora_ingress_requests_in_flight 0.0" in text
    assert "secret" not in text


async def test_openapi_describes_every_endpoint(ingress: Ingress):
    document = (await ingress.client.get("/openapi.json")).json()
    paths = {"/", "/cloudevents", "/cdevents", "/webhooks/{provider}", "/healthz", "/readyz", "/metrics"}
    assert set(document["paths"]) == paths
    post = document["paths"]["/cloudevents"]["post"]
    assert {"202", "400", "413", "415", "431", "503"} <= set(post["responses"])
    assert "application/cloudevents-batch+json" in post["requestBody"]["content"]
    operations = [each["operationId"] for path in document["paths"].values() for each in path.values()]
    assert len(operations) == len(set(operations))


def test_b15_a_body_at_the_cap_fits_a_record_and_a_record_the_broker():
    settings = Settings()
    assert settings.body_limit + HEADROOM == settings.message_limit < BROKER_DEFAULT


@pytest.mark.parametrize(
    "wrong",
    [
        {"send_timeout": 9},
        {"send_timeout": 0},
        {"port": 70000},
        {"batch_limit": 6000},
        {"buffer_limit": 1024 * 1024, "body_limit": 2 * 1024 * 1024},
        {"partitions": 0},
    ],
)
def test_settings_that_contradict_themselves_are_refused_at_start(wrong: dict[str, int]):
    with pytest.raises(ValidationError):
        Settings(**wrong)


def test_settings_come_from_the_environment_and_are_not_repeated(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DORA_KAFKA", "broker:9092")
    monkeypatch.setenv("DORA_TOPIC_PREFIX", "one.")
    assert Settings().kafka == "broker:9092"
    assert Settings().topics["cloudevents"] == "one.cloudevents"
    monkeypatch.setenv("DORA_PARTITIONS", "secret")
    with pytest.raises(ValidationError) as refusal:
        Settings()
    assert "secret" not in str(refusal.value)
