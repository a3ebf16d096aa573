"""One builder per CDEvent that DORA needs: ``service_deployed(deploy_id=..., ...)`` gives a ``Draft``.

All arguments are keywords. ``source`` becomes ``context.source``, ``at`` (RFC 3339 text) the timestamp; what
is known besides goes into ``customData.dora`` (docs/cdevents.md). Whether the values are allowed is for the
schemas to say: the router validates what a draft becomes.
"""

from schemas.cdevents.vocabulary.artifacts import (
    artifact_deleted,
    artifact_downloaded,
    artifact_packaged,
    artifact_published,
    artifact_signed,
)
from schemas.cdevents.vocabulary.changes import (
    branch_created,
    branch_deleted,
    change_abandoned,
    change_created,
    change_merged,
    change_reviewed,
    change_updated,
    commit_pushed,
)
from schemas.cdevents.vocabulary.corrections import attribution_set
from schemas.cdevents.vocabulary.deployments import (
    deployment_failed,
    deployment_withdrawn,
    service_deployed,
    service_removed,
    service_rolledback,
    service_upgraded,
)
from schemas.cdevents.vocabulary.incidents import incident_detected, incident_reported, incident_resolved
from schemas.cdevents.vocabulary.repositories import (
    repository_created,
    repository_deleted,
    repository_modified,
)
from schemas.cdevents.vocabulary.runs import (
    pipelinerun_finished,
    pipelinerun_queued,
    pipelinerun_started,
    taskrun_finished,
    taskrun_started,
)
from schemas.cdevents.vocabulary.tickets import ticket_closed, ticket_created, ticket_updated

__all__ = [
    "artifact_deleted",
    "artifact_downloaded",
    "artifact_packaged",
    "artifact_published",
    "artifact_signed",
    "attribution_set",
    "branch_created",
    "branch_deleted",
    "change_abandoned",
    "change_created",
    "change_merged",
    "change_reviewed",
    "change_updated",
    "commit_pushed",
    "deployment_failed",
    "deployment_withdrawn",
    "incident_detected",
    "incident_reported",
    "incident_resolved",
    "pipelinerun_finished",
    "pipelinerun_queued",
    "pipelinerun_started",
    "repository_created",
    "repository_deleted",
    "repository_modified",
    "service_deployed",
    "service_removed",
    "service_rolledback",
    "service_upgraded",
    "taskrun_finished",
    "taskrun_started",
    "ticket_closed",
    "ticket_created",
    "ticket_updated",
]
