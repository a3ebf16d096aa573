"""What GitHub's documentation describes and the recorded payloads do not show, on payloads made of theirs."""

import copy
import json
from typing import Any

import pytest

from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent
from schemas.cloudevents.event import CloudEvent
from streams.router import Fate
from streams.transformers.github import source
from tests.sources.payloads import ROOT, fate_of

DEPLOYMENT = "deployment_status/created.octokit-00.json"
PUSH = "push/default.goscm-push.json"
PULL = "pull_request/synchronize.octokit-22.json"
ISSUE = "issues/opened.octokit-15.json"
RUN = "workflow_run/in_progress.goscm-pipeline_hook.json"
JOB = "workflow_job/completed.octokit-01.json"
PACKAGE = "package/published.octokit-00.json"

REPOSITORY = "Codertocat/Hello-World"
HASHES = [f"{number:040x}" for number in range(1, 10)]
AT = "2024-05-01T12:00:00Z"


def payload(file: str, changes: dict[str, Any] | None = None) -> Any:
    """A recorded payload with other values at dotted paths; ``None`` takes a member away."""
    told = copy.deepcopy(json.loads((ROOT / "github" / file).read_text()))
    for path, value in (changes or {}).items():
        *names, last = path.split(".")
        place = told
        for name in names:
            place = place[name]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return told


def fate(kind: str, told: Any, catalog: str = "", id_: str = "1") -> Fate:
    attributes = {"specversion": "1.0", "id": id_, "source": "/s", "type": f"com.github.{kind}", "time": AT}
    return fate_of(CloudEvent(attributes, json.dumps(told).encode()), source, Catalog.parse(catalog))


def only(found: Fate) -> CDEvent:
    assert found.fate == "mapped", found.reason
    (cdevent,) = found.cdevents
    return cdevent


def names(found: Fate) -> list[str]:
    return [".".join(cdevent.type.split(".")[2:4]) for cdevent in found.cdevents]


def content(cdevent: CDEvent) -> Any:
    return cdevent.document["subject"]["content"]


# deployment_status: docs.github.com, REST, "Deployment statuses"


@pytest.mark.parametrize("state", ["pending", "queued", "in_progress", "waiting", "inactive"])
def test_a_deployment_that_has_not_ended_or_was_replaced_is_ignored(state):
    found = fate("deployment_status", payload(DEPLOYMENT, {"deployment_status.state": state}))
    assert found.fate == "ignored"


def test_from_in_progress_to_inactive_one_deployment_is_told_of():
    states = ["queued", "in_progress", "success", "inactive"]
    told = [fate("deployment_status", payload(DEPLOYMENT, {"deployment_status.state": s})) for s in states]
    assert [name for each in told for name in names(each)] == ["service.deployed"]


def test_a_state_that_github_does_not_document_is_unmapped():
    found = fate("deployment_status", payload(DEPLOYMENT, {"deployment_status.state": "exploded"}))
    assert (found.fate, found.reason) == ("unmapped", "deployment_status: no rule for state 'exploded'")


@pytest.mark.parametrize(
    ("description", "reason"), [("disk full", "disk full"), ("", "error"), (None, "error")]
)
def test_a_deployment_that_failed_says_why(description, reason):
    changes = {"deployment_status.state": "error", "deployment_status.description": description}
    failed = only(fate("deployment_status", payload(DEPLOYMENT, changes)))
    assert failed.type == "dev.cdeventsx.dora-deployment.failed.0.1.0"
    assert failed.dora["reason"] == reason
    assert failed.dora["deploy_id"] == only(fate("deployment_status", payload(DEPLOYMENT))).dora["deploy_id"]
    assert "evidence" not in failed.dora  # a success of the same deployment would decide


def test_the_status_knows_the_environment_better_than_the_deployment():
    changes = {"deployment_status.environment": "staging", "deployment.environment": "production"}
    assert only(fate("deployment_status", payload(DEPLOYMENT, changes))).dora["environment"] == "staging"
    older = payload(DEPLOYMENT, {"deployment_status.environment": None})
    assert only(fate("deployment_status", older)).dora["environment"] == "production"


