"""Commits to a repository of several services: whose they are goes by the paths that they change."""

import json
from typing import Any

import pytest

from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from streams.monorepo import MOST_PATHS
from streams.transformers import github, gitlab
from tests.sources.payloads import ROOT, fate_of

PUSHES = {
    "github": (github.source, "com.github.push", "github/push/default.goscm-push.json"),
    "gitlab": (gitlab.source, "com.gitlab.push", "gitlab/push/goplayground-push-event.json"),
}
CATALOG = """
services:
  checkout: {{repositories: [{{name: {name}, paths: [services/checkout]}}]}}
  search: {{repositories: [{{name: {name}, paths: [services/search]}}]}}
"""


def pushed(tool: str, divided: bool = True, **lists: Any) -> list[tuple[str | None, Any]]:
    """Of each commit ``service`` and ``services``, when the first one lists these paths."""
    source, event_type, file = PUSHES[tool]
    told = json.loads((ROOT / file).read_text())
    name = told["repository"]["full_name"] if tool == "github" else told["project"]["path_with_namespace"]
    commit = {**told["commits"][0], "added": [], "modified": [], "removed": [], **lists}
    told["commits"] = [commit]
    attributes = {
        "specversion": "1.0",
        "id": "1",
        "source": "/s",
        "type": event_type,
        "time": "2026-01-01T00:00:00Z",
    }
    catalog = Catalog.parse(CATALOG.format(name=name) if divided else "")
    fate = fate_of(CloudEvent(attributes, json.dumps(told).encode()), source, catalog)
    commits = [each for each in fate.cdevents if "commit.pushed" in each.type]
    return [
        (each.dora["service"] if each.dora["service"] != name else None, each.dora.get("services"))
        for each in commits
    ]


@pytest.mark.parametrize("tool", PUSHES)
@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({"modified": ["services/checkout/main.go"]}, ("checkout", ["checkout"])),
        ({"removed": ["services/search/a"]}, ("search", ["search"])),
        (
            {"added": ["services/search/a"], "modified": ["services/checkout/b"]},
            (None, ["checkout", "search"]),
        ),
        ({"modified": ["README.md"]}, (None, [])),
        ({}, (None, None)),
        ({"modified": [f"services/checkout/{n}" for n in range(MOST_PATHS)]}, (None, None)),
        ({"modified": None, "added": "services/checkout", "removed": [7]}, (None, None)),
    ],
)
def test_a_commit_is_of_the_services_whose_paths_it_changes(tool, lists, expected):
    assert pushed(tool, **lists) == [expected]


@pytest.mark.parametrize("tool", PUSHES)
def test_nothing_is_said_of_a_repository_that_is_one_service(tool):
    assert pushed(tool, divided=False, modified=["services/checkout/main.go"]) == [(None, None)]
