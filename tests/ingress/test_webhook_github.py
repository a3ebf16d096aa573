"""GitHub's deliveries as CloudEvents, by the tables of the CloudEvents adapter (adapters/github.md)."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from ingress.webhooks.github import provider
from ingress.webhooks.provider import WebhookRequest
from schemas.cloudevents.attributes import check
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from tests.sources.payloads import ROOT, payloads

NOW = 1_767_225_600.0
CURRENT = "2026-01-01T00:00:00Z"  # the adapter's "Current time"
REPOSITORY = "https://api.github.com/repos/Codertocat/Hello-World"


def translated(event: str, body: bytes | str | Any, **headers: str) -> CloudEvent:
    told = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"x-github-event": event, "x-github-delivery": "d-1", "content-type": "application/json"}
    return provider.translate(
        WebhookRequest(sent | {name.replace("_", "-"): value for name, value in headers.items()}, told, NOW)
    )


def recorded(path: str) -> CloudEvent:
    return translated(path.partition("/")[0], (ROOT / "github" / path).read_bytes())


# Written from the adapter's tables: file, type, source, subject, time.
TABLES = [
    (
        "check_run/created.octokit-00.json",
        "check_run.created",
        REPOSITORY,
        "128620228",
        "2019-05-15T15:21:12Z",
    ),
    (
        "commit_comment/created.octokit-00.json",
        "commit_comment.created",
        f"{REPOSITORY}/comments/33548674/6113728f27ae82c7b1a177c8d03f9e96e0adf246",
        "33548674",
        "2019-05-15T15:20:39Z",
    ),
    ("create/default.octokit-00.json", "create.tag", REPOSITORY, "simple-tag", CURRENT),
    ("delete/default.octokit-00.json", "delete.tag", REPOSITORY, "simple-tag", CURRENT),
    ("deployment/created.octokit-00.json", "deployment", REPOSITORY, "145988746", "2019-05-15T15:20:53Z"),
    (
        "deployment_status/created.octokit-00.json",
        "deployment_status.success",
        f"{REPOSITORY}/deployments/145988746",
        f"{REPOSITORY}/deployments/145988746/statuses/209916254",
        "2019-05-15T15:20:55Z",
    ),
    (
        "fork/default.octokit-00.json",
        "fork",
        REPOSITORY,
        "https://api.github.com/repos/Octocoders/Hello-World",
        "2019-05-15T15:20:42Z",
    ),
    ("gollum/default.octokit-00.json", "gollum.edited", REPOSITORY, "Home", CURRENT),
    (
        "installation_repositories/added.octokit-00.json",
        "installation_repository.added",
        "https://api.github.com/users/Codertocat",
        "957387",
        "2019-05-15T15:19:51Z",
    ),
    (
        "issue_comment/deleted.octokit-05.json",
        "issue_comment.deleted",
        f"{REPOSITORY}/issues/1",
        "492700400",
        "2019-05-15T15:20:22Z",
    ),
    ("issues/opened.octokit-15.json", "issue.opened", REPOSITORY, "1", "2019-05-15T15:20:18Z"),
    (
        "marketplace_purchase/purchased.octokit-00.json",
        "marketplace_purchase.purchased",
        "https://api.github.com/users",
        "username",
        "2017-10-25T00:00:00+00:00",
    ),
    (
        "membership/removed.octokit-00.json",
        "membership.team.removed",
        "https://api.github.com/teams/3253328",
        "Codertocat",
        CURRENT,
    ),
    ("milestone/created.octokit-00.json", "milestone.created", REPOSITORY, "1", "2019-05-15T15:20:17Z"),
    ("pull_request/locked.octokit-10.json", "pull_request.locked", REPOSITORY, "2", "2019-05-15T15:20:36Z"),
    (
        "pull_request_review/submitted.octokit-00.json",
        "pull_request_review.submitted",
        f"{REPOSITORY}/pulls/2",
        "237895671",
        "2019-05-15T15:20:38Z",
    ),
    (
        "push/default.octokit-00.json",
        "push",
        "https://github.com/Codertocat/Hello-World",
        "refs/tags/simple-tag",
        CURRENT,
    ),
    (
        "release/published.goscm-release_published.json",
        "release.published",
        "https://api.github.com/repos/vcalasansh/harness-ngtriggers-test",
        "81372309",
        "2022-10-28T16:36:52Z",
    ),
    (
        "repository/created.octokit-01.json",
        "repository.created",
        "https://api.github.com/users/Octocoders",
        "Hello-World",
        "2019-05-15T15:20:41Z",
    ),
    (
        "security_advisory/published.octokit-00.json",
        "security_advisory.published",
        "github.com",
        "GHSA-rf4j-j272-fj86",
        "2018-10-03T21:13:54Z",
    ),
    ("star/created.octokit-00.json", "star.created", REPOSITORY, None, "2019-05-15T15:20:40Z"),
    (
        "status/default.octokit-00.json",
        "status.success",
        REPOSITORY,
        "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
        "2019-05-15T15:20:55+00:00",
    ),
    ("watch/started.octokit-00.json", "watch.started", REPOSITORY, None, CURRENT),
]


@pytest.mark.parametrize(
    ("path", "type_", "source", "subject", "time"), TABLES, ids=[row[1] for row in TABLES]
)
def test_attributes_are_those_of_the_adapter(path, type_, source, subject, time):
    event = recorded(path)
    assert event.type == f"com.github.{type_}"
    assert (event.source, event.subject, event.time) == (source, subject, time)
    assert (event.id, event.content_type) == ("d-1", "application/json")


@pytest.mark.parametrize("payload", [each for each in payloads() if each.tool == "github"], ids=str)
def test_every_recorded_delivery_is_a_cloudevent_with_its_own_bytes(payload):
    event = translated(dict(payload.headers)["X-GitHub-Event"], payload.body)
    check(dict(event.attributes))
    assert event.body == payload.body


def test_events_that_the_adapter_does_not_know_follow_its_pattern():
    event = recorded("workflow_run/completed.octokit-01.json")
    assert event.type == "com.github.workflow_run.completed"
    assert event.subject == "289782451"
    assert event.time == "2020-10-05T16:33:49Z"


def test_the_json_is_taken_out_of_a_form():
    body = (ROOT / "github/deployment_status/created.octokit-00.json").read_bytes()
    form = urlencode({"payload": body}).encode()
    event = translated("deployment_status", form, content_type="application/x-www-form-urlencoded")
    assert event.body == body
    assert event.type == "com.github.deployment_status.success"


@pytest.mark.parametrize(
    "form", [b"", b"a=b", b"payload=%7B%7D&payload=%7B%7D", b"payload", b"a=1&b=2&c=3&d=4&e=5"]
)
def test_a_form_without_one_payload_is_no_event(form: bytes):
    with pytest.raises(InvalidCloudEvent, match="the form has no field 'payload'"):
        translated("push", form, content_type="application/x-www-form-urlencoded")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"push"'])
def test_a_body_that_is_no_json_object_is_no_event(body: bytes):
    with pytest.raises(InvalidCloudEvent):
        translated("push", body)


@pytest.mark.parametrize("name", ["", "Push", "push\n", "../push", "p" * 64, "pu sh", "püsh"])
def test_without_the_name_of_an_event_it_is_none(name: str):
    with pytest.raises(InvalidCloudEvent, match="X-GitHub-Event does not say what happened"):
        translated(name, {})


@pytest.mark.parametrize("delivery", ["", "a b", "x" * 256, "\x00"])
def test_without_a_delivery_the_body_identifies_the_event(delivery: str):
    one, again = (translated("push", {"ref": "x"}, x_github_delivery=delivery) for _ in range(2))
    assert one.id == again.id != translated("push", {"ref": "y"}, x_github_delivery=delivery).id


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"action": 7, "repository": None, "deployment": []},
        {"action": "a b", "repository": {"url": "not a uri\n"}, "deployment": {"url": "http://["}},
        {"action": "x" * 100, "repository": {"url": "https://example.com/" + "x" * 5000}},
        {"deployment_status": {"state": "é", "url": "\x00", "updated_at": "0001-01-01T00:00:00Z"}},
    ],
)
def test_what_cannot_be_an_attribute_is_left_out(told: Any):
    for name in ("deployment_status", "gollum", "release", "push", "brand_new"):
        event = translated(name, told)
        assert event.type == f"com.github.{name}"
        assert event.source == "https://github.com"
        assert (event.subject, event.time) == (None, CURRENT)
