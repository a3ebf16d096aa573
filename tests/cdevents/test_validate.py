import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.cdevents.validate import LONGEST_ERROR, errors_of
from tests.cdevents.documents import FIXTURES, changed, example, examples, mutations, name_of, nested

DEPLOYED = example("service_deployed")
CUSTOM = dict(examples("v0.5.1"))["v0.5.1/conformance"]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(("name", "document"), examples("v0.5.1"), ids=name_of)
def test_every_official_example_is_valid(name, document):
    assert errors_of(document) == []


def test_all_official_examples_were_tried():
    assert len(examples("v0.5.1")) == 45 + 1


@pytest.mark.parametrize(
    "file", sorted((FIXTURES / "cdevents" / "invalid").glob("*.json")), ids=lambda f: f.stem
)
def test_every_mutant_is_rejected_where_it_was_mutated(file: Path):
    case = json.loads(file.read_text())
    errors = errors_of(case["event"])
    assert errors
    paths = {error.partition(":")[0] for error in errors}
    expected = {e.partition(":")[0] for e in case["errors"] if e.startswith("$")} or {"$.context.type"}
    assert expected <= paths


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("context.type", "dev.cdevents.service.moved.0.1.0", "no type 'dev.cdevents.service.moved.0.1.0'"),
        ("context.type", "dev.cdevents.service.deployed.9.9.9", "'dev.cdevents.service.deployed.9.9.9' is"),
        ("context.type", "dev.cdevents.service.deployed.0.2.0", "is not the version known here, 0.3.0"),
        ("context.type", "dev.cdevents.approval.created.0.1.0", "has no type"),
        ("context.type", "com.github.push", "has no type"),
        ("context.type", 17, "$.context.type"),
        ("context", [], "$.context"),
        ("subject.content.environment.id", "", "$.subject.content.environment.id: the value is shorter"),
        ("subject.content.environment.id", "", "(minLength)"),
        ("context.timestamp", "2026-01-31T10:00:00", '$.context.timestamp: the value is not a "date-time"'),
        ("context.schemaUri", "/relative", '$.context.schemaUri: the value is not a "uri" (format)'),
        ("customData", 17, "$.customData"),
    ],
)
def test_an_error_names_the_path_and_the_rule(path, value, error):
    assert any(error in found for found in errors_of(changed(DEPLOYED, path, value)))


@pytest.mark.parametrize("document", [None, [], "text", 1, True, {}, {"context": {}}])
def test_what_is_no_cdevent_at_all_has_an_error(document):
    assert errors_of(document)


def test_an_error_repeats_no_value_and_is_short():
    secret = "s3cret-" * 100
    document = changed(DEPLOYED, "context.timestamp", secret)
    document = changed(document, "subject.content.environment.id", {secret: secret})
    document = changed(document, "context." + "n" * 500, 1)
    errors = errors_of(document)
    assert len(errors) == 3
    assert all(len(error) <= LONGEST_ERROR for error in errors)
    assert not any("s3cret" in error for error in errors)
    assert len(errors_of(changed(DEPLOYED, "context.type", "dev.cdevents." + secret))[0]) <= LONGEST_ERROR


def test_a_custom_event_of_another_tool_is_held_against_the_custom_schema():
    assert errors_of(CUSTOM) == []
    assert errors_of(changed(CUSTOM, "subject.content", "text")) == [
        '$.subject.content: the value is not of type "object" (type)'
    ]


@pytest.mark.parametrize(
    "event_type",
    [
        "dev.cdeventsx.mytool.created.0.1.0",
        "dev.cdeventsx.my-own-tool.created.0.1.0",
        "dev.cdeventsx.mytool-resource2.created.0.1.0",
        "dev.cdeventsx.mytool-resource.created.0.10.0",
    ],
)
def test_a_custom_type_has_one_hyphen_no_digits_in_its_subject_and_single_digits(event_type):
    assert any("pattern" in error for error in errors_of(changed(CUSTOM, "context.type", event_type)))


def own(name: str, **content: object) -> dict[str, object]:
    document = changed(CUSTOM, "context.type", f"dev.cdeventsx.{name}")
    return changed(document, "subject.content", content)


