import inspect
from typing import Any

import pytest

from schemas.cdevents import vocabulary
from schemas.cdevents.event import complete
from schemas.cdevents.validate import errors_of
from schemas.cdevents.versions import OWN_VERSIONS, type_of
from schemas.cdevents.vocabulary.draft import DORA_KEYS

WHEN = {"source": "https://ci.example/acme", "at": "2026-01-31T12:00:00Z"}
URI = {"uri": "https://ci.example/17"}
TOLD = {
    "subject_source": "/elsewhere",
    "fact": "f1",
    "basis": "condition Progressing",
    "channel": "argocd",
    "evidence": 3,
    "head": "5a1b2c3",
    "reverts": "https://git.example/acme/shop/pulls/11",
    "hotfix": True,
    "truncated": True,
}
PLACE = {"service": "shop", "environment": "production"}
DEPLOYED = {**PLACE, "deploy_id": "uid:7", "artifact": "pkg:oci/shop@sha256%3Aabc"}
ORIGIN = {"repository": "acme/shop", "commit": "4f0c1d2"}

ARTIFACT = {"artifact": "pkg:oci/shop@sha256%3Aabc"}
CHANGE = {"change": "12", "repository": "acme/shop"}
BRANCH = {"branch": "main", "repository": "acme/shop"}
COMMIT = {"commit": "4f0c1d2", "repository": "acme/shop", "branch": "main", "order": 0}
PUSH = {"before": "b0", "after": "4f0c1d2", "committed_at": "2026-01-31T11:00:00Z", "service": "shop"}
FAILED = {**PLACE, "deploy_id": "uid:7", "reason": "progress deadline exceeded"}
INCIDENT = {"incident": "i1", "environment": "production"}
SUFFERED = {
    **ORIGIN,
    **ARTIFACT,
    "service": "shop",
    "deploy_id": "uid:7",
    "description": "500s",
    "reason": "r",
    "detected_at": "2026-01-31T11:00:00Z",
}
REPOSITORY = {"repository": "acme/shop", "name": "shop", "uri": "https://git.example/acme/shop.git"}
TASK = {**ORIGIN, **PLACE, **URI, "task": "test", "pipelinerun": "16"}
TICKET = {"ticket": "1", **URI}
TRACKED = {
    **ORIGIN,
    **PLACE,
    "kind": "bug",
    "group": "g",
    "priority": "high",
    "labels": ["a"],
    "milestone": "m",
}

# The event's name, what its builder needs, and what may be known besides.
BUILDERS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "attribution_set": (
        "dora-attribution.set",
        {"deploy_id": "uid:7"},
        {"failed": False, "unplanned": True, "cause": "INC-17", "reason": "r"},
    ),
    "artifact_deleted": ("artifact.deleted", ARTIFACT, {**ORIGIN, "service": "shop"}),
    "artifact_downloaded": ("artifact.downloaded", ARTIFACT, ORIGIN),
    "artifact_packaged": ("artifact.packaged", {**ARTIFACT, "change": "12"}, {**ORIGIN, "sbom": "s.json"}),
    "artifact_published": ("artifact.published", ARTIFACT, {**ORIGIN, "sbom": "https://a.example/s"}),
    "artifact_signed": ("artifact.signed", {**ARTIFACT, "signature": "MEUC"}, ORIGIN),
    "branch_created": ("branch.created", BRANCH, {"commit": "4f0c1d2"}),
    "branch_deleted": ("branch.deleted", BRANCH, {"service": "shop"}),
    "change_abandoned": ("change.abandoned", CHANGE, {"service": "shop"}),
    "change_created": ("change.created", CHANGE, {"description": "Faster"}),
    "change_merged": ("change.merged", CHANGE, {"commit": "4f0c1d2", "branch": "main"}),
    "change_reviewed": ("change.reviewed", CHANGE, {"service": "shop"}),
    "change_updated": ("change.updated", CHANGE, {"commit": "4f0c1d2"}),
    "commit_pushed": ("dora-commit.pushed", COMMIT, PUSH),
    "deployment_failed": ("dora-deployment.failed", FAILED, {**ORIGIN, **ARTIFACT}),
    "deployment_withdrawn": ("dora-deployment.withdrawn", FAILED, ORIGIN),
    "incident_detected": ("incident.detected", INCIDENT, SUFFERED),
    "incident_reported": ("incident.reported", {**INCIDENT, "ticket_uri": "https://t.example/1"}, SUFFERED),
    "incident_resolved": ("incident.resolved", INCIDENT, SUFFERED),
    "pipelinerun_finished": (
        "pipelinerun.finished",
        {"run": "17", "outcome": "failure"},
        {**ORIGIN, **PLACE, **URI, "pipeline": "p", "errors": "e"},
    ),
    "pipelinerun_queued": ("pipelinerun.queued", {"run": "17"}, {**ORIGIN, **URI, "pipeline": "p"}),
    "pipelinerun_started": ("pipelinerun.started", {"run": "17", "pipeline": "p", **URI}, ORIGIN),
    "repository_created": (
        "repository.created",
        REPOSITORY,
        {"owner": "acme", "view_url": "https://g.example"},
    ),
    "repository_deleted": ("repository.deleted", REPOSITORY, {"owner": "acme"}),
    "repository_modified": ("repository.modified", REPOSITORY, {"service": "shop"}),
    "service_deployed": ("service.deployed", DEPLOYED, ORIGIN),
    "service_removed": ("service.removed", PLACE, ORIGIN),
    "service_rolledback": ("service.rolledback", DEPLOYED, ORIGIN),
    "service_upgraded": ("service.upgraded", DEPLOYED, ORIGIN),
    "taskrun_finished": ("taskrun.finished", {"run": "17", "outcome": None}, {**TASK, "errors": "e"}),
    "taskrun_started": ("taskrun.started", {"run": "17"}, TASK),
    "ticket_closed": ("ticket.closed", {**TICKET, "resolution": "completed"}, {**TRACKED, "summary": "s"}),
    "ticket_created": ("ticket.created", {**TICKET, "summary": "s", "creator": "c"}, TRACKED),
    "ticket_updated": ("ticket.updated", TICKET, {**TRACKED, "summary": "s", "labels": []}),
}


