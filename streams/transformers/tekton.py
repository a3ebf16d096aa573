"""Tekton: runs of pipelines and tasks (`dev.tekton.event.*`), and its experimental controller (`cd.*.v1`).

Spec: tektoncd/pipeline, its page on events and pkg/reconciler/events; tektoncd/experimental, cloudevents.
Both give their events random ids and send them again after a restart, so a CDEvent is identified by the
run's uid and its condition. Which runs are deployments: docs/sources/tekton.md.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from schemas import purl
from schemas.catalog import Catalog
from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary import (
    artifact_packaged,
    artifact_published,
    pipelinerun_finished,
    pipelinerun_queued,
    pipelinerun_started,
    taskrun_finished,
    taskrun_started,
)
from schemas.cloudevents.event import CloudEvent
from streams.outcome import Ignored, Mapped, Outcome
from streams.shapes import Unfit
from streams.source import Source
from streams.tekton.artifacts import artifacts_of, image
from streams.tekton.deployments import Target, deployment, target_of
from streams.tekton.origins import origin_of
from streams.tekton.runs import Kind, Run, read_run
from streams.texts import name

EXPERIMENTAL = ("cd.pipelinerun.", "cd.taskrun.", "cd.artifact.", "cd.service.")

source = Source("tekton", prefixes=("dev.tekton.event.", *EXPERIMENTAL))

FIELDS: dict[str, Kind] = {
    "pipelineRun": "pipelinerun",
    "taskRun": "taskrun",
    "customRun": "customrun",
    "run": "customrun",  # what CustomRuns were called in v1alpha1
    # The experimental controller sends the object as text. It calls a custom run a task run, too.
    "pipelinerun": "pipelinerun",
    "taskrun": "taskrun",
}

ENDED = {"successful": True, "failed": False}


@source.on("pipelinerun.queued.v1", "cd.pipelinerun.queued.v1")
def pipelinerun_waits(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A PipelineRun exists, and no controller has taken it up yet."""
    run = run_of(event)
    known, target = known_of(run), target_of(run, catalog)
    return Mapped(pipelinerun_queued(**_pipelinerun(run, "queued", catalog, known, target), at=run.created))


