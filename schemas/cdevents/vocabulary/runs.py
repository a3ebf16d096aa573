"""Runs of pipelines and of the tasks in them. ``uri`` is an absolute URI where people can look at the run."""

from typing import Any, Literal, Unpack

from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary.draft import Told, draft, reference

RunOutcome = Literal["success", "failure", "cancel", "error"]


class Ran(Told, total=False):
    """What may be known of a run: what it deploys or builds, and from which revision."""

    deploy_id: str | None
    service: str | None
    environment: str | None
    repository: str | None
    commit: str | None


def pipelinerun_queued(
    *,
    source: str,
    at: str,
    run: str,
    pipeline: str | None = None,
    uri: str | None = None,
    **known: Unpack[Ran],
) -> Draft:
    """A run waits for its turn."""
    return _run("pipelinerun.queued", source, at, run, {"pipelineName": pipeline, "uri": uri}, known)


def pipelinerun_started(
    *, source: str, at: str, run: str, pipeline: str, uri: str, **known: Unpack[Ran]
) -> Draft:
    """A run began."""
    return _run("pipelinerun.started", source, at, run, {"pipelineName": pipeline, "uri": uri}, known)


def pipelinerun_finished(
    *,
    source: str,
    at: str,
    run: str,
    outcome: RunOutcome | None,
    pipeline: str | None = None,
    uri: str | None = None,
    errors: str | None = None,
    **known: Unpack[Ran],
) -> Draft:
    """A run ended. ``outcome`` is ``None`` when the source does not tell it."""
    content = {"pipelineName": pipeline, "uri": uri, "outcome": outcome, "errors": errors}
    return _run("pipelinerun.finished", source, at, run, content, known)


def taskrun_started(
    *,
    source: str,
    at: str,
    run: str,
    task: str | None = None,
    uri: str | None = None,
    pipelinerun: str | None = None,
    **known: Unpack[Ran],
) -> Draft:
    """A task began; ``pipelinerun`` is the id of the run that it is part of."""
    content = {"taskName": task, "uri": uri, "pipelineRun": reference(pipelinerun)}
    return _run("taskrun.started", source, at, run, content, known)


def taskrun_finished(
    *,
    source: str,
    at: str,
    run: str,
    outcome: RunOutcome | None,
    task: str | None = None,
    uri: str | None = None,
    pipelinerun: str | None = None,
    errors: str | None = None,
    **known: Unpack[Ran],
) -> Draft:
    """A task ended."""
    content = {"taskName": task, "uri": uri, "pipelineRun": reference(pipelinerun)}
    content |= {"outcome": outcome, "errors": errors}
    return _run("taskrun.finished", source, at, run, content, known)


def _run(name: str, source: str, at: str, run: str, content: dict[str, Any], known: Ran) -> Draft:
    return draft(name, source=source, at=at, subject_id=run, content=content, dora=dict(known))
