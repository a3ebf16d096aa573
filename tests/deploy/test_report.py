"""`dora report`: what a CI job tells of itself, what is made of it, and how it gets to the ingress."""

import asyncio
import json
from pathlib import Path

import pytest

from deploy.ci import Job, job_of
from deploy.reporting import NotReported, document_of, message_of, summary
from ingress.providers import Webhook, find_providers
from ingress.secrets import FixedSecrets
from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.kafka import read_record
from streams.transformers.report import source
from tests.infra.commands import dora
from tests.ingress.listening import Listening, listening
from tests.sources.payloads import fate_of

NOW = "2026-01-31T12:00:00Z"
COMMIT = "5f2c1c9d2a44c1c9f2c70b1ab6a8b0d3c81d9e40"
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/checkout",
    "GITHUB_SHA": COMMIT,
    "GITHUB_REF_NAME": "main",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_RUN_ID": "4711",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_JOB": "deploy",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_URL": "https://gitlab.com/acme/shop/checkout",
    "CI_PROJECT_PATH": "acme/shop/checkout",
    "CI_COMMIT_SHA": COMMIT,
    "CI_COMMIT_BRANCH": "main",
    "CI_JOB_ID": "99",
}
JENKINS = {
    "JENKINS_URL": "https://ci.example.com/",
    "JOB_URL": "https://ci.example.com/job/checkout/",
    "BUILD_NUMBER": "17",
    "GIT_URL": "git@github.com:acme/checkout.git",
    "GIT_COMMIT": COMMIT,
    "GIT_BRANCH": "origin/main",
}
DEPLOYMENT = ("deployment", "--service", "checkout", "--environment", "production")


@pytest.mark.parametrize(
    ("environment", "job"),
    [
        (GITHUB, Job("https://github.com/acme/checkout", "4711/2/deploy", "acme/checkout", COMMIT, "main")),
        (GITLAB, Job("https://gitlab.com/acme/shop/checkout", "99", "acme/shop/checkout", COMMIT, "main")),
        (JENKINS, Job("https://ci.example.com/job/checkout/", "17", "acme/checkout", COMMIT, "main")),
        ({"GITHUB_ACTIONS": "true"}, Job()),
        ({"GITLAB_CI": "true", "CI_COMMIT_BRANCH": ""}, Job()),
        ({"JENKINS_URL": "x"}, Job()),
        ({"GITHUB_REPOSITORY": "acme/checkout"}, Job()),
        (
            GITHUB | {"GITHUB_REF_TYPE": "tag"},
            Job("https://github.com/acme/checkout", "4711/2/deploy", "acme/checkout", COMMIT),
        ),
    ],
)  # fmt: skip
def test_a_job_tells_of_itself(environment: dict[str, str], job: Job):
    assert job_of(environment) == job


def document(kind: str, job: Job | None = None, **said: object) -> dict[str, object]:
    return json.loads(document_of(kind, said, job or Job(), NOW))


def test_what_is_said_goes_before_what_the_job_knows():
    told = document(
        "deployment", job_of(GITHUB), service="checkout", environment="prod", commit="abc", reason=""
    )
    assert told == {
        "kind": "deployment",
        "source": "https://github.com/acme/checkout",
        "repository": "acme/checkout",
        "commit": "abc",
        "id": "4711/2/deploy",
        "service": "checkout",
        "environment": "prod",
        "time": NOW,
    }


def test_an_incident_is_of_no_job_because_another_may_end_it():
    told = document("incident", job_of(GITHUB), id="INC-1", service="checkout", environment="prod")
    assert told.keys() == {"kind", "id", "service", "environment", "time"}


def test_one_job_may_deploy_several_services_and_to_several_places():
    ids = {
        summary(document_of("deployment", {"service": s, "environment": e}, job_of(GITHUB), NOW)).split()[-1]
        for s in ("checkout", "cart")
        for e in ("staging", "production")
    }
    assert len(ids) == 4