def test_service_and_environment_are_the_catalogs():
    catalog = "{services: {greeter: {repositories: [codertocat/*]}}, environments: {live: [production]}}"
    deployed = only(fate("deployment_status", payload(DEPLOYMENT), catalog))
    assert (deployed.subject_id, deployed.dora["environment"]) == ("greeter", "live")
    assert deployed.dora["repository"] == REPOSITORY


def test_the_payload_of_a_deployment_may_name_one_service_of_several():
    told = payload(DEPLOYMENT, {"deployment.payload": {"service": "checkout"}})
    deployed = only(fate("deployment_status", told, "services: {greeter: {repositories: [codertocat/*]}}"))
    assert deployed.subject_id == deployed.dora["service"] == "checkout"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"deployment.task": "rollback"}, ["service.rolledback"]),
        ({"deployment.payload": {"rollback": True}}, ["service.rolledback"]),
        ({"deployment.task": "deploy:migrations"}, ["service.deployed"]),
        ({"deployment.task": None}, ["service.deployed"]),
        ({"deployment.task": "smoke-test"}, []),
    ],
)
def test_the_task_of_a_deployment_says_what_it_is(changes, expected):
    assert names(fate("deployment_status", payload(DEPLOYMENT, changes))) == expected


@pytest.mark.parametrize(
    ("given", "artifact"),
    [
        ({}, "pkg:github/codertocat/hello-world@f95f852bd8fca8fcc58a9a2d6c842781e32a215e"),
        ({"artifact": "pkg:npm/greeter@1.2.3"}, "pkg:npm/greeter@1.2.3"),
        (
            {"image": "ghcr.io/acme/greeter:1.2"},
            "pkg:oci/greeter?repository_url=ghcr.io/acme/greeter&tag=1.2",
        ),
        (
            {"artifact": "ghcr.io/acme/greeter:1.2"},
            "pkg:oci/greeter?repository_url=ghcr.io/acme/greeter&tag=1.2",
        ),
        ("a text", "pkg:github/codertocat/hello-world@f95f852bd8fca8fcc58a9a2d6c842781e32a215e"),
        (
            {"image": "not an image"},
            "pkg:github/codertocat/hello-world@f95f852bd8fca8fcc58a9a2d6c842781e32a215e",
        ),
    ],
)
def test_the_artifact_is_what_the_deployer_said_else_the_revision(given, artifact):
    deployed = only(fate("deployment_status", payload(DEPLOYMENT, {"deployment.payload": given})))
    assert deployed.dora["artifact"] == content(deployed)["artifactId"] == artifact


@pytest.mark.parametrize(
    ("changes", "marked"),
    [
        ({"deployment.ref": "hotfix/login"}, True),
        ({"deployment.payload": {"hotfix": True}}, True),
        ({"deployment.ref": "main"}, None),
    ],
)
def test_a_hotfix_is_marked(changes, marked):
    assert only(fate("deployment_status", payload(DEPLOYMENT, changes))).dora.get("hotfix") is marked


def test_deployments_of_two_servers_never_meet():
    url = "https://github.example.com/Codertocat/Hello-World"
    here = only(fate("deployment_status", payload(DEPLOYMENT)))
    there = only(fate("deployment_status", payload(DEPLOYMENT, {"repository.html_url": url})))
    assert here.dora["deploy_id"] == "github:Codertocat/Hello-World:145988746"
    assert there.dora["deploy_id"] == "github:github.example.com/Codertocat/Hello-World:145988746"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"deployment.sha": None}, "deployment_status: no field 'deployment.sha'"),
        ({"deployment": None}, "deployment_status: no field 'deployment.sha'"),
        ({"deployment.id": "7"}, "deployment_status: 'deployment.id' is not a whole number"),
        ({"deployment_status.created_at": "soon"}, "'deployment_status.created_at': not a time with a zone"),
        ({"deployment_status.created_at": "1015-01-11T19:01:11Z"}, "outside of the years 1990 to 2200"),
        ({"repository.html_url": "Hello World"}, "deployment_status: 'repository.html_url' is not a URI"),
    ],
)
def test_what_a_payload_lacks_is_named_by_its_path(changes, reason):
    found = fate("deployment_status", payload(DEPLOYMENT, changes))
    assert found.fate == "unmapped"
    assert reason in found.reason


# push: docs.github.com, "Webhook events and payloads"


