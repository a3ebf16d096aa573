"""Workflow runs and their jobs. A run that is started again is another attempt, with results of its own."""

from typing import Any

from schemas import purl
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
from streams.fields import Fields
from streams.github.repository import Repository
from streams.marks import is_hotfix
from streams.outcome import Ignored, Mapped, Outcome, Unmapped

# docs.github.com, "Check runs": the conclusions -> the outcomes of CDEvents.
OUTCOMES: dict[str, RunOutcome] = {
    "success": "success",
    "neutral": "success",
    "failure": "failure",
    "cancelled": "cancel",
    "skipped": "cancel",
    "stale": "cancel",
    "timed_out": "error",
    "startup_failure": "error",
    "action_required": "error",
}


def workflow_run(told: Fields, repository: Repository, catalog: Catalog) -> Outcome:
    """A run was requested, began or ended."""
    action, run = told.text("action"), told.within("workflow_run")
    # A run of a workflow file without a name has none either.
    name = run.optional("name") or told.optional("workflow.name") or run.text("path")
    attempt = _attempt(run)
    known: dict[str, Any] = {
        **_common(run, repository),
        "run": f"{run.uri('url')}/attempts/{attempt}",
        "uri": f"{run.uri('html_url')}/attempts/{attempt}",
        "pipeline": f"{repository.name}/{name}",
    }
    match action:
        case "requested":
            # `created_at` stays that of the first attempt.
            asked = "created_at" if attempt == 1 else "run_started_at"
            return Mapped(pipelinerun_queued(**known, at=run.instant(asked)))
        case "in_progress":
            return Mapped(pipelinerun_started(**known, at=run.instant("updated_at")))
        case "completed":
            outcome, at = _outcome(run), run.instant("updated_at")
            finished = pipelinerun_finished(**known, at=at, outcome=outcome)
            return Mapped(finished, *_deployments(name, outcome, at, run, repository, catalog))
        case _:
            return Unmapped(f"workflow_run: no rule for action {action!r}")


def workflow_job(told: Fields, repository: Repository) -> Outcome:
    """A job began or ended; CDEvents has none for one that waits."""
    action, job = told.text("action"), told.within("workflow_job")
    if action in ("queued", "waiting"):
        return Ignored(f"a job is {action}; CDEvents tells of tasks from their start on")
    if action not in ("in_progress", "completed"):
        return Unmapped(f"workflow_job: no rule for action {action!r}")
    names = (repository.name, job.optional("workflow_name"), job.text("name"))
    runs = job.uri("url").rpartition("/jobs/")[0]
    known: dict[str, Any] = {
        **_common(job, repository),
        "run": job.uri("url"),
        "uri": job.uri("html_url"),
        "task": "/".join(name for name in names if name),
        "pipelinerun": f"{runs}/runs/{job.number('run_id')}/attempts/{_attempt(job)}",
    }
    if action == "in_progress":
        return Mapped(taskrun_started(**known, at=job.instant("started_at")))
    return Mapped(taskrun_finished(**known, at=job.instant("completed_at"), outcome=_outcome(job)))


def _common(run: Fields, repository: Repository) -> dict[str, Any]:
    return {
        "source": repository.url,
        "service": repository.service,
        "repository": repository.name,
        "commit": run.optional("head_sha"),
        "hotfix": is_hotfix(run.optional("head_branch")) or None,
        "channel": "github",
    }


def _attempt(run: Fields) -> int:
    """Which attempt this is; old servers know one only, and do not say."""
    return 1 if run.find("run_attempt") is None else run.number("run_attempt")


def _outcome(run: Fields) -> RunOutcome | None:
    return OUTCOMES.get(run.optional("conclusion") or "")


def _deployments(
    name: str, outcome: RunOutcome | None, at: str, run: Fields, repository: Repository, catalog: Catalog
) -> list[Draft]:
    """The deployment that a finished run is, when the catalog says where its workflow deploys to.

    That is for workflows that use no environments of GitHub; those are told of by ``deployment_status``.
    """
    environment = catalog.environment_of("pipeline", name, namespace=repository.name)
    if environment is None or outcome in ("cancel", None):
        return []
    commit, number, attempt = run.text("head_sha"), run.number("id"), _attempt(run)
    deployed = {
        **_common(run, repository),
        "at": at,
        "deploy_id": repository.deploy_id(f"run/{number}/{attempt}"),
        "service": catalog.service("pipeline", name, namespace=repository.name),
        "environment": environment,
        "artifact": purl.github(repository.name, commit),
        "basis": "workflow_run",
    }
    if outcome == "success":
        return [service_deployed(**deployed)]
    return [deployment_failed(**deployed, reason=f"the workflow {name} ended with {run.text('conclusion')}")]