@pytest.mark.parametrize(
    ("kind", "said", "says"),
    [
        ("deployment", {"service": "checkout"}, "environment is missing; add it"),
        (
            "deployment",
            {"service": "a", "environment": "b", "status": "opened"},
            "no report has a field 'status'",
        ),
        ("deployment", {"service": "a", "environment": "b", "outcome": "good"}, "Invalid enum value 'good'"),
        (
            "deployment",
            {"service": "a", "environment": "b", "time": "noon"},
            "time is not a time with a zone",
        ),
        ("deployment", {"service": "a", "environment": "b", "artifact": "a b"}, "neither a purl"),
        ("incident", {"service": "a", "environment": "b"}, "id is missing; add it"),
        (
            "incident",
            {"id": "1", "service": "a", "environment": "b", "url": "ticket"},
            "url is not an absolute URI",
        ),
        ("change", {"commit": "abc"}, "repository is missing; add it"),
        ("change", {"repository": "a/b"}, "a merged change has a commit"),
        ("change", {"repository": "a/b", "status": "opened"}, "a change that was opened has an id"),
    ],
)
def test_what_is_wrong_with_a_report_is_told(kind, said, says):
    with pytest.raises(NotReported, match=says):
        document_of(kind, said, Job(), NOW)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (
            "deployment",
            {"service": "checkout", "environment": "prod", "commit": COMMIT, "outcome": "failure"},
        ),
        ("incident", {"id": "INC-1", "service": "checkout", "environment": "prod", "status": "resolved"}),
        ("change", {"repository": "acme/checkout", "commit": COMMIT, "hotfix": True}),
    ],
)
def test_with_and_without_a_token_it_is_the_same_event(kind, said):
    body = document_of(kind, said, Job(), NOW)
    hooked, direct = message_of(body, "token"), message_of(body, None)
    from deploy.evidence import events_of

    (one,) = events_of(hooked.path, hooked.headers, hooked.body)
    (other,) = events_of(direct.path, direct.headers, direct.body)
    assert (one.id, one.source, one.type, one.time) == (other.id, other.source, other.type, other.time)
    assert one.data == other.data
    assert fate_of(one, source).fate == "mapped"
    assert [c.document for c in fate_of(one, source).cdevents] == [
        c.document for c in fate_of(other, source).cdevents
    ]


def received(ingress: Listening) -> list[CloudEvent]:
    return [read_record(record.headers, record.value) for record in ingress.publisher.records]


async def run(ingress: Listening, *arguments: str, **settings: str):
    url = f"http://127.0.0.1:{ingress.port}"
    return await asyncio.to_thread(dora, "report", *arguments, DORA_INGRESS_URL=url, **settings)


async def test_one_line_in_a_job_reaches_the_ingress(tmp_path: Path):
    hooks = {"generic": Webhook(find_providers()["generic"], FixedSecrets([b"s3cret"]))}
    (tmp_path / "token").write_text("s3cret\n")
    async with listening(hooks) as ingress:
        by_token = await run(ingress, *DEPLOYMENT, DORA_REPORT_TOKEN="s3cret", **GITHUB)
        by_file = await run(ingress, *DEPLOYMENT, DORA_REPORT_TOKEN_FILE=str(tmp_path / "token"), **GITLAB)
        openly = await run(ingress, *DEPLOYMENT, "--time", "1769860800", **JENKINS)
        assert [done.returncode for done in (by_token, by_file, openly)] == [0, 0, 0], by_token.stderr
        assert by_token.stdout == (
            "reported deployment of checkout to production"
            " deploy_id=report:https://github.com/acme/checkout:checkout:production:4711/2/deploy\n"
        )
        assert {event.type for event in received(ingress)} == {"dev.dora.report.deployment.v1"}
        assert [event.source for event in received(ingress)] == [
            "https://github.com/acme/checkout",
            "https://gitlab.com/acme/shop/checkout",
            "https://ci.example.com/job/checkout/",
        ]
        assert received(ingress)[2].time == "2026-01-31T12:00:00Z"


async def test_a_wrong_token_is_told_and_not_shown():
    hooks = {"generic": Webhook(find_providers()["generic"], FixedSecrets([b"s3cret"]))}
    async with listening(hooks) as ingress:
        done = await run(ingress, *DEPLOYMENT, DORA_REPORT_TOKEN="gue55")
        assert done.returncode == 1
        assert "401" in done.stderr
        assert "set DORA_REPORT_TOKEN to a secret of DORA_WEBHOOK_GENERIC_SECRETS" in done.stderr
        assert "gue55" not in done.stderr + done.stdout
        assert received(ingress) == []


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("deployment", "--service", "checkout"), 1, "dora: environment is missing; add it\n"),
        (("party",), 2, "'party' is not one of"),
        (DEPLOYMENT, 1, "no ingress answers"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: tuple[str, ...], code: int, says: str):
    done = dora("report", *arguments, DORA_INGRESS_URL="http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
