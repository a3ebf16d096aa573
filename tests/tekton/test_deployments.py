"""Which runs of Tekton are deployments, of what and to where."""

from typing import Any

import orjson
import pytest

from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from streams.router import Fate, settle
from streams.shapes import Unfit
from streams.tekton.deployments import Target, target_of
from streams.transformers.tekton import source
from tests.tekton.test_runs import SHA, run

CATALOG = Catalog.parse(
    """
environments: {production: [prod]}
services:
  checkout:
    workloads: [checkout-api]
    pipelines:
      - {name: deploy-checkout, environment: production}
      - {name: ci/deploy-anything, environment: staging}
      - build-checkout
"""
)
SERVICE, ENVIRONMENT = "dora.dev/deploys-service", "dora.dev/environment"


def target(catalog: Catalog = CATALOG, **of: Any) -> tuple[str, str] | None:
    found = target_of(run(**of), catalog)
    return None if found is None else (found.service, found.environment)


def pipeline(name: str) -> dict[str, Any]:
    return {"spec": {"pipelineRef": {"name": name}}}


def test_the_catalog_says_which_pipeline_deploys():
    assert target(**pipeline("deploy-checkout")) == ("checkout", "production")
    assert target(**pipeline("deploy-anything")) == ("checkout", "staging")
    assert target(namespace="elsewhere", **pipeline("deploy-anything")) is None
    # A pipeline that belongs to a service and deploys to no environment builds it.
    assert target(**pipeline("build-checkout")) is None
    assert target(**pipeline("deploy-checkout"), catalog=Catalog.empty()) is None


def test_a_mark_says_that_a_run_deploys_and_where():
    assert target(labels={SERVICE: "search", ENVIRONMENT: "prod"}) == ("search", "production")
    assert target(annotations={SERVICE: "search", ENVIRONMENT: "qa"}) == ("search", "qa")
    assert target(labels={SERVICE: "checkout-api"}) == (
        "checkout",
        "ci",
    )  # the namespace, if nothing else says
    assert target(labels={SERVICE: "search"}, params={"environment": "prod"}) == ("search", "production")
    assert target(labels={SERVICE: "x"}, **pipeline("deploy-checkout")) == ("x", "production")
    assert target(labels={ENVIRONMENT: "prod"}) is None
    assert target(labels={SERVICE: ""}) is None


def test_a_param_gitrevision_alone_is_no_deployment():
    assert target(params={"gitrevision": SHA}) is None
    assert target(params={"environment": "production", "gitrevision": SHA}) is None


def test_the_parts_of_a_pipelines_run_are_not_deployments_beside_it():
    marked = {SERVICE: "search"}
    assert target(kind="taskrun", labels=marked) == ("search", "ci")
    for part in ("tekton.dev/pipelineRun", "tekton.dev/pipelineTask", "tekton.dev/pipelineRunUID"):
        assert target(kind="taskrun", labels={**marked, part: "deploy"}) is None
    owner = [{"kind": "PipelineRun", "name": "deploy", "uid": "u-9"}]
    assert target(kind="taskrun", labels=marked, ownerReferences=owner) is None
    assert target(kind="customrun", labels=marked) is None


def test_the_annotations_of_the_experimental_controller_count_with_their_results():
    results = {"cd.service.name": "checkout-api", "cd.service.envId": "prod", "cd.service.version": "1.8.0"}
    annotated = {"cd.service.upgraded": ""}
    found = target_of(run(annotations=annotated, results=results), CATALOG)
    assert found == Target(
        kind="upgraded",
        service="checkout",
        environment="production",
        basis="cd.service.upgraded",
        version="1.8.0",
    )
    assert target(annotations=annotated) is None
    assert target(results=results) is None
    renamed = {**annotated, "cd.events/results.service.name": "called"}
    assert target(annotations=renamed, results={**results, "called": "search"}) == ("search", "production")


@pytest.mark.parametrize(
    "marks",
    [
        {SERVICE: "x" * 257},
        {SERVICE: "a\nb"},
        {SERVICE: ["checkout"]},
        {SERVICE: "x", ENVIRONMENT: "a\0b"},
        {SERVICE: "x", "dora.dev/deploys-as": "released"},
    ],
)
def test_a_mark_that_cannot_be_used_is_no_guess(marks: dict[str, Any]):
    with pytest.raises(Unfit):
        target(annotations=marks)


def ended(**of: Any) -> Fate:
    told = {
        "metadata": {"name": "r-1", "namespace": "ci", "uid": "u-1", "annotations": {SERVICE: "shop", **of}},
        "status": {"completionTime": "2026-03-02T10:15:30Z"},
    }
    attributes = {"id": "1", "source": "/s", "type": "dev.tekton.event.pipelinerun.successful.v1"}
    event = CloudEvent(attributes | {"time": "2026-03-02T10:15:31Z"}, orjson.dumps({"pipelineRun": told}))
    return settle(source.transform(event, Catalog.empty()), rule=source.name, event=event)


@pytest.mark.parametrize(
    ("marks", "artifact"),
    [
        ({"dora.dev/artifact": "r.example/shop:2"}, "pkg:oci/shop?repository_url=r.example/shop&tag=2"),
        ({"dora.dev/artifact": "pkg:maven/org.acme/shop@2"}, "pkg:maven/org.acme/shop@2"),
        ({"dora.dev/commit": SHA}, f"pkg:generic/ci/shop@{SHA}"),
        ({}, "pkg:generic/ci/shop@u-1"),
    ],
)
def test_a_deployment_names_what_it_deploys_as_well_as_it_can(marks: dict[str, str], artifact: str):
    (_, deployed) = ended(**marks).cdevents
    assert deployed.dora["artifact"] == artifact
    assert deployed.dora["deploy_id"] == "u-1"


def test_an_artifact_that_is_none_is_not_passed_on():
    fate = ended(**{"dora.dev/artifact": "no image!"})
    assert fate.fate == "unmapped"
    assert fate.reason is not None
    assert "dora.dev/artifact is neither an image reference nor a purl" in fate.reason


def test_what_is_removed_is_no_deployment():
    (finished, removed) = ended(**{"dora.dev/deploys-as": "removed"}).cdevents
    assert removed.type.startswith("dev.cdevents.service.removed.")
    assert "deploy_id" not in removed.dora
    assert "deploy_id" not in finished.dora
