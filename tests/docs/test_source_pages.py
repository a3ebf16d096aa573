"""The page of a source names every event that the source has a rule for, and every provider's web hook."""

import pytest

from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from streams.incidents import CAUSES, ENVIRONMENTS, NAMESPACES, SERVICES, WORKLOADS
from streams.outcome import Ignored
from streams.sources import find_sources
from streams.tekton import deployments
from tests.docs.pages import DOCS, quoted

SOURCES = find_sources()
PAGES = {
    name: DOCS / "sources" / f"{name}.md" for name in ("alertmanager", "opsgenie", "pagerduty", "tekton")
}


def told_of(kind: str, page: str) -> bool:
    """Whether a page names a kind of events: as it is, or with the rest left open, as ``triggers.*``."""
    return any(f"{mark}{kind}{end}" in page for mark in (".", "`") for end in ("`", ".*`"))


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_rule_stands_on_the_page_of_its_source(name: str):
    page = PAGES[name].read_text()
    assert {kind for kind in SOURCES[name]._handlers if not told_of(kind, page)} == set()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_says_where_the_web_hook_is_or_that_there_is_none(name: str):
    page = PAGES[name].read_text()
    if name == "tekton":
        assert "/webhooks/" not in page
    else:
        assert f"/webhooks/{name}" in page
        assert f"DORA_WEBHOOK_{name.upper()}_SECRETS" in page


@pytest.mark.parametrize("kind", ["taskrun.queued.v1", "pipelinerun.unknown.v1", "taskrun.unknown.v1"])
def test_what_the_page_of_tekton_calls_ignored_is_ignored(kind: str):
    event = CloudEvent({"id": "1", "source": "/s", "type": f"dev.tekton.event.{kind}"}, b"{}")
    assert isinstance(SOURCES["tekton"].transform(event, Catalog.empty()), Ignored)


def test_every_mark_of_a_deployment_is_documented():
    page = PAGES["tekton"].read_text()
    marks = (
        deployments.SERVICE,
        deployments.ENVIRONMENT,
        deployments.ARTIFACT,
        deployments.KIND,
        deployments.HOTFIX,
    )
    assert [mark for mark in marks if f"{mark}:" not in page] == []
    assert [kind for kind in deployments.KINDS if kind not in page] == []


def test_every_label_of_an_incident_is_documented():
    labels = {
        *SERVICES,
        *WORKLOADS,
        *ENVIRONMENTS,
        *NAMESPACES,
        *(name for names in CAUSES.values() for name in names),
    }
    assert labels <= quoted([(DOCS / "sources" / "incidents.md").read_text()], "[a-z_]+")