def commits(*messages: str) -> list[dict[str, Any]]:
    return [
        {"id": HASHES[n], "timestamp": f"2018-05-30T20:0{n}:00+02:00", "message": message, "distinct": n != 0}
        for n, message in enumerate(messages)
    ]


def pushed(**changes: Any) -> Fate:
    return fate("push", payload(PUSH, changes))


def test_the_commits_of_a_push_keep_their_order_and_their_times():
    found = pushed(commits=commits("a", "b", "c"), after=HASHES[2])
    assert names(found) == ["dora-commit.pushed"] * 3
    assert [cdevent.subject_id for cdevent in found.cdevents] == HASHES[:3]
    assert [content(cdevent)["order"] for cdevent in found.cdevents] == [0, 1, 2]
    assert content(found.cdevents[1]) == {
        "repository": {"id": REPOSITORY},
        "branch": "master",
        "order": 1,
        "before": "a10867b14bb761a232cd80139fbd4c0d33264240",
        "after": HASHES[2],
        "committedAt": "2018-05-30T20:01:00+02:00",
    }
    assert all("truncated" not in cdevent.dora for cdevent in found.cdevents)


def test_a_push_of_more_commits_than_github_lists_says_so():
    found = pushed(commits=commits("a", "b"), after=HASHES[7])
    assert [cdevent.dora["truncated"] for cdevent in found.cdevents] == [True, True]


def test_a_new_branch_is_told_of_before_its_commits():
    zeros = "0" * 40
    found = pushed(created=True, before=zeros, commits=commits("a"), after=HASHES[0], ref="refs/heads/a/b")
    assert names(found) == ["branch.created", "dora-commit.pushed"]
    assert found.cdevents[0].subject_id == "a/b"
    assert "before" not in content(found.cdevents[1])


def test_a_deleted_branch_is_told_of_once_by_push_and_delete():
    deleted = pushed(deleted=True, after="0" * 40, commits=[], head_commit=None, ref="refs/heads/gone")
    told = {"ref": "gone", "ref_type": "branch", "repository": payload(PUSH)["repository"]}
    told["repository"]["pushed_at"] = "2018-05-30T20:18:48Z"
    other = fate("delete.branch", told, id_="2")
    assert names(deleted) == names(other) == ["branch.deleted"]
    assert only(deleted).id == only(other).id


def test_a_forced_push_back_has_no_new_commits():
    found = pushed(forced=True, commits=[])
    assert (found.fate, found.reason.partition(":")[0]) == ("ignored", "no commit was pushed")


def test_a_commit_that_git_made_to_revert_another_says_which():
    message = f'Revert "a"\n\nThis reverts commit {HASHES[5]}.'
    found = pushed(commits=commits("a", message), after=HASHES[1])
    assert [cdevent.dora.get("reverts") for cdevent in found.cdevents] == [None, HASHES[5]]


def test_the_squash_of_a_reverting_pull_request_says_which_it_reverts():
    message = f'Revert "Faster" (#13)\n\nReverts {REPOSITORY}#12'
    found = pushed(commits=commits(message), after=HASHES[0])
    assert only(found).dora["reverts"] == "https://api.github.com/repos/Codertocat/Hello-World/pulls/12"


def test_commits_of_a_hotfix_branch_are_marked():
    found = pushed(ref="refs/heads/hotfix-1.2", commits=commits("a"), after=HASHES[0])
    assert only(found).dora["hotfix"] is True


@pytest.mark.parametrize("ref", ["refs/tags/v1", "refs/notes/commits", "refs/pull/1/merge"])
def test_what_is_no_branch_is_ignored(ref):
    assert pushed(ref=ref).fate == "ignored"


# pull_request: "merge_commit_sha" in docs.github.com, REST, "Get a pull request"

MERGED = {
    "action": "closed",
    "pull_request.merged": True,
    "pull_request.merged_at": "2019-05-16T10:00:00Z",
    "pull_request.closed_at": "2019-05-16T10:00:00Z",
    "pull_request.merge_commit_sha": HASHES[3],
}


