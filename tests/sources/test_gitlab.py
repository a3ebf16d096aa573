"""GitLab: a second opinion on its payloads, and one fact however many hooks tell of it."""

import json
from typing import Any

import pytest

from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from streams.transformers.gitlab import source
from tests.sources.payloads import ROOT, Payload, event_of, fate_of, payloads

PARSED = ".goscm-parsed.json"
RECORDED = [payload for payload in payloads() if payload.tool == "gitlab"]


def opinions(event: str) -> list[Payload]:
    """The payloads of ``event`` that drone/go-scm has read as well."""
    return [each for each in RECORDED if each.event == event and parsed_file(each).exists()]


def parsed_file(payload: Payload) -> Any:
    return ROOT / payload.path.replace(".json", PARSED)


def told(payload: Payload) -> list[Any]:
    return list(fate_of(event_of(payload), source).cdevents)


@pytest.mark.parametrize("payload", opinions("push"), ids=str)
def test_a_push_has_the_commits_that_another_reader_finds(payload: Payload):
    other = json.loads(parsed_file(payload).read_text())
    repository = f"{other['Repo']['Namespace']}/{other['Repo']['Name']}"
    pushed = [each for each in told(payload) if "commit.pushed" in each.type]
    assert [each.subject_id for each in pushed] == [commit["Sha"] for commit in other.get("Commits") or ()]
    assert {each.dora["repository"] for each in told(payload)} == {repository}
    branch = other["Ref"]["Name"] if isinstance(other["Ref"], dict) else other["Ref"][len("refs/heads/") :]
    assert {each.dora["branch"] for each in told(payload)} == {branch}


@pytest.mark.parametrize("payload", opinions("merge_request"), ids=str)
def test_a_merge_request_is_the_one_that_another_reader_finds(payload: Payload):
    other = json.loads(parsed_file(payload).read_text())["PullRequest"]
    (change,) = told(payload)
    assert change.subject_id == other["Link"]
    assert (change.dora["head"], change.dora["branch"]) == (other["Sha"], other["Target"])
    assert ("change.merged" in change.type) == other["Merged"]


def test_there_are_second_opinions():
    assert len(opinions("push")) >= 4
    assert len(opinions("merge_request")) >= 3


@pytest.mark.parametrize("payload", RECORDED, ids=str)
def test_another_hook_that_tells_the_same_makes_the_same_cdevents(payload: Payload):
    """The hooks of a project, of its group and of the instance have ids of their own."""
    event = event_of(payload)
    other = CloudEvent({**event.attributes, "id": "of another hook"}, event.body)
    assert [each.id for each in fate_of(event, source).cdevents] == [
        each.id for each in fate_of(other, source).cdevents
    ]


def changed(payload: str, **fields: Any) -> list[Any]:
    """What becomes of a recorded payload with some fields of its own, or of its attributes, replaced."""
    (found,) = [each for each in RECORDED if each.path == payload]
    body = json.loads(found.body)
    for name, value in fields.items():
        where = body if name in body else body["object_attributes"]
        where[name] = value
    return list(fate_of(event_of(found, json.dumps(body).encode()), source).cdevents)


DEPLOYMENT = "gitlab/deployment/goplayground-deployment-event.json"
PIPELINE = "gitlab/pipeline/goplayground-pipeline-event.json"
MERGE = "gitlab/merge_request/goscm-pull_request_merge.json"


def test_each_end_of_a_deployment_is_a_fact_of_its_own_about_one_deployment():
    (one,), (other,) = changed(DEPLOYMENT), changed(DEPLOYMENT, status="failed")
    assert one.id != other.id
    assert one.dora["deploy_id"] == other.dora["deploy_id"]


def test_the_same_number_on_another_instance_is_another_deployment():
    (one,) = changed(DEPLOYMENT)
    project = {"web_url": "https://gitlab.com/root/test", "path_with_namespace": "root/test"}
    (other,) = changed(DEPLOYMENT, project=project)
    assert one.dora["deploy_id"] != other.dora["deploy_id"]


def test_a_pipeline_of_which_jobs_are_run_again_ends_once_more():
    (first,), (again,) = changed(PIPELINE), changed(PIPELINE, finished_at="2016-08-12 16:00:00 UTC")
    assert first.id != again.id
    assert first.subject_id == again.subject_id


@pytest.mark.parametrize("status", ["created", "waiting_for_resource", "preparing", "pending"])
def test_a_pipeline_waits_once(status: str):
    (queued,), (other,) = changed(PIPELINE, status=status), changed(PIPELINE, status="pending")
    assert queued.type.startswith("dev.cdevents.pipelinerun.queued.")
    assert queued.id == other.id


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("open", "created"),
        ("merge", "merged"),
        ("close", "abandoned"),
        ("approved", "reviewed"),
        ("approval", "reviewed"),
        ("unapproved", "updated"),
        ("unapproval", "updated"),
        ("reopen", "updated"),
        ("update", "updated"),
    ],
)
def test_every_action_on_a_merge_request_is_known(action: str, kind: str):
    (change,) = changed(MERGE, action=action)
    assert change.type.startswith(f"dev.cdevents.change.{kind}.")
    assert ("commit" in change.dora) == (kind == "merged")


def test_a_service_and_its_environment_are_called_what_the_catalog_calls_them():
    catalog = Catalog.parse(
        "environments: {staging: [stag*]}\nservices: {shop: {repositories: [root/test-deployment-webhooks]}}"
    )
    (found,) = [each for each in RECORDED if each.path == DEPLOYMENT]
    (deployed,) = fate_of(event_of(found), source, catalog).cdevents
    assert (deployed.dora["service"], deployed.dora["environment"]) == ("shop", "staging")


@pytest.mark.parametrize(
    ("attributes", "deploys"),
    [
        ({"source": "push", "name": None}, True),  # of the default branch
        ({"source": "push", "name": None, "ref": "faster"}, False),
        ({"source": "push", "name": None, "ref": "v1.2.0", "tag": True}, True),
        ({"source": "push", "name": "Release", "ref": "faster"}, True),
        ({"source": "merge_request_event", "name": "Release"}, False),
    ],
)
def test_a_pipeline_deploys_when_the_catalog_says_where_to_and_it_is_no_try(
    attributes: dict[str, Any], deploys: bool
):
    catalog = Catalog.parse(
        "services: {shop: {pipelines: [{name: gitlab-org/gitlab-test, environment: live},"
        " {name: gitlab-org/gitlab-test/Release, environment: live}]}}"
    )
    (found,) = [each for each in RECORDED if each.path == PIPELINE]
    body = json.loads(found.body)
    body["object_attributes"].update(attributes)
    fate = fate_of(event_of(found, json.dumps(body).encode()), source, catalog)
    told = [".".join(each.type.split(".")[2:4]) for each in fate.cdevents]
    assert told == ["pipelinerun.finished", *(["service.deployed"] if deploys else [])]


@pytest.mark.parametrize(("ref", "hotfix"), [("hotfix/double-charge", True), ("main", None), (None, None)])
def test_a_deployment_of_a_hotfix_branch_is_one(ref, hotfix):
    """GitLab has told the branch of a deployment since 2026; recorded payloads are older."""
    (found,) = [each for each in RECORDED if each.path == DEPLOYMENT]
    body = {**json.loads(found.body), "ref": ref}
    (deployed,) = fate_of(event_of(found, json.dumps(body).encode()), source).cdevents
    assert deployed.dora.get("hotfix") is hotfix
