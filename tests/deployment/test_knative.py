"""deploy/knative: Knative's own schemas take the manifests; they fit each other, the chart and the page."""

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from deploy.cli import available
from schemas.topics import Topics
from streams.sources import find_sources
from tests.deployment.kubernetes import ROOT, conform, objects, render
from tests.docs.pages import blocks

FOLDER = ROOT / "deploy" / "knative"
PAGE = (ROOT / "docs" / "knative.md").read_text()
DEFINITIONS = ROOT / "tests" / "fixtures" / "knative-crds"
MANIFESTS = {file.name: objects(file.read_text()) for file in sorted(FOLDER.glob("*.yaml"))}
OBJECTS = [(name, each) for name, manifest in MANIFESTS.items() for each in manifest]


def schema_of(kind: str, version: str) -> dict[str, Any]:
    """The schema of a custom resource, closed: a field that it does not know is a spelling mistake."""
    versions = yaml.safe_load((DEFINITIONS / f"{kind.lower()}.yaml").read_text())["spec"]["versions"]
    (found,) = (each["schema"]["openAPIV3Schema"] for each in versions if each["name"] == version)
    top = {
        name: {"type": kind}
        for name, kind in (("apiVersion", "string"), ("kind", "string"), ("metadata", "object"))
    }
    return closed({**found, "properties": {**top, **found["properties"]}})


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without room for what it does not name."""
    told = dict(schema)
    if "properties" in told:
        told["properties"] = {name: closed(each) for name, each in told["properties"].items()}
        told.setdefault("additionalProperties", False)
    if isinstance(told.get("items"), dict):
        told["items"] = closed(told["items"])
    return told


KNOWN = [(name, each) for name, each in OBJECTS if (DEFINITIONS / f"{each['kind'].lower()}.yaml").exists()]
# Their definitions are not among the fixtures, so no test holds these to them (docs/knative.md says so).
UNCHECKED = {"GitHubSource", "GitLabSource", "SinkBinding"}
CORE = {"", "apps", "rbac.authorization.k8s.io"}


@pytest.mark.parametrize(
    ("file", "manifest"), KNOWN, ids=lambda each: each if isinstance(each, str) else each["kind"]
)
def test_knative_takes_it(file: str, manifest: dict[str, Any]):
    schema = schema_of(manifest["kind"], manifest["apiVersion"].rpartition("/")[2])
    assert [str(error) for error in jsonschema_rs.validator_for(schema).iter_errors(manifest)] == []


def test_kubernetes_takes_the_rest(tmp_path: Path):
    core = [each for _, each in OBJECTS if each["apiVersion"].rpartition("/")[0] in CORE]
    assert conform(yaml.safe_dump_all(core), "1.34.0", tmp_path) == ""
    checked = {id(each) for each in core} | {id(each) for _, each in KNOWN}
    rest = {each["kind"] for _, each in OBJECTS if id(each) not in checked}
    assert rest == {*UNCHECKED, "Service"}  # Knative's Service


def test_a_misspelt_field_would_be_found():
    source = next(each for _, each in OBJECTS if each["kind"] == "ApiServerSource")
    schema = schema_of("ApiServerSource", "v1")
    assert not jsonschema_rs.is_valid(schema, {**source, "spec": {**source["spec"], "serviceAccount": "x"}})


def test_every_watcher_may_read_what_it_watches_and_no_more():
    roles = {
        each["metadata"]["name"]: each["rules"]
        for _, each in OBJECTS
        if each["kind"] in {"Role", "ClusterRole"}
    }
    for _, source in OBJECTS:
        if source["kind"] == "ApiServerSource":
            rules = roles[source["spec"]["serviceAccountName"]]
            wanted = {f"{each['kind'].lower()}s" for each in source["spec"]["resources"]}
            assert {resource for rule in rules for resource in rule["resources"]} == wanted
            assert all(rule["verbs"] == ["get", "list", "watch"] for rule in rules)


def test_sinks_are_the_ingress_of_the_chart_and_the_topic_of_the_workers():
    services = [each for each in objects(render({})) if each["kind"] == "Service"]
    names = {each["metadata"]["name"] for each in services}
    text = "\n".join((FOLDER / name).read_text() for name in MANIFESTS)
    hosts = set(re.findall(r"https?://([\w-]+)\.dora-cloudevents\.svc", text))
    assert hosts == {"dora-ingress"}
    assert hosts <= names
    (sink,) = (each for _, each in OBJECTS if each["kind"] == "KafkaSink")
    assert sink["spec"]["topic"] == Topics()["cloudevents"]
    assert sink["spec"]["bootstrapServers"][0].split(".")[0] in names


def test_the_function_is_a_transformer_of_ours():
    (service,) = MANIFESTS["function.yaml"]
    (container,) = service["spec"]["template"]["spec"]["containers"]
    command, name = container["args"]
    assert command in available()
    assert name in find_sources()


def test_the_page_names_every_manifest():
    assert set(re.findall(r"deploy/knative/([\w-]+\.yaml)", PAGE)) == MANIFESTS.keys()


def test_the_page_ends_in_a_deployment_and_its_answer():
    last = blocks(PAGE, "sh")[-1]
    assert "kubectl create deployment" in last
    assert "/deploy-frequency/day" in last
