import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from schemas.cdevents.cloudevent import read_cdevent, to_record
from schemas.cdevents.event import complete
from schemas.cdevents.native import accept, draft_of, read_native
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.kafka import read_record
from tests.cdevents.documents import FIXTURES, changed, example, examples, load, mutations, nested

DEPLOYED = example("service_deployed")


def sent(document: Any, **attributes: str) -> CloudEvent:
    envelope = {"specversion": "1.0", "id": "1", "source": "/relay", "type": DEPLOYED["context"]["type"]}
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    return CloudEvent({**envelope, **attributes}, body)


def refused(document: object) -> str:
    with pytest.raises(InvalidCloudEvent) as raised:
        accept(document)
    return raised.value.reason


def test_a_valid_cdevent_is_accepted_as_it_is():
    assert accept(DEPLOYED) == DEPLOYED


def test_an_older_one_is_accepted_upgraded():
    upgraded = accept(load("seed-golden/cdevents_raw.json")[0])
    assert upgraded["context"]["type"] == "dev.cdevents.service.deployed.0.3.0"


@pytest.mark.parametrize(
    "file", sorted((FIXTURES / "cdevents" / "invalid").glob("*.json")), ids=lambda f: f.stem
)
def test_every_mutant_is_refused_with_the_schemas_reason(file):
    assert "not a valid CDEvent: $." in refused(json.loads(file.read_text())["event"]).replace("$:", "$.")


@pytest.mark.parametrize("document", [None, [], "text", 17])
def test_what_is_no_object_is_refused(document):
    assert "context and subject" in refused(document)


def test_what_cannot_be_upgraded_is_refused_with_the_field():
    document = changed(example("pipelinerun_started", "v0.4.1"), "subject.content.url", "/apis/run")
    assert "subject.content.uri" in refused(document)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("context.id", "a\x00b", "id has a control character"),
        ("context.id", "x" * 2000, "id is longer than 1024 bytes"),
        ("context.timestamp", "0000-01-01T00:00:00Z", "time must be RFC 3339"),
        ("context.timestamp", "9999-12-31T23:59:59-23:59", "time must be RFC 3339"),
        ("subject.id", "shop\n", "subject has a control character"),
        ("subject.id", "é" * 600, "subject.id is longer than 1024 bytes"),
        ("subject.content.environment.id", "prod\x00", "subject.content.environment.id has a control"),
        ("subject.content.artifactId", "pkg:x\x00", "subject.content.artifactId has a control"),
        ("customData", nested(300), "nested too deeply"),
    ],
)
def test_what_could_not_be_sent_on_or_stored_is_refused(path, value, reason):
    assert reason in refused(changed(DEPLOYED, path, value))


def test_the_envelope_must_name_the_type_of_the_cdevent():
    with pytest.raises(InvalidCloudEvent, match=r"context\.type is not the type of the CloudEvent"):
        read_native(sent(DEPLOYED, type="dev.cdevents.service.removed.0.3.0"))


def test_a_relay_may_give_the_envelope_an_id_and_a_source_of_its_own():
    assert read_native(sent(DEPLOYED, id="relayed-1", source="/relay")) == DEPLOYED


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"null", b"[]", b'"text"', b"{}"])
def test_data_that_is_no_cdevent_is_refused(body):
    with pytest.raises(InvalidCloudEvent):
        read_native(sent(body))
    with pytest.raises(InvalidCloudEvent):
        read_native(CloudEvent(sent(body).attributes, None))


def test_a_name_that_stands_twice_is_refused():
    body = orjson.dumps(DEPLOYED).replace(b'"subject":', b'"subject":{"id":"other"},"subject":', 1)
    with pytest.raises(InvalidCloudEvent, match="the same name twice"):
        read_native(sent(body))


@pytest.mark.parametrize("number", ["18446744073709551616", "-9223372036854775809", "1" + "0" * 40])
def test_an_integer_that_would_be_rounded_is_refused(number):
    body = orjson.dumps({**DEPLOYED, "customData": {"n": 0}}).replace(b'"n":0', f'"n":{number}'.encode())
    with pytest.raises(InvalidCloudEvent, match="wider than 64 bits"):
        read_native(sent(body))


@pytest.mark.parametrize(
    "number", ["18446744073709551615", "-9223372036854775808", '"123456789012345678901234"']
)
def test_an_integer_that_fits_and_digits_in_text_are_kept(number):
    body = orjson.dumps({**DEPLOYED, "customData": {"n": 0}}).replace(b'"n":0', f'"n":{number}'.encode())
    assert orjson.dumps(read_native(sent(body))) == body


@settings(max_examples=300, deadline=None)
@given(mutations([document for _, document in [*examples("v0.4.1"), *examples("v0.5.1")]]))
def test_what_is_accepted_can_be_sent_and_read_back(document):
    try:
        accepted = accept(document)
    except InvalidCloudEvent:
        return
    cdevent = complete(draft_of(accepted), rule="native_cdevent", cause=("/relay", "1"), ordinal=0)
    _, value, headers = to_record(cdevent, None)
    read = read_cdevent(read_record(headers, value))
    assert (read.document, read.cause) == (accepted, ("/relay", "1"))
