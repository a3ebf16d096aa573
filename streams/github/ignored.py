"""Events that tell nothing of delivery, or what another event tells better; each with its reason."""

from collections.abc import Mapping

_TALK = "a comment changes nothing that is delivered"
_CHECK = "checks are part of runs; workflow_run and workflow_job tell of those"
_PLAN = "planning is not delivery; issues and pull_request tell of the work itself"
_PEOPLE = "it is about people and their rights"
_APP = "it is about an app, its installation or its subscription"
_SAFETY = "an alert is not an incident in production; label an issue `incident` for that"
_SETTINGS = "it is about settings of the repository or the organization"
_AUDIENCE = "it is about the repository's audience"
_WAITS = "a later deployment_status tells how the deployment ends"
_ASKED = "somebody asked for a run; workflow_run tells of it when it begins"

REASONS: Mapping[str, str] = {
    "ping": "GitHub asks whether the web hook is there; it is",
    "meta": "the web hook itself was deleted: GitHub sends nothing more",
    "deployment": _WAITS,
    "deployment_protection_rule": _WAITS,
    "deployment_review": _WAITS,
    "check_run": _CHECK,
    "check_suite": _CHECK,
    "status": _CHECK,
    "workflow_dispatch": _ASKED,
    "repository_dispatch": _ASKED,
    "merge_group": "a group waits in the merge queue; pull_request tells when its changes are merged",
    "cache_sync": "it is about how the servers of an installation keep up with each other",
    "page_build": "GitHub Pages are deployments too; deployment_status tells of them",
    **dict.fromkeys(
        (
            "commit_comment",
            "discussion",
            "discussion_comment",
            "issue_comment",
            "pull_request_review_comment",
            "pull_request_review_thread",
        ),
        _TALK,
    ),
    **dict.fromkeys(
        (
            "issue_dependencies",
            "label",
            "milestone",
            "project",
            "project_card",
            "project_column",
            "projects_v2",
            "projects_v2_item",
            "projects_v2_status_update",
            "sub_issues",
        ),
        _PLAN,
    ),
    **dict.fromkeys(
        (
            "member",
            "membership",
            "org_block",
            "organization",
            "personal_access_token_request",
            "team",
            "team_add",
            "user",
        ),
        _PEOPLE,
    ),
    **dict.fromkeys(
        (
            "github_app_authorization",
            "installation",
            "installation_repositories",
            "installation_repository",
            "installation_target",
            "integration_installation",
            "integration_installation_repositories",
            "marketplace_purchase",
        ),
        _APP,
    ),
    **dict.fromkeys(
        (
            "bypass_request_secret_scanning",
            "code_scanning_alert",
            "dependabot_alert",
            "dismissal_request_code_scanning",
            "dismissal_request_dependabot",
            "dismissal_request_secret_scanning",
            "exemption_request_secret_scanning",
            "repository_advisory",
            "repository_vulnerability_alert",
            "secret_scanning_alert",
            "secret_scanning_alert_location",
            "secret_scanning_scan",
            "security_advisory",
            "security_and_analysis",
        ),
        _SAFETY,
    ),
    **dict.fromkeys(
        (
            "branch_protection_configuration",
            "branch_protection_rule",
            "bypass_request_push_ruleset",
            "content_reference",
            "custom_property",
            "custom_property_promoted_to_enterprise",
            "custom_property_values",
            "deploy_key",
            "enterprise",
            "exemption_request_push_ruleset",
            "gollum",
            "public",
            "repository_import",
            "repository_ruleset",
        ),
        _SETTINGS,
    ),
    **dict.fromkeys(("fork", "sponsorship", "star", "watch"), _AUDIENCE),
}