@source.on("pipelinerun.started.v1", "pipelinerun.running.v1", "cd.pipelinerun.started.v1")
def pipelinerun_began(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A PipelineRun began. That it was taken up and that it runs are told apart, and are one fact here."""
    run = run_of(event)
    known, target = known_of(run), target_of(run, catalog)
    return Mapped(pipelinerun_started(**_pipelinerun(run, "started", catalog, known, target), at=run.started))


@source.on("pipelinerun.successful.v1", "pipelinerun.failed.v1", "cd.pipelinerun.finished.v1")
def pipelinerun_ended(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A PipelineRun ended: well, or failed, cancelled or out of time, which Tekton all calls failed."""
    run = ended_run_of(event)
    known, target = known_of(run), target_of(run, catalog)
    told = _pipelinerun(run, "finished", catalog, known, target)
    finished = pipelinerun_finished(**told, at=run.completed, outcome=run.outcome, errors=run.errors)
    return Mapped(finished, *_made(run, known), *(deployment(run, target, known) if target else ()))


@source.on("taskrun.started.v1", "taskrun.running.v1", "cd.taskrun.started.v1")
@source.on("customrun.started.v1", "customrun.running.v1", "run.started.v1", "run.running.v1")
def taskrun_began(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A TaskRun or CustomRun began."""
    run = run_of(event)
    known, target = known_of(run), target_of(run, catalog)
    return Mapped(taskrun_started(**_taskrun(run, "started", known, target), at=run.started))


@source.on("taskrun.successful.v1", "taskrun.failed.v1", "cd.taskrun.finished.v1")
@source.on("customrun.successful.v1", "customrun.failed.v1", "run.successful.v1", "run.failed.v1")
def taskrun_ended(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A TaskRun or CustomRun ended; a TaskRun of no pipeline may be a deployment, as a PipelineRun may."""
    run = ended_run_of(event)
    known, target = known_of(run), target_of(run, catalog)
    told = _taskrun(run, "finished", known, target)
    finished = taskrun_finished(**told, at=run.completed, outcome=run.outcome, errors=run.errors)
    return Mapped(finished, *_made(run, known), *(deployment(run, target, known) if target else ()))


@source.on("taskrun.queued.v1")
def taskrun_waits(_: CloudEvent, __: Catalog) -> Outcome:
    """A TaskRun exists, and no controller has taken it up yet."""
    return Ignored("a task waits: CDEvents has no event for that, and the start is told of, too")


@source.on("pipelinerun.unknown.v1", "taskrun.unknown.v1")
def run_goes_on(_: CloudEvent, __: Catalog) -> Outcome:
    """The condition of a run changed, and it neither began nor ended."""
    return Ignored("the run goes on: it neither began nor ended")


@source.on("triggers")
def trigger_processed(_: CloudEvent, __: Catalog) -> Outcome:
    """An EventListener got a request."""
    return Ignored("what an EventListener does is no delivery; the runs that it creates tell of themselves")


@source.on("cd.artifact.packaged.v1", "cd.artifact.published.v1")
def artifact_annotated(event: CloudEvent, _: Catalog) -> Outcome:
    """The results of a run name an artifact, as its annotations say."""
    run = run_of(event, succeeded=True)
    identity, called, version = (_data(event, f"artifact{field}") for field in ("Id", "Name", "Version"))
    artifact = image(identity) or purl.generic(run.namespace, called, version)
    wanted = event.type.split(".")[2]
    drafts = [draft for draft in _artifact(run, known_of(run), artifact) if f".{wanted}." in draft.type]
    if not drafts:
        raise Unfit("no commit among the run's results and params, which artifact.packaged has to name")
    return Mapped(*drafts)


@source.on("cd.service.deployed.v1", "cd.service.upgraded.v1")
@source.on("cd.service.rolledback.v1", "cd.service.removed.v1")
def service_annotated(event: CloudEvent, catalog: Catalog) -> Outcome:
    """The results of a run name a service and where it is now, as its annotations say."""
    run = run_of(event, succeeded=True)
    called, native, version = (_data(event, f"service{field}") for field in ("Name", "EnvId", "Version"))
    service = catalog.service("workload", called)
    environment = catalog.environment(native, service=service)
    basis = event.type.removesuffix(".v1")
    kind = basis.rpartition(".")[2]
    target = Target(kind=kind, service=service, environment=environment, basis=basis, version=version)
    return Mapped(*deployment(run, target, known_of(run)))


def run_of(event: CloudEvent, *, succeeded: bool | None = None) -> Run:
    """The run that an event carries. Raises ``Unfit`` when it carries none."""
    told = event.data
    field = next((field for field in FIELDS if told.get(field)), None)
    if field is None:
        raise Unfit("no field 'pipelineRun', 'taskRun' or 'customRun'")
    run = orjson.loads(told[field]) if isinstance(told[field], str) else told[field]
    return read_run(FIELDS[field], run, event.time or "", succeeded=succeeded)


def ended_run_of(event: CloudEvent) -> Run:
    """The run that an event carries. How it ended is what the type of the event says, if it does."""
    return run_of(event, succeeded=ENDED.get(event.type.rsplit(".", 2)[1]))


def known_of(run: Run) -> dict[str, Any]:
    """What every CDEvent about a run tells: what it worked on, and who tells."""
    repository, commit = origin_of(run)
    return {"repository": repository, "commit": commit, "channel": source.name}


def _pipelinerun(
    run: Run, what: str, catalog: Catalog, known: dict[str, Any], target: Target | None
) -> dict[str, Any]:
    pipeline = run.of or run.name
    service = catalog.service("pipeline", pipeline, namespace=run.namespace)
    return {"service": service, **_run(run, what, known, target), "pipeline": pipeline}


def _taskrun(run: Run, what: str, known: dict[str, Any], target: Target | None) -> dict[str, Any]:
    return {**_run(run, what, known, target), "task": run.of, "pipelinerun": run.parent}


def _run(run: Run, what: str, known: dict[str, Any], target: Target | None) -> dict[str, Any]:
    told = {**known, "source": run.source, "run": run.uid, "uri": run.uri, "fact": run.fact(what)}
    if target is None:
        return told
    deploy_id = None if target.kind == "removed" else run.uid
    return {**told, "service": target.service, "environment": target.environment, "deploy_id": deploy_id}


def _made(run: Run, known: dict[str, Any]) -> Iterator[Draft]:
    for artifact in artifacts_of(run) if run.succeeded else ():
        yield from _artifact(run, known, artifact)


def _artifact(run: Run, known: dict[str, Any], artifact: str) -> Iterator[Draft]:
    """Tell from which commit ``artifact`` was made, if that is known, and that it can be had."""
    told = {**known, "source": run.source, "at": run.completed, "artifact": artifact}
    told["fact"] = run.fact(artifact)
    if known["commit"] is not None:
        yield artifact_packaged(**told, change=known["commit"])
    yield artifact_published(**told)


def _data(event: CloudEvent, field: str) -> str:
    return name(event.data[field], field)
