"""GitLab's deployments: a job, or somebody over the API, brought a commit to an environment. Pure.

Nothing tells a rollback, which GitLab makes by running the job of an older commit again, from any other.
"""

import re
from typing import Any

from schemas.catalog import Catalog
from schemas.cdevents.vocabulary import deployment_failed, service_deployed
from schemas.cloudevents.event import CloudEvent
from streams.fields import Fields
from streams.gitlab.project import COMMIT, Project, time_of
from streams.marks import is_hotfix
from streams.outcome import Ignored, Mapped, Outcome, Unmapped

# docs.gitlab.com, "Deployments API". The unfinished are no end of anything.
FAILED = {"failed": "the deployment failed", "canceled": "the deployment was canceled"}
UNFINISHED = ("created", "running", "blocked", "skipped", "approved", "rejected")
MERGE = re.compile(r"Merge branch '([^']{1,255})' into ")


def deployment_finished(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A deployment that reached its environment, or did not."""
    told = Fields(event.data)
    status = told.text("status")
    if status in UNFINISHED:
        return Ignored(f"the deployment is {status}; a later event tells how it ends")
    if status != "success" and status not in FAILED:
        return Unmapped(f"deployment: no rule for status {status!r}")
    project, thing = Project.of(told, catalog), _thing(told)
    commit = told.prose("commit_url").rpartition("/")[2]
    known = commit if COMMIT.fullmatch(commit) else None
    deployment: dict[str, Any] = {
        **project.known(),
        "at": time_of(told, "status_changed_at", event),
        "deploy_id": project.deploy_id(thing),
        "environment": catalog.environment(told.text("environment"), service=project.service),
        "artifact": project.version(known or thing),
        "commit": known,
        "hotfix": _is_hotfix(told) or None,
        "basis": "deployment",
        "fact": f"{project.deploy_id(thing)} {status}",
    }
    if status == "success":
        # Over the API a deployment that failed can be told to have succeeded after all.
        return Mapped(service_deployed(**deployment, evidence=1))
    return Mapped(deployment_failed(**deployment, reason=FAILED[status]))


def _thing(told: Fields) -> str:
    """The deployment's id, or its job's where an old version tells no other: neither is ever used again."""
    if told.find("deployment_id") is None and told.find("deployable_id") is not None:
        return f"job-{told.number('deployable_id')}"
    return str(told.number("deployment_id"))


def _is_hotfix(told: Fields) -> bool:
    """Whether the branch that is deployed says so, or the one that its newest commit merged.

    Older versions tell no ``ref``.
    """
    merge = MERGE.match(told.prose("commit_title"))
    return is_hotfix(told.optional("ref")) or (merge is not None and is_hotfix(merge[1]))
