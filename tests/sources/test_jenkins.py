"""Jenkins: its plugin `cloudevents` tells of one end several times; its plugin `cdevents` speaks CDEvents."""

import json
from typing import Any

import pytest

from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent
from schemas.cloudevents.event import CloudEvent
from streams.transformers import cdevents, jenkins
from tests.sources.payloads import fate_of

CATALOG = Catalog.parse("services: {shop: {pipelines: [{name: deploy, environment: live}]}}")


def build(status: str | None = "SUCCESS", **fields: Any) -> dict[str, Any]:
    address = "https://ci.example.com/job/deploy/17/"
    told = {"fullUrl": address, "url": "job/deploy/17/", "number": 17, "timestamp": 1772445600123}
    return {"name": "deploy", "url": "job/deploy/", "build": {**told, "status": status, **fields}}


def told(happened: str, data: Any, number: int = 1) -> list[CDEvent]:
    attributes = {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": "job/deploy",
        "type": f"org.jenkinsci.job.{happened}",
        "time": "2026-03-02T10:00:00Z",
    }
    event = CloudEvent(attributes, json.dumps(data).encode())
    return list(fate_of(event, jenkins.source, CATALOG).cdevents)


def test_completed_finalized_and_failed_are_one_end_of_one_build():
    """The plugin sends each of them that is ticked; only the first has the very time of the end."""
    ends = [
        told(happened, build("FAILURE", timestamp=1772445600123 + late), late)
        for late, happened in enumerate(("completed", "finalized", "finalzed", "failed"))
    ]
    assert {tuple(each.id for each in end) for end in ends} == {tuple(each.id for each in ends[0])}
    assert [each.type.split(".", 2)[2] for each in ends[0]] == [
        "pipelinerun.finished.0.3.0",
        "dora-deployment.failed.0.1.0",
    ]


def test_a_build_that_started_is_another_fact_than_its_end():
    (started,), (ended, _) = told("started", build(None)), told("completed", build())
    assert started.id != ended.id
    assert started.subject_id == ended.subject_id == "https://ci.example.com/job/deploy/17/"


@pytest.mark.parametrize(
    ("status", "outcome", "deployment"),
    [
        ("SUCCESS", "success", "service.deployed"),
        ("UNSTABLE", "success", "service.deployed"),
        ("FAILURE", "failure", "dora-deployment.failed"),
        ("ABORTED", "cancel", None),
        ("NOT_BUILT", "cancel", None),
    ],
)
def test_every_result_of_jenkins_is_an_outcome(status: str, outcome: str, deployment: str | None):
    ended, *others = told("completed", build(status))
    assert ended.document["subject"]["content"]["outcome"] == outcome
    assert [".".join(each.type.split(".")[2:4]) for each in others] == ([deployment] if deployment else [])


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("job/deploy/", "deploy"),
        ("job/shop/job/deploy/", "shop/deploy"),
        ("job/shop/job/deploy/job/release%252F1.2/", "shop/deploy/release%2F1.2"),
        ("view/all/job/deploy/", "leaf"),  # a view is no folder
        ("", "leaf"),
        (None, "leaf"),
        (7, "leaf"),
        ("job//job/x/", "leaf"),
    ],
)
def test_a_job_is_called_by_its_whole_path(url: Any, name: str):
    data = {**build(), "name": "leaf", "url": url}
    ended, *_ = told("completed", data)
    assert ended.document["subject"]["content"]["pipelineName"] == name


def from_its_plugin(kind: str, version: str, content: Any, data: Any) -> CloudEvent:
    """An event as jenkinsci/cdevents-plugin puts it on its stream: CDEvents 0.1, with relative addresses."""
    attributes = {
        "specversion": "1.0",
        "id": "1",
        "source": "job/deploy/17/",
        "type": f"dev.cdevents.{kind}.{version}",
        "time": "2026-03-02T10:00:00Z",
    }
    document = {
        "context": {
            "version": "0.1.0",
            "id": "1",
            "source": "job/deploy/17/",
            "type": attributes["type"],
            "timestamp": "2026-03-02T10:00:00Z",
        },
        "subject": {"id": "17", "type": kind.partition(".")[0], "content": content},
        "customData": data,
        "customDataContentType": "application/json",
    }
    return CloudEvent(attributes, json.dumps(document).encode())


def test_a_cdevent_of_its_plugin_gets_the_address_that_its_custom_data_have():
    """Since CDEvents 0.5 a run that started has an absolute address; the plugin's is relative."""
    content = {"pipelineName": "deploy", "url": "job/deploy/17/"}
    fate = fate_of(from_its_plugin("pipelinerun.started", "0.1.0", content, build()), cdevents.source)
    assert (fate.fate, fate.reason) == ("mapped", None)
    subject = fate.cdevents[0].document["subject"]
    assert subject["content"] == {"pipelineName": "deploy", "uri": "https://ci.example.com/job/deploy/17/"}


@pytest.mark.parametrize(
    "full", [None, 7, "", "https://ci.example.com/job/other/17/", "job/deploy/17/", "ftp//x job/deploy/17/"]
)
def test_an_address_that_is_not_the_same_is_not_put_in_its_place(full: Any):
    content = {"pipelineName": "deploy", "url": "job/deploy/17/"}
    data = build(fullUrl=full)
    fate = fate_of(from_its_plugin("pipelinerun.started", "0.1.0", content, data), cdevents.source)
    assert fate.fate == "unmapped"
    assert "uri" in (fate.reason or "")


@pytest.mark.parametrize("outcome", ["success", "failure", "error"])
def test_the_ends_that_its_plugin_tells_are_taken(outcome: str):
    content = {"pipelineName": "deploy", "outcome": outcome, "errors": ""}
    fate = fate_of(from_its_plugin("pipelinerun.finished", "0.1.0", content, build()), cdevents.source)
    assert fate.cdevents[0].document["subject"]["content"]["outcome"] == outcome