def test_a_merge_tells_both_the_commit_on_the_branch_and_the_head():
    """After a squash or a rebase only the first of them is on the branch."""
    merged = only(fate("pull_request.closed", payload(PULL, MERGED)))
    assert merged.type == "dev.cdevents.change.merged.0.3.0"
    assert merged.timestamp == "2019-05-16T10:00:00Z"
    assert merged.subject_id == "https://api.github.com/repos/Codertocat/Hello-World/pulls/2"
    assert merged.dora["commit"] == HASHES[3]
    assert merged.dora["head"] == "ec26c3e57ca3a959ca5aad62de7213c562f8c821"
    assert merged.dora["branch"] == "master"


def test_a_pull_request_that_was_closed_unmerged_is_abandoned():
    changes = {**MERGED, "pull_request.merged": False, "pull_request.merged_at": None}
    abandoned = only(fate("pull_request.closed", payload(PULL, changes)))
    assert abandoned.type == "dev.cdevents.change.abandoned.0.3.0"
    # GitHub keeps the trial merge of an unmerged pull request in the same field.
    assert "commit" not in abandoned.dora


@pytest.mark.parametrize(
    ("changes", "marked"),
    [
        ({"pull_request.labels": [{"name": "bug"}, {"name": "Hotfix"}]}, True),
        ({"pull_request.labels": [{"name": "type: hotfix"}]}, True),
        ({"pull_request.labels": [{"name": "no-shotfixes"}]}, None),
        ({"pull_request.head.ref": "hotfix/login"}, True),
    ],
)
def test_a_pull_request_is_a_hotfix_by_its_label_or_its_branch(changes, marked):
    merged = only(fate("pull_request.closed", payload(PULL, {**MERGED, **changes})))
    assert merged.dora.get("hotfix") is marked


@pytest.mark.parametrize(
    ("body", "reverts"),
    [
        (f"Reverts {REPOSITORY}#12", "https://api.github.com/repos/Codertocat/Hello-World/pulls/12"),
        ("Reverts #12", "https://api.github.com/repos/Codertocat/Hello-World/pulls/12"),
        ("Reverts another/repository#12", None),
        ("It reverts nothing", None),
        (None, None),
    ],
)
def test_a_pull_request_of_the_revert_button_says_what_it_reverts(body, reverts):
    merged = only(fate("pull_request.closed", payload(PULL, {**MERGED, "pull_request.body": body})))
    assert merged.dora.get("reverts") == reverts


# issues

INCIDENT = {"issue.labels": [{"name": "incident"}, {"name": "env: staging"}, {"name": "service: checkout"}]}


def test_an_issue_that_is_labelled_incident_is_one_from_its_opening_to_its_closing():
    opened = fate("issue.opened", payload(ISSUE, INCIDENT))
    ended = {
        **INCIDENT,
        "action": "closed",
        "issue.state": "closed",
        "issue.closed_at": "2019-05-15T16:00:00Z",
    }
    closed = fate("issue.closed", payload(ISSUE, ended))
    assert (names(opened), names(closed)) == (
        ["ticket.created", "incident.reported"],
        ["ticket.closed", "incident.resolved"],
    )
    began, over = opened.cdevents[1], closed.cdevents[1]
    assert (
        began.subject_id == over.subject_id == "https://api.github.com/repos/Codertocat/Hello-World/issues/1"
    )
    assert (began.timestamp, over.timestamp) == ("2019-05-15T15:20:18Z", "2019-05-15T16:00:00Z")
    assert over.dora["detected_at"] == began.timestamp
    assert (began.dora["service"], began.dora["environment"]) == ("checkout", "staging")
    assert content(began)["ticketURI"] == "https://github.com/Codertocat/Hello-World/issues/1"
    assert content(opened.cdevents[0])["ticketType"] == "incident"


def test_an_issue_without_the_label_is_only_a_ticket():
    assert names(fate("issue.opened", payload(ISSUE))) == ["ticket.created"]


@pytest.mark.parametrize("label", ["Incident", "type: incident", "incident/sev1", "kind/incident"])
def test_the_word_incident_in_a_label_is_enough(label):
    found = fate("issue.opened", payload(ISSUE, {"issue.labels": [{"name": label}]}))
    assert names(found) == ["ticket.created", "incident.reported"]


