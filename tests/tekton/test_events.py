"""What Tekton's events about one run become, in whatever shape and however often they are sent."""

import json
from typing import Any

import pytest

from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from streams.outcome import Ignored, Unmapped
from streams.router import Fate, settle
from streams.transformers.tekton import source

DIGEST = "sha256:" + "4c" * 32


def event(type_: str, data: Any, id_: str = "1", time: str = "2026-03-02T10:15:31Z") -> CloudEvent:
    attributes = {"id": id_, "source": "/apis///namespaces/ci//r-1", "type": type_, "time": time}
    return CloudEvent(attributes, json.dumps(data).encode())


def fate(type_: str, data: Any, id_: str = "1", time: str = "2026-03-02T10:15:31Z") -> Fate:
    told = event(type_, data, id_, time)
    return settle(source.transform(told, Catalog.empty()), rule=source.name, event=told)


def run(status: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    told = {"metadata": {"name": "r-1", "namespace": "ci", "uid": "u-1", **metadata}, "spec": {}}
    return told if status is None else {**told, "status": status}


def ids(fate: Fate) -> list[str]:
    return [cdevent.id for cdevent in fate.cdevents]


BEGUN = {"startTime": "2026-03-02T10:12:01Z"}


@pytest.mark.parametrize(("kind", "field"), [("pipelinerun", "pipelineRun"), ("taskrun", "taskRun")])
def test_a_run_begins_once(kind: str, field: str):
    started = fate(f"dev.tekton.event.{kind}.started.v1", {field: run(BEGUN)}, "a")
    running = fate(f"dev.tekton.event.{kind}.running.v1", {field: run(BEGUN)}, "b", "2026-03-02T10:13:00Z")
    assert ids(started) == ids(running)
    assert [cdevent.document for cdevent in started.cdevents] == [c.document for c in running.cdevents]


def test_another_run_and_another_attempt_are_something_else():
    retried = {**BEGUN, "retriesStatus": [{"conditions": []}]}
    of = [
        fate("dev.tekton.event.taskrun.started.v1", {"taskRun": told})
        for told in (run(BEGUN), run(BEGUN, uid="u-2"), run(retried))
    ]
    assert len({tuple(ids(each)) for each in of}) == 3


@pytest.mark.parametrize(
    ("type_", "field", "results"),
    [
        ("dev.tekton.event.pipelinerun.successful.v1", "pipelineRun", "pipelineResults"),
        ("dev.tekton.event.pipelinerun.successful.v1", "pipelineRun", "results"),
        ("dev.tekton.event.taskrun.successful.v1", "taskRun", "taskResults"),
        ("dev.tekton.event.taskrun.successful.v1", "taskRun", "results"),
        ("dev.tekton.event.customrun.successful.v1", "customRun", "results"),
    ],
)
def test_results_are_read_in_the_shape_of_either_version(type_: str, field: str, results: str):
    told = [{"name": "IMAGE_URL", "value": "r.example/shop"}, {"name": "IMAGE_DIGEST", "value": DIGEST}]
    assert len(fate(type_, {field: run({results: told})}).cdevents) == 2


def test_the_type_says_how_a_run_ended_that_has_no_condition():
    for word, outcome in (("successful", "success"), ("failed", "failure")):
        (finished,) = fate(f"dev.tekton.event.pipelinerun.{word}.v1", {"pipelineRun": run({})}).cdevents
        assert finished.document["subject"]["content"]["outcome"] == outcome


def test_what_a_failed_run_has_made_is_not_told_of():
    results = [{"name": "IMAGE_URL", "value": "r.example/shop"}, {"name": "IMAGE_DIGEST", "value": DIGEST}]
    told = fate("dev.tekton.event.taskrun.failed.v1", {"taskRun": run({"taskResults": results})})
    assert len(told.cdevents) == 1


def test_the_experimental_controller_tells_the_same_of_the_same_run():
    status = {
        "completionTime": "2026-03-02T10:15:30Z",
        "conditions": [{"type": "Succeeded", "status": "True"}],
    }
    own = fate("dev.tekton.event.pipelinerun.successful.v1", {"pipelineRun": run(status)}, "a")
    other = fate("cd.pipelinerun.finished.v1", {"pipelinerun": json.dumps(run(status))}, "b")
    assert [each.document for each in own.cdevents] == [each.document for each in other.cdevents]


def test_the_experimental_controller_says_by_the_condition_whether_a_run_failed():
    status = {"conditions": [{"type": "Succeeded", "status": "False", "reason": "Cancelled"}]}
    (finished,) = fate("cd.pipelinerun.finished.v1", {"pipelinerun": json.dumps(run(status))}).cdevents
    assert finished.document["subject"]["content"]["outcome"] == "cancel"


@pytest.mark.parametrize("word", ["started", "successful", "done", "failed", "accepted", "of-the-future"])
def test_triggers_are_ignored_whatever_they_carry(word: str):
    told = event(f"dev.tekton.event.triggers.{word}.v1", None)
    assert isinstance(
        source.transform(CloudEvent(told.attributes, b"\xff no json"), Catalog.empty()), Ignored
    )


@pytest.mark.parametrize(
    "type_",
    [
        "dev.tekton.event.pipelinerun.paused.v1",
        "dev.tekton.event.pipelinerun.queued.v2",
        "cd.service.moved.v1",
    ],
)
def test_a_type_that_is_not_known_is_unmapped(type_: str):
    outcome = source.transform(event(type_, {"pipelineRun": run({})}), Catalog.empty())
    assert outcome == Unmapped(f"tekton: no rule for type {type_!r}")


@pytest.mark.parametrize("data", [{}, {"pipelineRun": None}, {"PipelineRun": run({})}])
def test_an_event_without_its_run_says_what_is_missing(data: dict[str, Any]):
    outcome = source.transform(event("dev.tekton.event.pipelinerun.started.v1", data), Catalog.empty())
    assert outcome == Unmapped("pipelinerun.started.v1: no field 'pipelineRun', 'taskRun' or 'customRun'")