COMMIT = {"repository": {"id": "acme/shop"}, "branch": "main", "order": 0}
FAILED = {"environment": {"id": "production"}, "reason": "timed out"}


@pytest.mark.parametrize(
    ("document", "errors"),
    [
        (own("dora-commit.pushed.0.1.0", **COMMIT), []),
        (own("dora-commit.pushed.0.1.0", **{**COMMIT, "order": -1}), ["$.subject.content.order"]),
        (own("dora-commit.pushed.0.1.0", **COMMIT, committedAt="today"), ["$.subject.content.committedAt"]),
        (own("dora-commit.pushed.0.1.0", **COMMIT, author="Ada"), ["$.subject.content"]),
        (own("dora-deployment.failed.0.1.0", **FAILED), []),
        (own("dora-deployment.failed.0.1.0", **FAILED, artifactId=""), ["$.subject.content.artifactId"]),
        (own("dora-deployment.failed.0.1.0", reason="timed out"), ["$.subject.content"]),
        (own("dora-deployment.withdrawn.0.1.0", **FAILED), []),
        (own("dora-deployment.withdrawn.0.1.0", environment={"id": "production"}), ["$.subject.content"]),
        (own("dora-deployment.failed.0.2.0", **FAILED), ["$.context.type"]),
        (changed(own("dora-deployment.failed.0.1.0", **FAILED), "subject.id", ...), ["$.subject"]),
    ],
)
def test_our_own_events_have_schemas_of_their_own(document, errors):
    assert [error.partition(":")[0] for error in errors_of(document)] == errors


@pytest.mark.parametrize(
    ("dora", "paths"),
    [
        ({"service": "shop", "commit": None, "repository": "", "evidence": 3, "own": {"x": 1}}, []),
        ({"service": 17, "evidence": -1}, ["$.customData.dora.service", "$.customData.dora.evidence"]),
        ({"evidence": 2**60}, ["$.customData.dora.evidence"]),
        ({"evidence": True}, ["$.customData.dora.evidence"]),
        ({"environment": "prod\x00"}, ["$.customData.dora.environment"]),
        ({"deploy_id": "x" * 513}, ["$.customData.dora.deploy_id"]),
        ("text", ["$.customData.dora"]),
    ],
)
def test_custom_data_dora_keeps_its_contract(dora, paths):
    found = errors_of(changed(DEPLOYED, "customData", {"dora": dora}))
    assert sorted(error.partition(":")[0] for error in found) == sorted(paths)


@pytest.mark.parametrize("custom", ["VGV4dA==", {"anything": [1, {"dora": 2}]}])
def test_other_custom_data_is_left_alone(custom):
    assert errors_of(changed(DEPLOYED, "customData", custom)) == []


@pytest.mark.parametrize("levels", [10, 300, 900])
def test_deep_documents_do_not_raise(levels):
    deep = nested(levels)
    assert isinstance(errors_of({**DEPLOYED, "customData": deep}), list)
    assert errors_of({**DEPLOYED, "subject": deep})


@pytest.mark.parametrize(
    "strange", [{1: 2}, {"a": object()}, {"a": b"bytes"}, {"a": float("nan")}, {"a": "\ud800"}]
)
def test_what_json_cannot_hold_does_not_raise(strange):
    for document in (
        strange,
        {**DEPLOYED, "subject": strange},
        {**DEPLOYED, "customData": {"dora": strange}},
    ):
        assert isinstance(errors_of(document), list)


@settings(max_examples=300, deadline=None)
@given(st.one_of(JSON, mutations([document for _, document in examples("v0.5.1")])))
def test_it_never_raises_and_its_errors_are_short(document):
    assert all(len(error) <= LONGEST_ERROR and error.isprintable() for error in errors_of(document))


def test_names_that_a_sender_chose_cannot_spoil_a_log_or_a_row():
    errors = errors_of(changed(DEPLOYED, "context.a\x00b\n\u202e", 1))
    assert errors == [
        "$.context: Additional properties are not allowed ('a?b??' was unexpected) (additionalProperties)"
    ]


def test_a_thousand_faults_do_not_make_a_thousand_errors():
    assert len(errors_of(changed(DEPLOYED, "context.links", [{}] * 1000))) == 20
