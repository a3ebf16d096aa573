"""GitHub payloads of cdviz' own tests: where we answer otherwise than this peer, it is said why.

The peer's answers are an opinion. Three differences run through all of them and are taken out before
comparing: the peer calls a repository by its address, we by owner/name, as the catalog does; it names people,
and facts here hold no names; and it writes ``null`` for what is not known, which the official schemas refuse.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from ingress.webhooks.github import provider
from ingress.webhooks.provider import WebhookRequest
from schemas.instant import parse_instant
from streams.router import Fate
from streams.transformers.github import source
from tests.sources.payloads import RECEIVED, fate_of

ROOT = Path(__file__).parents[1] / "fixtures" / "cdviz" / "github_events"
CASES = sorted(folder.name for folder in ROOT.iterdir())
PEOPLE = ("assignees", "creator", "updatedBy", "user")

BRANCH = (
    "we call a branch by its name, which is its id within the repository that is the source; and place it at"
    " `pushed_at`, the time of the push, where the peer takes the time of the newest commit"
)
COMMITS = "the peer tells of no commits; lead time is counted from them"
BRANCH_EVENT = "the peer maps neither `create` nor `delete`; its rule for deleted branches is switched off"
KIND = "we tell the kind of a ticket from GitHub's own labels"
IMAGE = "the peer's rule for packages asks for a tag; the digest names the image better"
YEAR_1015 = "the recording was disguised with times of the year 1015: far out of range, so nothing is told"

NOTES = {
    "branch__event.01": BRANCH_EVENT,
    "branch__event.02": f"{BRANCH}; {COMMITS}",
    "branch__event.03": COMMITS,
    "branch__event.04": COMMITS,
    "branch__event.05": COMMITS,
    "branch__event.06": BRANCH_EVENT,
    "branch__event.08": BRANCH,
    "branch__event.10": COMMITS,
    "branch__event.12": BRANCH_EVENT,
    "branch__event.13": BRANCH_EVENT,
    "branch__event.14": BRANCH_EVENT,
    "issue__closed.01": KIND,
    "issue__closed.02": f"{KIND}; `not_planned` is CDEvents' `withdrawn`",
    "issue__opened.01": KIND,
    "issue__reopened.01": KIND,
    "issue__unlabeled.01": KIND,
    "package__published.2": IMAGE,
    "package__published.3": IMAGE,
    "package__published.5": IMAGE,
    "pull_request__opened.01": "change.created 0.3.0 is of CDEvents 0.4; in 0.5.1 it is 0.4.0",
    "workflow_job__completed": YEAR_1015,
    "workflow_job__in_progress": YEAR_1015,
}


def event_named(case: str, told: dict[str, Any]) -> str:
    """The event that GitHub sent; only some of the recordings have kept its header."""
    kind = case.partition("__")[0]
    if kind == "branch":
        return "push" if "after" in told else "create" if "master_branch" in told else "delete"
    return {"issue": "issues"}.get(kind, kind)


def ours(case: str) -> Fate:
    body = (ROOT / case / "input.json").read_bytes()
    headers = {"x-github-event": event_named(case, json.loads(body)), "x-github-delivery": case}
    return fate_of(provider.translate(WebhookRequest(headers, body, RECEIVED)), source)


def comparable(document: dict[str, Any]) -> Any:
    content = {
        name: value
        for name, value in document["subject"]["content"].items()
        if value is not None and name not in PEOPLE and name != "repository"
    }
    context = document["context"]
    return context["type"], document["subject"]["id"], parse_instant(context["timestamp"]), content


@pytest.mark.parametrize("case", CASES)
def test_we_agree_with_the_peer_or_say_why_not(case: str):
    told = [comparable(dict(cdevent.document)) for cdevent in ours(case).cdevents]
    expected = [
        comparable(json.loads(file.read_text())) for file in sorted((ROOT / case).glob("expected_0_5.*.json"))
    ]
    if case in NOTES:
        assert told != expected, "the note explains a difference that is none"
    else:
        assert told == expected


def test_notes_are_about_cases():
    assert NOTES.keys() <= set(CASES)
