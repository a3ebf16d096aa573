import copy
import json
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings

from schemas.cdevents.upgrade import NotUpgradeable, upgrade
from schemas.cdevents.validate import errors_of
from tests.cdevents.documents import FIXTURES, changed, example, examples, load, mutations, name_of, nested

OLD_SCHEMAS = FIXTURES / "cdevents" / "v0.4.1"
FINISHED = example("pipelinerun_finished", "v0.4.1")


def peer(version: str) -> list[Any]:
    folders = sorted((FIXTURES / "cdviz" / f"cdevents_v{version}_upgrade").iterdir())
    return [pytest.param(f"cdviz/{f.parent.name}/{f.name}", id=f.name) for f in folders]


def upstream() -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = load("seed-golden/cdevents_raw.json")
    return documents


@pytest.mark.parametrize(("name", "document"), examples("v0.4.1"), ids=name_of)
def test_every_official_0_4_1_example_becomes_a_valid_0_5_1(name, document):
    before = copy.deepcopy(document)
    upgraded = upgrade(document)
    assert document == before
    assert errors_of(upgraded) == []
    assert upgraded["context"]["specversion"] == "0.5.1"
    for kept in ("id", "source", "timestamp", "chainId", "links", "schemaUri"):
        assert upgraded["context"].get(kept) == document["context"].get(kept)
    assert upgraded["subject"]["id"] == document["subject"]["id"]
    assert upgraded.get("customData") == document.get("customData")


def test_all_official_0_4_1_examples_were_tried():
    assert len(examples("v0.4.1")) == 45 + 1


def test_what_changed_from_0_4_1_changes_and_nothing_else():
    assert upgrade(FINISHED) == {
        "context": {
            **{key: value for key, value in FINISHED["context"].items() if key != "version"},
            "specversion": "0.5.1",
            "type": "dev.cdevents.pipelinerun.finished.0.3.0",
        },
        "subject": {
            "id": "mySubject123",
            "source": "/event/source/123",
            "content": {
                "pipelineName": "myPipeline",
                "uri": "https://www.example.com/mySubject123",
                "outcome": "failure",
                "errors": FINISHED["subject"]["content"]["errors"],
            },
        },
    }


@pytest.mark.parametrize("case", peer("0_4"))
def test_a_peer_agrees_about_0_4_but_for_the_label(case):
    # cdviz stops at 0.5.0, whose schemas of three finished events forbid the specversion that they should
    # require. 0.5.1 has the same types, so the label is the whole difference.
    expected = load(f"{case}/expected.json")
    assert expected["context"]["specversion"] == "0.5.0"
    assert upgrade(load(f"{case}/input.json")) == changed(expected, "context.specversion", "0.5.1")


@pytest.mark.parametrize("case", peer("0_3"))
def test_a_peer_agrees_about_0_3_as_far_as_it_goes(case):
    # cdviz goes in steps and stops here at 0.4.1; its result upgrades to the same event as its input does.
    upgraded = upgrade(load(f"{case}/input.json"))
    assert upgraded == upgrade(load(f"{case}/expected.json"))
    assert errors_of(upgraded) == []


@pytest.mark.parametrize("number", range(7))
def test_what_the_upstream_emitted_as_0_1_becomes_0_5_1(number):
    document = upstream()[number]
    upgraded = upgrade(document)
    assert errors_of(upgraded) == []
    assert upgraded["context"] == {
        "specversion": "0.5.1",
        "id": document["context"]["id"],
        "source": document["context"]["source"],
        "type": "dev.cdevents.service.deployed.0.3.0",
        "timestamp": document["context"]["timestamp"],
    }
    assert upgraded["subject"] == {key: value for key, value in document["subject"].items() if key != "type"}
    assert upgraded["customData"] == document["customData"]


def test_all_that_the_upstream_emitted_was_tried():
    assert len(upstream()) == 7


@pytest.mark.parametrize("predicate", ["deployed", "upgraded", "rolledback", "removed", "published"])
@pytest.mark.parametrize("version", ["0.1.0", "0.1.1", "0.2.0"])
def test_services_of_all_older_versions_upgrade(predicate, version):
    document = changed(upstream()[0], "context.type", f"dev.cdevents.service.{predicate}.{version}")
    if predicate in ("removed", "published"):
        document = changed(document, "subject.content.artifactId", ...)
    upgraded = upgrade(document)
    assert upgraded["context"]["type"] == f"dev.cdevents.service.{predicate}.0.3.0"
    assert errors_of(upgraded) == []


def test_an_empty_source_of_0_1_is_left_out():
    document = changed(upstream()[0], "subject.source", "")
    document = changed(document, "subject.content.environment.source", "")
    upgraded = upgrade(document)
    assert "source" not in upgraded["subject"]
    assert upgraded["subject"]["content"]["environment"] == {"id": "default"}
    assert "upgradedFrom" not in upgraded["customData"]