def built(name: str, facts: dict[str, Any]) -> dict[str, Any]:
    draft = getattr(vocabulary, name)(**WHEN, **facts)
    return dict(complete(draft, rule="test", cause=("/source", "1"), ordinal=0).document)


def test_every_builder_is_tried():
    assert set(BUILDERS) == set(vocabulary.__all__)


@pytest.mark.parametrize("builder", BUILDERS)
def test_what_a_builder_makes_is_valid_with_little_and_with_much(builder):
    name, needed, known = BUILDERS[builder]
    for facts in (needed, {**needed, **known}, {**needed, **known, **TOLD}):
        document = built(builder, facts)
        assert errors_of(document) == []
        assert document["context"]["type"] == type_of(name)
        assert document["context"]["source"] == WHEN["source"]
        assert document["context"]["timestamp"] == WHEN["at"]


@pytest.mark.parametrize("builder", BUILDERS)
def test_what_is_known_reaches_custom_data_and_what_is_not_is_left_out(builder):
    _, needed, known = BUILDERS[builder]
    facts = {**needed, **known, **TOLD}
    dora = built(builder, facts)["customData"]["dora"]
    assert dora == {key: facts[key] for key in DORA_KEYS if key in facts}
    unknown = built(builder, {**needed, **dict.fromkeys([*known, *TOLD])})
    assert unknown.get("customData", {}).get("dora", {}) == {k: needed[k] for k in DORA_KEYS if k in needed}
    assert None not in unknown["subject"]["content"].values()


@pytest.mark.parametrize("builder", BUILDERS)
def test_all_arguments_are_keywords(builder):
    parameters = inspect.signature(getattr(vocabulary, builder)).parameters.values()
    assert {p.kind for p in parameters} == {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}


def test_every_event_of_our_own_has_a_builder():
    assert set(OWN_VERSIONS) <= {name for name, _, _ in BUILDERS.values()}


def test_a_deployment_is_about_its_service_in_its_environment():
    document = built("deployment_failed", {**PLACE, "deploy_id": "uid:7", "reason": "timed out"})
    assert document["subject"] == {
        "id": "shop",
        "content": {"environment": {"id": "production"}, "reason": "timed out"},
    }
    assert document["customData"]["dora"]["reason"] == "timed out"


def test_the_same_fact_has_the_same_id_under_another_cause():
    draft = vocabulary.service_upgraded(**WHEN, **DEPLOYED, fact="uid:7")  # type: ignore[arg-type]
    one, other = (complete(draft, rule="r", cause=("/s", i), ordinal=n) for n, i in enumerate("ab"))
    assert one.id == other.id
