"""`dora transform`: what a payload becomes and why; evidence compared and recorded."""

import json
import shutil
from pathlib import Path

import pytest

from deploy.evidence import Case, NoEvidence, cases_below, events_of, play
from deploy.transforming import Bare, NotTransformed, compared, record, shown
from schemas.catalog import Catalog
from schemas.cloudevents.event import InvalidCloudEvent
from streams.transformers import github
from tests.infra.commands import ROOT, dora

SOURCES = ROOT / "tests" / "sources"
PAYLOAD = ROOT / "tests/fixtures/payloads/github/deployment_status/created.octokit-00.json"
HEADERS = (("X-GitHub-Event", "deployment_status"), ("X-GitHub-Delivery", "7"))
EVENT = '{"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}'
NOTHING = Bare(None, (), None)


def only(file: Path, source: str | None = None, bare: Bare = NOTHING) -> dict[str, object]:
    (found,) = shown([str(file)], source, bare, Catalog.empty())
    return found


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    request = {"path": "/webhooks/github", "headers": HEADERS, "body": PAYLOAD.read_text()}
    (tmp_path / "requests.jsonl").write_text(json.dumps(request) + "\n")
    return tmp_path / "requests.jsonl"


def test_a_bare_payload_with_the_headers_of_its_web_hook():
    found = only(PAYLOAD, "github", Bare(None, HEADERS, "github"))
    assert found["event"]["type"] == "com.github.deployment_status.success"
    assert (found["transformer"], found["outcome"], found["reason"]) == ("github", "mapped", None)
    assert found["cdevents"][0]["customData"]["dora"]["commit"] == "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"


def test_a_bare_payload_by_its_type():
    found = only(PAYLOAD, None, Bare("com.github.deployment_status", (), None))
    assert (found["transformer"], found["outcome"]) == ("github", "mapped")


def test_some_payloads_say_themselves_what_they_are():
    payload = ROOT / "tests/fixtures/payloads/pagerduty-v3/incident.triggered/zulip-triggered_v3.json"
    found = only(payload, "pagerduty", Bare(None, (), "pagerduty"))
    assert found["event"]["type"] == "com.pagerduty.incident.triggered"


def test_a_recorded_web_hook_needs_nothing_besides(recorded: Path):
    assert only(recorded)["event"]["id"] == "7"


def test_a_cloudevent_in_a_file(tmp_path: Path):
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "com.github.ping", "data": {}}
    (tmp_path / "event.json").write_text(json.dumps(event, indent=1))
    found = only(tmp_path / "event.json")
    assert (found["outcome"], found["reason"]) == ("ignored", github.REASONS["ping"])


def test_a_catalog_is_used():
    catalog = Catalog.parse("services: {greeter: {repositories: [codertocat/*]}}")
    bare = Bare("com.github.deployment_status", (), None)
    (found,) = shown([str(PAYLOAD)], None, bare, catalog)
    assert found["cdevents"][0]["subject"]["id"] == "greeter"


@pytest.mark.parametrize(
    ("text", "source", "says"),
    [
        ('{"a": 1}', None, "of a bare payload say --type TYPE, or --header"),
        ('{"a": 1}', "github", "X-GitHub-Event does not say what happened"),
        ("nonsense", None, "no JSON"),
        ('{"specversion": "1.0", "id": "1", "type": "t"}', None, "source"),
        (EVENT, None, "no transformer claims t"),
        (EVENT, "ship", "no transformer 'ship'; there are: "),
        ('{"path": "/webhooks/ship", "headers": {}, "body": ""}', None, "no web hook at /webhooks/ship"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_told(tmp_path: Path, text: str, source: str | None, says: str):
    (tmp_path / "file").write_text(text)
    with pytest.raises(NotTransformed, match=says):
        only(tmp_path / "file", source, Bare(None, (), source))


def test_evidence_may_hold_a_web_hook_as_it_was_sent(recorded: Path):
    assert play(Case(recorded.parent), github.source)["outcome"] == "mapped"


def test_a_web_hook_that_would_be_refused_is_no_event():
    with pytest.raises(InvalidCloudEvent):
        events_of("/webhooks/github", HEADERS, b"[]")


def test_what_differs_is_found_and_recorded(tmp_path: Path):
    shutil.copytree(SOURCES / "github" / "deployment_status", tmp_path / "cases")
    assert all(expected == becomes for _, expected, becomes in compared([tmp_path], None))
    changed = tmp_path / "cases" / "success" / "expected.json"
    changed.write_text('{"outcome": "ignored"}')
    (tmp_path / "cases" / "without_a_revision" / "expected.json").unlink()
    differing = [
        (case, becomes) for case, expected, becomes in compared([tmp_path], None) if expected != becomes
    ]
    assert [case.folder.name for case, _ in differing] == ["success", "without_a_revision"]
    for case, becomes in differing:
        record(case, becomes)
    assert all(expected == becomes for _, expected, becomes in compared([tmp_path], None))
    original = SOURCES / "github/deployment_status/success/expected.json"
    assert json.loads(changed.read_text()) == json.loads(original.read_text())


def test_a_folder_without_evidence_is_told(tmp_path: Path):
    with pytest.raises(NoEvidence, match=r"no case of evidence, which has headers.json and body.json"):
        cases_below(tmp_path)


def test_the_command_shows_checks_and_records(tmp_path: Path):
    shown_ = dora("transform", "--source", "github", "--header", "X-GitHub-Event: ping", str(PAYLOAD))
    assert json.loads(shown_.stdout)["outcome"] == "ignored"
    shutil.copytree(SOURCES / "report", tmp_path / "report")
    assert dora("transform", "--check", str(tmp_path)).stdout == "7 cases, 0 differ\n"
    (tmp_path / "report/deployment/success/expected.json").unlink()
    failed = dora("transform", "--check", str(tmp_path))
    assert (failed.returncode, failed.stdout.splitlines()[-1]) == (1, "7 cases, 1 differ")
    assert '+  "outcome": "mapped",' in failed.stderr
    kept = dora("transform", "--record", str(tmp_path))
    assert (kept.returncode, kept.stdout.splitlines()[-1]) == (0, "7 cases, 1 recorded")
    assert dora("transform", "--check", str(tmp_path)).returncode == 0
    assert dora("transform", "missing.json").stderr == "dora: missing.json: No such file or directory\n"
