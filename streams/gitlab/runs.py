"""GitLab's pipelines and their jobs. Pure.

A job that is retried is another job. A pipeline of which jobs are retried ends once more.
"""

from collections.abc import Iterator
from typing import Any

from schemas.catalog import Catalog
from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary import (
    deployment_failed,
    pipelinerun_finished,
    pipelinerun_queued,
    pipelinerun_started,
    service_deployed,
    taskrun_finished,
    taskrun_started,
)
from schemas.cdevents.vocabulary.runs import RunOutcome
from schemas.cloudevents.event import CloudEvent
from schemas.instant import parse_instant
from streams.fields import Fields
from streams.gitlab.project import Project, arrival_of, commit_of, time_of
from streams.outcome import Ignored, Mapped, Outcome

OUTCOMES: dict[str, RunOutcome] = {
    "success": "success",
    "failed": "failure",
    "canceled": "cancel",
    "skipped": "cancel",
}
QUEUED = ("created", "waiting_for_resource", "waiting_for_callback", "preparing", "pending")


def pipeline_changed(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A pipeline that waits, runs or has ended; a deployment too, if the catalog gives it an environment."""
    told = Fields(event.data)
    about, project = told.within("object_attributes"), Project.of(told, catalog)
    status, uri = about.text("status"), project.pipeline(about.number("id"))
    name = about.optional("name") or project.name
    run: dict[str, Any] = {
        **project.known(),
        "run": uri,
        "uri": uri,
        "pipeline": name,
        "commit": commit_of(about, "sha"),
    }
    if status in QUEUED:
        at = time_of(about, "created_at", event)
        return Mapped(pipelinerun_queued(**run, at=at, fact=f"{uri} queued"))
    if status == "running":
        return Mapped(pipelinerun_started(**run, at=_began(told, event), fact=f"{uri} started"))
    if status not in OUTCOMES:
        return Ignored(f"the pipeline is {status}; it goes on, or ends, later")
    at, outcome = time_of(about, "finished_at", event), OUTCOMES[status]
    ended = pipelinerun_finished(**run, at=at, outcome=outcome, fact=f"{uri} {status} {at}")
    return Mapped(ended, *_deployments(told, project, name, at, outcome, catalog))


def job_changed(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A job that runs or has ended."""
    told = Fields(event.data)
    status = told.text("build_status")
    if status == "skipped" or status not in (*OUTCOMES, "running"):
        return Ignored(f"the job is {status}, and does not run")
    project = Project.of(told, catalog)
    uri, native = f"{project.url}/-/jobs/{told.number('build_id')}", told.optional("environment.name")
    run: dict[str, Any] = {
        **project.known(),
        "run": uri,
        "uri": uri,
        "task": told.text("build_name"),
        "pipelinerun": project.pipeline(told.number("pipeline_id")),
        "environment": None if native is None else catalog.environment(native, service=project.service),
        "commit": commit_of(told, "sha"),
        "fact": f"{uri} {status}",
    }
    if status == "running":
        return Mapped(taskrun_started(**run, at=time_of(told, "build_started_at", event)))
    errors = told.words("build_failure_reason") if status == "failed" else None
    at = time_of(told, "build_finished_at", event)
    return Mapped(taskrun_finished(**run, at=at, outcome=OUTCOMES[status], errors=errors))


def _began(told: Fields, event: CloudEvent) -> str:
    """When the first of its jobs began; the pipeline itself does not say."""
    starts = (build.optional_instant("started_at") for build in told.each("builds"))
    return min((start for start in starts if start), key=parse_instant, default=arrival_of(event))


def _may_deploy(told: Fields) -> bool:
    """Whether a pipeline could deploy: not one that tries a merge request, nor one that tries a branch.

    A pipeline that has a name of its own is told apart by it, whatever it runs on.
    """
    about = told.within("object_attributes")
    if about.optional("source") == "merge_request_event":
        return False
    branch = told.optional("project.default_branch")
    return about.optional("name") is not None or about.flag("tag") or about.optional("ref") == branch


def _deployments(
    told: Fields, project: Project, name: str, at: str, outcome: RunOutcome, catalog: Catalog
) -> Iterator[Draft]:
    """The deployment that a pipeline is, when the catalog says where it deploys to.

    That is for pipelines that use no environments of GitLab; those are told of by deployment events.
    """
    environment = catalog.environment_of("pipeline", name, namespace=project.name)
    if environment is None or outcome == "cancel" or not _may_deploy(told):
        return
    about = told.within("object_attributes")
    number, commit = about.number("id"), commit_of(about, "sha")
    deployment: dict[str, Any] = {
        **project.known(),
        "at": at,
        "deploy_id": project.deploy_id(f"pipeline/{number}"),
        "service": catalog.service("pipeline", name, namespace=project.name),
        "environment": environment,
        "artifact": project.version(commit or f"pipeline-{number}"),
        "commit": commit,
        "basis": "pipeline",
        "fact": f"{project.pipeline(number)} deployment {outcome}",
    }
    if outcome == "success":
        # Jobs that failed can be run again: a pipeline that succeeds in the end has deployed.
        yield service_deployed(**deployment, evidence=1)
    else:
        yield deployment_failed(**deployment, reason=f"the pipeline {name} failed")