@pytest.mark.parametrize("label", ["incidental", "no-coincidents"])
def test_a_word_that_only_holds_it_is_not(label):
    found = fate("issue.opened", payload(ISSUE, {"issue.labels": [{"name": label}]}))
    assert names(found) == ["ticket.created"]


def test_a_label_that_comes_with_a_new_issue_is_the_same_incident_told_twice():
    opened = fate("issue.opened", payload(ISSUE, INCIDENT))
    later = {**INCIDENT, "action": "labeled", "issue.updated_at": "2019-05-15T15:30:00Z"}
    labelled = fate("issue.labeled", {**payload(ISSUE, later), "label": {"name": "incident"}}, id_="2")
    assert opened.cdevents[1].id == labelled.cdevents[1].id
    other = fate("issue.labeled", {**payload(ISSUE, later), "label": {"name": "env: staging"}}, id_="3")
    assert names(other) == ["ticket.updated"]


def test_an_issue_that_loses_the_label_is_no_incident_any_longer():
    changes = {"action": "unlabeled", "issue.labels": [], "issue.updated_at": "2019-05-15T15:30:00Z"}
    found = fate("issue.unlabeled", {**payload(ISSUE, changes), "label": {"name": "incident"}})
    assert names(found) == ["ticket.updated", "incident.resolved"]
    assert found.cdevents[1].dora["reason"] == "no longer labelled as an incident"


@pytest.mark.parametrize("action", ["deleted", "transferred"])
def test_an_incident_whose_issue_is_gone_is_over(action):
    found = fate(f"issue.{action}", payload(ISSUE, {**INCIDENT, "action": action}))
    assert names(found) == ["ticket.updated", "incident.resolved"]


def test_an_incident_that_is_reopened_begins_again():
    changes = {**INCIDENT, "action": "reopened", "issue.updated_at": "2019-05-16T00:00:00Z"}
    found = fate("issue.reopened", payload(ISSUE, changes))
    assert (names(found)[1], found.cdevents[1].timestamp) == ("incident.reported", "2019-05-16T00:00:00Z")


def test_without_a_label_an_incident_is_where_production_is():
    told = payload(ISSUE, {"issue.labels": [{"name": "incident"}]})
    assert fate("issue.opened", told).cdevents[1].dora["environment"] == "production"
    catalog = 'production: ["prod-*", live]'
    assert fate("issue.opened", told, catalog).cdevents[1].dora["environment"] == "live"


def test_an_incident_may_name_the_commit_that_caused_it():
    told = payload(ISSUE, {**INCIDENT, "issue.body": f"All is lost.\n\nroot cause: {HASHES[8]}"})
    assert fate("issue.opened", told).cdevents[1].dora["commit"] == HASHES[8]


@pytest.mark.parametrize(
    ("reason", "said"), [("completed", "completed"), ("not_planned", "withdrawn"), (None, "completed")]
)
def test_a_closed_issue_says_how_it_ended(reason, said):
    changes = {"action": "closed", "issue.closed_at": "2019-05-15T16:00:00Z", "issue.state_reason": "x"}
    told = payload(ISSUE, changes)
    told["issue"]["state_reason"] = reason
    assert content(only(fate("issue.closed", told)))["resolution"] == said


# workflow_run, workflow_job: conclusions in docs.github.com, "Check runs"

CONCLUSIONS = {
    "success": "success", "neutral": "success", "failure": "failure", "cancelled": "cancel",
    "skipped": "cancel", "stale": "cancel", "timed_out": "error", "startup_failure": "error",
    "action_required": "error",
}  # fmt: skip


@pytest.mark.parametrize(("conclusion", "outcome"), CONCLUSIONS.items())
def test_every_conclusion_of_a_run_has_an_outcome(conclusion, outcome):
    found = fate(
        "workflow_run.completed", payload(RUN, {"action": "completed", "workflow_run.conclusion": conclusion})
    )
    assert content(only(found))["outcome"] == outcome
    job = fate("workflow_job.completed", payload(JOB, {"workflow_job.conclusion": conclusion}))
    assert content(only(job))["outcome"] == outcome


def test_a_run_that_is_started_again_is_another_run():
    runs = [
        only(
            fate(
                "workflow_run.requested", payload(RUN, {"action": "requested", "workflow_run.run_attempt": n})
            )
        )
        for n in (1, 2)
    ]
    assert [run.subject_id.rpartition("/runs/")[2] for run in runs] == [
        "14030131450/attempts/1",
        "14030131450/attempts/2",
    ]


