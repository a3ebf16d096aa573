"""GitLab. Web hooks (`com.gitlab.*`) and Knative's GitLabSource (`dev.knative.sources.gitlab.*`) agree.

Payloads: docs.gitlab.com, "Webhook events" and "System hooks". Hooks of a project, its group and its instance
each tell of a thing under an id of their own, so a CDEvent is identified by the thing and its state.
"""

from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from streams.gitlab.deployments import deployment_finished
from streams.gitlab.issues import issue_changed
from streams.gitlab.merge_requests import merge_request_changed
from streams.gitlab.pushes import commits_pushed, release_published, tag_pushed
from streams.gitlab.runs import job_changed, pipeline_changed
from streams.outcome import Ignored, Outcome
from streams.source import Source

source = Source("gitlab", prefixes=("com.gitlab.", "dev.knative.sources.gitlab."))

source.on("deployment")(deployment_finished)
source.on("push")(commits_pushed)
source.on("tag_push")(tag_pushed)
source.on("release")(release_published)
source.on("merge_request")(merge_request_changed)
source.on("pipeline")(pipeline_changed)
source.on("job", "build")(job_changed)  # its own word, and the CloudEvents adapter's
source.on("issue", "work_item")(issue_changed)

# What is understood and tells nothing that is measured. Of system hooks, the name of the event.
NOTHING = {
    "a comment changes nothing that is measured": ("note", "emoji"),
    "a page of the wiki is no part of what is deployed": ("wiki_page",),
    "a flag that is turned on or off deploys nothing": ("feature_flag",),
    "milestones are not measured": ("milestone",),
    "vulnerabilities are not incidents": ("vulnerability",),
    "the push events of the branches tell of the commits": ("repository_update",),
    "projects and groups are not measured": (
        "project_create",
        "project_destroy",
        "project_rename",
        "project_transfer",
        "project_update",
        "group_create",
        "group_destroy",
        "group_rename",
        "subgroup_create",
        "subgroup_destroy",
    ),
    "people, their rights and their keys are not measured": (
        "user_create",
        "user_destroy",
        "user_rename",
        "user_failed_login",
        "user_add_to_team",
        "user_remove_from_team",
        "user_update_for_team",
        "user_add_to_group",
        "user_remove_from_group",
        "user_update_for_group",
        "user_access_request_to_group",
        "user_access_request_denied_for_group",
        "user_access_request_to_project",
        "user_access_request_denied_for_project",
        "user_access_request_revoked_for_group",
        "user_access_request_revoked_for_project",
        "key_create",
        "key_destroy",
        "gitlab_subscription_member_approval",
        "gitlab_subscription_member_approvals",
        "access_token",
        "deploy_token",
        "expiring_access_token",
        "expiring_deploy_token",
    ),
}
REASONS = {kind: reason for reason, kinds in NOTHING.items() for kind in kinds}


@source.on(*REASONS)
def nothing_measured(event: CloudEvent, catalog: Catalog) -> Outcome:  # noqa: ARG001
    """Understood, and no part of what is measured."""
    kind = next(event.type.removeprefix(each) for each in source.prefixes if event.type.startswith(each))
    return Ignored(REASONS[kind.partition(".")[0]])