def test_names_of_0_4_0_become_camel_case():
    context = {
        "version": "0.4.0",
        "id": "1",
        "source": "/ci",
        "type": "dev.cdevents.build.started.0.2.0",
        "timestamp": "2024-03-20T14:27:05Z",
        "chain_id": "4c8cb7dd-3448-41de-8768-eec704e2829b",
        "links": [
            {"link_type": "RELATION", "link_kind": "TRIGGER", "target": {"context_id": "2"}},
            {"link_type": "PATH", "from": {"context_id": "3"}, "tags": {"link_type": "x"}},
        ],
    }
    upgraded = upgrade({"context": context, "subject": {"id": "b", "type": "build", "content": {}}})
    assert upgraded["context"]["chainId"] == context["chain_id"]
    assert upgraded["context"]["links"] == [
        {"linkType": "RELATION", "linkKind": "TRIGGER", "target": {"contextId": "2"}},
        {"linkType": "PATH", "from": {"contextId": "3"}, "tags": {"link_type": "x"}},
    ]
    assert errors_of(upgraded) == []


@pytest.mark.parametrize(
    ("told", "outcome"),
    [("success", "success"), ("Succeeded", "success"), ("pass", "success"), ("FAILED", "failure"),
     ("fail", "failure"), ("cancelled", "cancel"), ("error", "error")],
)  # fmt: skip
def test_a_runs_outcome_becomes_a_word_of_the_enumeration(told, outcome):
    upgraded = upgrade(changed(FINISHED, "subject.content.outcome", told))
    assert upgraded["subject"]["content"]["outcome"] == outcome
    assert errors_of(upgraded) == []


def test_a_relative_link_and_an_odd_outcome_move_to_custom_data():
    document = changed(FINISHED, "subject.content.url", "job/deploy/17")
    document = changed(document, "subject.content.outcome", "skipped")
    upgraded = upgrade(document)
    assert errors_of(upgraded) == []
    assert set(upgraded["subject"]["content"]) == {"pipelineName", "errors"}
    assert upgraded["customData"]["upgradedFrom"] == {
        "type": "dev.cdevents.pipelinerun.finished.0.2.0",
        "subject.content.uri": "job/deploy/17",
        "subject.content.outcome": "skipped",
    }


def test_the_link_of_a_test_suite_is_renamed_and_a_relative_view_moves():
    queued = changed(
        example("testsuiterun_queued", "v0.4.1"), "subject.content.testSuite.url", "https://t.example/1"
    )
    upgraded = upgrade(queued)
    assert upgraded["subject"]["content"]["testSuite"]["uri"] == "https://t.example/1"
    assert errors_of(upgraded) == []
    created = upgrade(
        changed(example("repository_created", "v0.4.1"), "subject.content.viewUrl", "/acme/shop")
    )
    assert created["customData"]["upgradedFrom"]["subject.content.viewUrl"] == "/acme/shop"
    assert errors_of(created) == []


def test_custom_data_that_was_there_stays_beside_what_moved():
    document = changed(FINISHED, "subject.content.url", "job/deploy/17") | {"customData": {"mine": 1}}
    assert upgrade(document)["customData"]["mine"] == 1
    document["customData"] = "VGV4dA=="
    with pytest.raises(NotUpgradeable, match=r"subject\.content\.uri.*customData"):
        upgrade(document)


@pytest.mark.parametrize(
    ("example_of_0_4_1", "path", "value", "named"),
    [
        ("pipelinerun_started", "subject.content.url", "/apis/run", "$.subject.content.uri"),
        ("repository_created", "subject.content.url", "git@host:x", "$.subject.content.uri"),
        ("service_deployed", "subject.content.artifactId", ..., '"artifactId"'),
        ("service_deployed", "subject.content", ..., "subject.content"),
        ("service_deployed", "context.id", ..., '"id"'),
        ("service_deployed", "context.source", "no reference", "$.context.source"),
        ("testcaserun_finished", "subject.content.outcome", "passed", "$.subject.content.outcome"),
    ],
)
def test_what_0_5_1_cannot_express_is_named(example_of_0_4_1, path, value, named):
    with pytest.raises(NotUpgradeable) as raised:
        upgrade(changed(example(example_of_0_4_1, "v0.4.1"), path, value))
    assert named in raised.value.reason


@pytest.mark.parametrize(
    "name", ["testcase.queued", "testcase.started", "testsuite.started", "testsuite.finished"]
)
def test_tests_of_0_2_lack_the_environment_that_later_versions_require(name):
    context = {
        "version": "0.2.0",
        "id": "1",
        "source": "/ci",
        "type": f"dev.cdevents.{name}.0.1.1",
        "timestamp": "2023-03-20T14:27:05Z",
    }
    with pytest.raises(NotUpgradeable, match="environment"):
        upgrade({"context": context, "subject": {"id": "t", "type": "testCase", "content": {}}})


