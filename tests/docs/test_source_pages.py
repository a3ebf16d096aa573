"""The page of a source names every event that the source has a rule for, and every provider's web hook."""

import pytest
import yaml

from ingress.providers import find_providers
from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from streams.incidents import CAUSES, ENVIRONMENTS, NAMESPACES, SERVICES, WORKLOADS
from streams.outcome import Ignored
from streams.sources import find_sources
from streams.tekton import deployments
from streams.transformers import gitlab, jenkins
from tests.docs.pages import DOCS, blocks, first_cells, quoted, section

SOURCES = find_sources()
NAMES = ("alertmanager", "argocd", "gitlab", "harbor", "jenkins", "opsgenie", "pagerduty", "tekton")
PAGES = {name: DOCS / "sources" / f"{name}.md" for name in NAMES}


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
    if name not in find_providers():
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


def test_the_tables_of_gitlab_name_every_event_and_no_other():
    what, ignored = section(PAGES["gitlab"].read_text(), "What becomes of it").split(
        "Understood, and ignored"
    )
    names = "[a-z_]+"
    assert quoted(first_cells(ignored), names) == set(gitlab.REASONS)
    assert quoted(first_cells(what), names) == set(gitlab.source._handlers) - set(gitlab.REASONS)


def test_every_result_of_a_build_of_jenkins_is_documented():
    results = first_cells(section(PAGES["jenkins"].read_text(), "What becomes of it"))
    assert quoted(results, "[A-Z_]+") == set(jenkins.OUTCOMES)


def test_the_configuration_of_argo_cd_fits_together():
    page = PAGES["argocd"].read_text()
    (config,) = blocks(page, "yaml", "apiVersion: v1\nkind: ConfigMap")
    data = {name: yaml.safe_load(text) for name, text in yaml.safe_load(config)["data"].items()}
    sent = {template for entry in data["trigger.dora"] for template in entry["send"]}
    assert {f"template.{each}" for each in sent} <= set(data)
    (subscription,) = data["subscriptions"]
    assert {f"service.webhook.{each}" for each in subscription["recipients"]} <= set(data)
    assert {f"trigger.{each}" for each in subscription["triggers"]} <= set(data)
    (shorter,) = blocks(page, "yaml", "  template.dora: ")
    assert set(yaml.safe_load(yaml.safe_load(shorter)["template.dora"])["webhook"]) == {"dora"}
