"""Columns of exports that other tools really write. Each names where its format is published. Pure.

Service and environment are rarely in them; `--set service=checkout` says what a file is about.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from deploy.imports.values import LEFT_OUT


@dataclass(frozen=True, slots=True)
class Preset:
    """Which column a field of a report is read from: the first of its names that the file has.

    ``zone`` is that of times without one, ``words`` are further words of outcomes and statuses.
    """

    columns: Mapping[str, tuple[str, ...]]
    zone: tzinfo | None = None
    words: Mapping[str, str] = field(default_factory=dict)


# Apache DevLake's domain layer, tables cicd_deployments and cicd_deployment_commits (a row for each
# repository of a deployment, which counts once): cicd_deployment.go, cicd_deployment_commit.go and
# cicd_pipeline.go (SUCCESS, FAILURE, ABORT, MANUAL) under backend/core/models/domainlayer/devops of
# github.com/apache/incubator-devlake; as CSV in backend/plugins/dora/e2e. Its times are UTC (env.example).
_DEVLAKE_DEPLOYMENTS = Preset(
    {
        "id": ("cicd_deployment_id", "id"),
        "time": ("finished_date",),
        "outcome": ("result",),
        "environment": ("environment",),
        "commit": ("commit_sha",),
        "repository": ("repo_url",),
    },
    UTC,
    {"": LEFT_OUT},  # has not ended
)

# The table incidents of the same: backend/core/models/domainlayer/ticket/incident.go.
_DEVLAKE_INCIDENTS = Preset(
    {
        "id": ("id",),
        "time": ("created_date",),
        "resolved_at": ("resolution_date",),
        "title": ("title",),
        "url": ("url",),
    },
    UTC,
)

# Four Keys' tables in BigQuery, which queries/{deployments,changes,incidents}.sql make of
# github.com/dora-team/fourkeys, exported as JSON lines (CSV cannot hold their lists) or some columns of them
# as CSV. Its deployments have succeeded; its changes are commits.
_FOUR_KEYS_DEPLOYMENTS = Preset(
    {"id": ("deploy_id",), "time": ("time_created",), "commit": ("main_commit",), "source": ("source",)}, UTC
)
_FOUR_KEYS_CHANGES = Preset(
    {
        "commit": ("change_id",),
        "time": ("time_created",),
        "committed_at": ("time_created",),
        "source": ("source",),
    },
    UTC,
)
_FOUR_KEYS_INCIDENTS = Preset(
    {
        "id": ("incident_id",),
        "time": ("time_created",),
        "resolved_at": ("time_resolved",),
        "source": ("source",),
    },
    UTC,
)

# GitLab's "Export as CSV" of a project's issues: doc/user/project/issues/csv_export.md of GitLab 18.4, and
# app/services/issues/export_csv_service.rb before it. Other projects have the same numbers, not addresses.
_GITLAB_ISSUES = Preset(
    {
        "id": ("URL",),
        "url": ("URL",),
        "title": ("Title",),
        "time": ("Created At (UTC)",),
        "resolved_at": ("Closed At (UTC)",),
    },
    UTC,
)

PRESETS: dict[str, dict[str, Preset]] = {
    "devlake": {"deployment": _DEVLAKE_DEPLOYMENTS, "incident": _DEVLAKE_INCIDENTS},
    "four-keys": {
        "deployment": _FOUR_KEYS_DEPLOYMENTS,
        "change": _FOUR_KEYS_CHANGES,
        "incident": _FOUR_KEYS_INCIDENTS,
    },
    "gitlab-issues": {"incident": _GITLAB_ISSUES},
}