@pytest.mark.parametrize(("name", "document"), examples("v0.5.1"), ids=name_of)
def test_0_5_1_comes_back_as_it_is_and_0_5_0_with_another_label(name, document):
    assert upgrade(document) == document
    assert upgrade(changed(document, "context.specversion", "0.5.0")) == document


@pytest.mark.parametrize(
    "file", sorted((FIXTURES / "cdevents" / "invalid").glob("*.json")), ids=lambda f: f.stem
)
def test_an_invalid_0_5_1_is_not_mended(file):
    event = json.loads(file.read_text())["event"]
    assert upgrade(event) == event


@pytest.mark.parametrize(
    "event_type",
    [
        "dev.cdevents.service.deployed.0.4.0",
        "dev.cdevents.service.deployed.1.0.0",
        "dev.cdevents.service.deployed.0.3",
        "dev.cdevents.service.deployed.0.2.0-draft",
        "dev.cdevents.service.deployed.0.0.¹",
        "dev.cdevents.approval.created.0.1.0",
        "service.deployed.0.1.0",
    ],
)
def test_what_is_not_recognised_as_older_comes_back_as_it_is(event_type):
    document = changed(example("service_deployed", "v0.4.1"), "context.type", event_type)
    assert upgrade(document) == document
    assert errors_of(document)


def test_a_wrong_label_decides_nothing():
    # cdviz labels 0.4 events 0.5.0, and spec.md of 0.5.1 says in one place to write 0.1.1.
    older = changed(example("change_created", "v0.4.1"), "context.version", ...)
    older = changed(older, "context.specversion", "0.5.0")
    assert upgrade(older) == upgrade(example("change_created", "v0.4.1"))
    assert upgrade(changed(example("change_created"), "context.specversion", "0.1.1")) == example(
        "change_created"
    )


@pytest.mark.parametrize("document", [{}, {"context": None}, {"context": {"type": 1}}, {"context": {}}])
def test_what_has_no_type_comes_back_as_it_is(document):
    assert upgrade(document) == document


def test_a_deep_document_does_not_raise():
    document = example("service_deployed", "v0.4.1") | {"customData": nested(900)}
    assert upgrade(document)["customData"] == document["customData"]


@cache
def validator_0_4_1(event_type: str) -> jsonschema_rs.Validator | None:
    schemas = {
        schema["$id"]: schema
        for file in OLD_SCHEMAS.rglob("*.json")
        if "$id" in (schema := json.loads(file.read_text()))
    }
    registry = jsonschema_rs.Registry(list(schemas.items()))
    for schema in schemas.values():
        context = schema["properties"].get("context") if "properties" in schema else None
        if context is not None and event_type in context["properties"]["type"].get("enum", ()):
            return jsonschema_rs.validator_for(schema, registry=registry, validate_formats=True, offline=True)
    return None


def valid_in_0_4_1(document: dict[str, Any]) -> bool:
    event_type = (
        document.get("context", {}).get("type") if isinstance(document.get("context"), dict) else None
    )
    validator = validator_0_4_1(event_type) if isinstance(event_type, str) else None
    return validator is not None and validator.is_valid(document)


def test_the_oracle_of_the_next_test_knows_0_4_1():
    assert all(valid_in_0_4_1(document) for _, document in examples("v0.4.1")[:-1])
    assert not valid_in_0_4_1(changed(FINISHED, "subject.type", ...))


def attempt(document: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    try:
        return upgrade(document), ""
    except NotUpgradeable as error:
        return None, error.reason


@settings(max_examples=400, deadline=None)
@given(mutations([document for _, document in [*examples("v0.4.1"), *examples("v0.5.1")]] + upstream()))
def test_it_returns_or_says_why_not_and_changes_nothing_in_place(document):
    before = copy.deepcopy(document)
    upgraded, reason = attempt(document)
    assert document == before
    if upgraded is None:
        assert reason
        return
    assert upgrade(upgraded) == upgraded
    for kept in ("id", "source", "timestamp"):
        if isinstance(document.get("context"), dict):
            assert upgraded["context"].get(kept) == document["context"].get(kept)


@settings(max_examples=400, deadline=None)
@given(mutations([document for _, document in examples("v0.4.1")]))
def test_a_valid_0_4_1_becomes_valid_or_is_refused_for_a_field_that_became_stricter(document):
    if not valid_in_0_4_1(document):
        return
    upgraded, reason = attempt(document)
    if upgraded is None:
        assert "subject.content.uri" in reason or "viewUrl" in reason or "customData" in reason
    else:
        assert errors_of(upgraded) == []
