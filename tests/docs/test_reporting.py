"""docs/reporting.md: every step that can be copied makes a report, and every field of reports is named."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.ci import Job
from deploy.reporting import document_of
from schemas import report
from tests.docs.pages import DOCS, blocks, quoted, section

PAGE = (DOCS / "reporting.md").read_text()
NOW = "2026-01-31T12:00:00Z"

# In the place of curl: what was to be sent, and where to.
CURL = """#!/bin/sh
for word in "$@"; do
  case "$last" in -d) printf '%s' "$word" > body ;; esac
  case "$word" in http*) printf '%s' "$word" > url ;; esac
  last="$word"
done
"""
SETTINGS = {"DORA_INGRESS_URL": "https://dora.example.com", "DORA_REPORT_TOKEN": "s3cret"}
GITHUB = {
    "github.server_url": "https://github.com",
    "github.repository": "acme/checkout",
    "github.sha": "5f2c",
    "github.run_id": "4711",
    "github.run_attempt": "1",
    "github.job": "deploy",
    "job.status == 'success' && 'success' || 'failure'": "success",
}
GITLAB = {
    "CI_JOB_STATUS": "failed",
    "CI_PROJECT_URL": "https://gitlab.com/acme/checkout",
    "CI_PROJECT_PATH": "acme/checkout",
    "CI_COMMIT_SHA": "5f2c",
    "CI_JOB_ID": "99",
}
TEKTON = {"params.status": "Completed", "params.revision": "5f2c", "params.run": "uid-1"}
ARGOCD = {
    ".app.metadata.name": "checkout",
    ".app.metadata.namespace": "argocd",
    ".app.spec.destination.namespace": "production",
    ".app.status.operationState.syncResult.revision": "5f2c",
    ".app.status.operationState.finishedAt": NOW,
}


def filled(text: str, pattern: str, values: dict[str, str]) -> str:
    return re.sub(pattern, lambda found: values[found[1].strip()], text)


def sent(script: str, folder: Path, **environment: str) -> report.Report:
    """What a script gives to curl."""
    (folder / "curl").write_text(CURL)
    (folder / "curl").chmod(0o755)
    path = f"{folder}:/usr/bin:/bin"
    done = subprocess.run(
        ["sh", "-euc", script], cwd=folder, env={"PATH": path, **SETTINGS, **environment}, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "url").read_text() == "https://dora.example.com/webhooks/generic"
    return report.read((folder / "body").read_bytes())


def step(title: str) -> dict:
    (text,) = blocks(section(PAGE, title), "yaml")
    return yaml.safe_load(text)


def test_the_first_request_is_a_report(tmp_path: Path):
    (script,) = blocks(PAGE, "sh", "curl")
    assert sent(script, tmp_path).deploy_id == "report:/report:checkout:production:4711"


def test_the_step_for_github_actions(tmp_path: Path):
    (found,) = step("GitHub Actions")
    told = sent(filled(found["run"], r"\$\{\{(.*?)\}\}", GITHUB), tmp_path)
    assert (told.outcome, told.commit, told.id) == ("success", "5f2c", "4711/1/deploy")
    assert told.source == "https://github.com/acme/checkout"


def test_the_step_for_gitlab(tmp_path: Path):
    (script,) = step("GitLab CI/CD")["deploy"]["after_script"]
    told = sent(script, tmp_path, **GITLAB)
    assert (told.outcome, told.commit, told.id) == ("failure", "5f2c", "99")
    assert sent(script, tmp_path, **GITLAB | {"CI_JOB_STATUS": "success"}).outcome == "success"


def test_the_step_for_tekton(tmp_path: Path):
    (task,) = step("Tekton")["finally"]
    (found,) = task["taskSpec"]["steps"]
    for status, outcome in (("Completed", "success"), ("Succeeded", "success"), ("Failed", "failure")):
        values = TEKTON | {"params.status": status}
        told = sent(filled(found["script"], r"\$\(([^)]*)\)", values), tmp_path)
        assert (told.outcome, told.commit, told.id) == (outcome, "5f2c", "uid-1")


def test_the_step_for_jenkins():
    (text,) = blocks(section(PAGE, "Jenkins"), "groovy")
    command = next(line.strip() for line in text.splitlines() if "dora report" in line)
    words = shlex.split(command)[3:]
    said = {name.removeprefix("--"): value for name, value in zip(words[::2], words[1::2], strict=True)}
    body = document_of("deployment", said | {"outcome": "failure"}, Job(run="17"), NOW)
    assert report.read(body).outcome == "failure"


def test_the_template_for_argo_cd():
    data = step("Argo CD notifications")["data"]
    body = yaml.safe_load(data["template.dora-deployment"])["webhook"]["dora"]["body"]
    told = report.read(filled(body, r"\{\{(.*?)\}\}", ARGOCD).encode())
    assert (told.service, told.environment, told.time) == ("checkout", "production", NOW)
    assert yaml.safe_load(data["service.webhook.dora"])["url"]
    assert yaml.safe_load(data["trigger.dora-deployment"])[0]["send"] == ["dora-deployment"]


@pytest.mark.parametrize("kind", [report.Deployment, report.Incident, report.Change])
def test_every_field_of_a_report_is_named(kind):
    named = quoted(section(PAGE, "What a report says").splitlines(), "[a-z_]+")
    assert set(kind.__struct_fields__) <= named


def test_a_report_may_be_as_short_as_the_first_line_of_the_page():
    (line,) = blocks(PAGE, "sh", "dora report")
    words = shlex.split(line)
    assert words[:3] == ["dora", "report", "deployment"]
    said = dict(zip([word.removeprefix("--") for word in words[3::2]], words[4::2], strict=True))
    assert json.loads(document_of("deployment", said, Job(), NOW))["service"] == "checkout"
