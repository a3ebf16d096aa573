import orjson
import pytest

from schemas.cdevents.cloudevent import key_of, read_cdevent, to_record
from schemas.cdevents.event import CDEvent
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.kafka import read_record
from tests.cdevents.documents import changed, example, examples, name_of

DEPLOYED = example("service_deployed")
CAUSE = ("https://10.96.0.1:443", "e1")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(("name", "document"), examples("v0.5.1"), ids=name_of)
def test_a_record_carries_the_attributes_that_the_binding_demands(name, document):
    _, value, headers = to_record(CDEvent(document, CAUSE), None)
    context = document["context"]
    assert dict(headers) == {
        "ce_specversion": b"1.0",
        "ce_id": context["id"].encode(),
        "ce_source": context["source"].encode(),
        "ce_type": context["type"].encode(),
        "ce_subject": document["subject"]["id"].encode(),
        "ce_time": context["timestamp"].encode(),
        "content-type": b"application/json",
        "ce_causesource": b"https://10.96.0.1:443",
        "ce_causeid": b"e1",
    }
    assert len(headers) == len(dict(headers))
    assert orjson.loads(value) == document


@pytest.mark.parametrize(("name", "document"), examples("v0.5.1"), ids=name_of)
def test_there_and_back(name, document):
    cdevent = CDEvent(document, CAUSE)
    _, value, headers = to_record(cdevent, TRACE)
    assert read_cdevent(read_record(headers, value)) == cdevent


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-01-31T12:00:00.123456789Z",
        "2026-01-31T12:00:00+00:00",
        "2016-12-31T23:59:60Z",
        "2026-01-31t12:00:00z",
    ],
)
def test_the_time_is_the_timestamp_to_the_letter(timestamp):
    _, _, headers = to_record(CDEvent(changed(DEPLOYED, "context.timestamp", timestamp), CAUSE), None)
    assert dict(headers)["ce_time"] == timestamp.encode()


def test_the_trace_context_goes_along_as_header_and_as_extension():
    _, _, headers = to_record(CDEvent(DEPLOYED, CAUSE), TRACE)
    assert dict(headers)["traceparent"] == dict(headers)["ce_traceparent"] == TRACE.encode()


def test_attributes_beyond_ascii_are_utf_8():
    document = changed(DEPLOYED, "subject.id", "kasse-ü")
    key, value, headers = to_record(CDEvent(document, CAUSE), None)
    assert dict(headers)["ce_subject"] == "kasse-ü".encode()
    assert key == "test123/kasse-ü".encode()
    assert read_cdevent(read_record(headers, value)).subject_id == "kasse-ü"


def keyed(name: str, **dora: str) -> bytes:
    document = example(name)
    return key_of(CDEvent({**document, "customData": {"dora": dora}} if dora else document, CAUSE))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (keyed("service_deployed"), b"test123/mySubject123"),
        (keyed("service_deployed", service="shop"), b"test123/shop"),
        (keyed("service_rolledback", service="shop", environment="production"), b"production/shop"),
        (keyed("incident_detected"), b"prod1/myApp"),
        (keyed("incident_resolved", service="shop", environment="production"), b"production/shop"),
        (keyed("change_merged", service="shop", environment="production"), b"mySubject123"),
        (keyed("pipelinerun_finished", service="shop"), b"mySubject123"),
        (keyed("artifact_published"), b"pkg:golang/mygit.com/myorg/myapp@234fd47e07d1004f0aed9c"),
    ],
)
def test_the_key_is_the_subjects_identity(key, expected):
    assert key == expected


def test_all_that_is_told_of_a_service_in_an_environment_has_one_key():
    dora = {"service": "shop", "environment": "production"}
    names = (
        "service_deployed",
        "service_upgraded",
        "service_removed",
        "incident_detected",
        "incident_reported",
    )
    failed = changed(
        example("service_deployed"), "context.type", "dev.cdeventsx.dora-deployment.failed.0.1.0"
    )
    keys = {keyed(name, **dora) for name in names}
    assert keys | {key_of(CDEvent({**failed, "customData": {"dora": dora}}, CAUSE))} == {b"production/shop"}


def test_without_an_environment_the_service_is_the_key():
    document = changed(example("service_removed"), "subject.content", {})
    assert key_of(CDEvent(document, CAUSE)) == b"mySubject123"


def envelope(document: object, **attributes: str) -> CloudEvent:
    context = DEPLOYED["context"]
    own = {"specversion": "1.0", **{name: context[name] for name in ("id", "source", "type")}}
    return CloudEvent({**own, **attributes}, orjson.dumps(document))


def test_an_event_without_a_cause_is_its_own():
    assert read_cdevent(envelope(DEPLOYED)).cause == (
        DEPLOYED["context"]["source"],
        DEPLOYED["context"]["id"],
    )


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (envelope(DEPLOYED, id="other"), "are not those of the CDEvent"),
        (envelope(DEPLOYED, source="/other"), "are not those of the CDEvent"),
        (envelope(DEPLOYED, type="dev.cdevents.service.removed.0.3.0"), "are not those of the CDEvent"),
        (envelope(changed(DEPLOYED, "context.timestamp", "yesterday")), "$.context.timestamp"),
        (envelope([]), "JSON object"),
        (CloudEvent(envelope(DEPLOYED).attributes, None), "JSON object"),
        (CloudEvent(envelope(DEPLOYED).attributes, b"{"), "not valid JSON"),
    ],
)
def test_what_is_no_record_of_ours_is_refused(event, reason):
    with pytest.raises(InvalidCloudEvent) as raised:
        read_cdevent(event)
    assert reason in raised.value.reason