def test_a_job_names_the_run_that_it_is_part_of():
    job = only(fate("workflow_job.completed", payload(JOB)))
    run = "https://api.github.com/repos/octo-org/octo-repo/actions/runs/2202229078/attempts/1"
    assert content(job)["pipelineRun"]["id"] == run


DEPLOYS = "services: {shop: {pipelines: [{name: 'shivamnegi94/testrepo/*', environment: production}]}}"


@pytest.mark.parametrize(
    ("conclusion", "expected"),
    [
        ("success", ["pipelinerun.finished", "service.deployed"]),
        ("failure", ["pipelinerun.finished", "dora-deployment.failed"]),
        ("cancelled", ["pipelinerun.finished"]),
    ],
)
def test_a_workflow_with_an_environment_in_the_catalog_deploys(conclusion, expected):
    changes = {"action": "completed", "workflow_run.conclusion": conclusion, "workflow_run.run_attempt": 2}
    found = fate("workflow_run.completed", payload(RUN, changes), DEPLOYS)
    assert names(found) == expected
    if expected[1:]:
        dora = found.cdevents[1].dora
        assert (dora["service"], dora["environment"]) == ("shop", "production")
        assert dora["deploy_id"] == "github:shivamnegi94/testrepo:run/14030131450/2"
        assert dora["commit"] == payload(RUN)["workflow_run"]["head_sha"]


def test_without_that_no_workflow_deploys():
    found = fate(
        "workflow_run.completed", payload(RUN, {"action": "completed", "workflow_run.conclusion": "success"})
    )
    assert names(found) == ["pipelinerun.finished"]


# package

DIGEST = "sha256:" + "ab" * 32
IMAGE = f"pkg:oci/hello-world-npm@sha256%3A{'ab' * 32}?repository_url=ghcr.io/codertocat/hello-world-npm"


@pytest.mark.parametrize(
    ("changes", "artifact"),
    [
        ({"package.package_type": "rubygems"}, "pkg:gem/hello-world-npm@1.0.0"),
        ({"package.package_type": "nuget"}, "pkg:nuget/hello-world-npm@1.0.0"),
        (
            {"package.package_type": "maven", "package.name": "com.acme.greeter"},
            "pkg:maven/com.acme/greeter@1.0.0",
        ),
        ({"package.package_type": "unheard"}, "pkg:generic/Codertocat/hello-world-npm@1.0.0"),
        (
            {"package.package_type": "CONTAINER", "package.package_version.version": DIGEST},
            IMAGE,
        ),
        (
            {
                "package.package_type": "container",
                "package.package_version.container_metadata": {
                    "tag": {"name": "1.4", "digest": DIGEST},
                    "manifest": {"digest": DIGEST},
                },
            },
            f"{IMAGE}&tag=1.4",
        ),
    ],
)  # fmt: skip
def test_a_package_is_named_by_its_own_system(changes, artifact):
    assert only(fate("package.published", payload(PACKAGE, changes))).subject_id == artifact


def test_the_older_event_of_packages_is_the_same():
    told = payload(PACKAGE)
    older = {**told, "registry_package": told.pop("package")}
    assert only(fate("registry_package.published", older)).subject_id.startswith("pkg:npm/")


# all others


def test_an_event_that_github_does_not_document_is_unmapped():
    found = fate("brand_new.created", {})
    assert (found.fate, found.reason) == (
        "unmapped",
        "github: no rule for type 'com.github.brand_new.created'",
    )


@pytest.mark.parametrize("prefix", ["com.github.", "dev.knative.source.github."])
def test_the_hook_and_knative_tell_the_same(prefix):
    body = json.dumps(payload(DEPLOYMENT)).encode()
    attributes = {"specversion": "1.0", "id": "1", "source": "/s", "type": f"{prefix}deployment_status"}
    deployed = only(fate_of(CloudEvent(attributes, body), source))
    assert deployed.dora == only(fate("deployment_status.success", payload(DEPLOYMENT))).dora
    assert deployed.source == f"https://github.com/{REPOSITORY}"
