"""GitHub. Web hooks (`com.github.*`) and Knative's GitHubSource (`dev.knative.source.github.*`): one payload.

Payloads: docs.github.com, "Webhook events and payloads"; types: the CloudEvents GitHub adapter. What becomes
of which event, and why: docs/sources/github.md. GitHub redelivers under the same id, so ids need no help, but
for facts that two events tell.
"""

from collections.abc import Callable

from schemas import purl
from schemas.catalog import Catalog
from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary import (
    artifact_published,
    branch_created,
    branch_deleted,
    change_abandoned,
    change_created,
    change_merged,
    change_reviewed,
    change_updated,
    deployment_failed,
    repository_created,
    repository_deleted,
    repository_modified,
    service_deployed,
    service_rolledback,
    ticket_closed,
    ticket_created,
    ticket_updated,
)
from schemas.cloudevents.event import CloudEvent
from streams.fields import Fields
from streams.github import runs
from streams.github.changes import branch_of, proposal, pushed_commits
from streams.github.deployments import deployment
from streams.github.ignored import REASONS
from streams.github.issues import RESOLUTIONS, incidents, ticket
from streams.github.packages import artifact_of
from streams.github.repository import Repository
from streams.outcome import Ignored, Mapped, Outcome, Unmapped
from streams.source import Source

source = Source("github", prefixes=("com.github.", "dev.knative.source.github."))

UNDER_WAY = ("pending", "queued", "in_progress", "waiting")


@source.on("deployment_status")
def deployment_ended(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A deployment that reached its environment, or failed to. docs.github.com, "Deployment statuses"."""
    told = Fields(event.data)
    state, task = told.text("deployment_status.state"), told.optional("deployment.task") or "deploy"
    if state in UNDER_WAY:
        return Ignored(f"the deployment is {state}; a later status tells how it ends")
    if state == "inactive":
        return Ignored("the deployment is no longer the newest; the one that replaced it tells of itself")
    if state not in ("success", "failure", "error"):
        return Unmapped(f"deployment_status: no rule for state {state!r}")
    if not task.startswith(("deploy", "rollback")):
        return Ignored(f"the task of this deployment is {task!r}, neither to deploy nor to roll back")
    deployed = deployment(told, Repository.of(told, catalog), catalog)
    if state != "success":
        reason = told.words("deployment_status.description") or state
        return Mapped(deployment_failed(**deployed, reason=reason))
    rolled_back = task.startswith("rollback") or told.flag("deployment.payload.rollback")
    # A deployment that was tried again and succeeded is one that succeeded.
    return Mapped((service_rolledback if rolled_back else service_deployed)(**deployed, evidence=1))


@source.on("push")
def commits_pushed(event: CloudEvent, catalog: Catalog) -> Outcome:
    """The commits of a push, and the branch that it created or deleted."""
    told = Fields(event.data)
    branch = branch_of(told.text("ref"))
    if branch is None:
        return Ignored("a tag was pushed; releases and deployments tell what is done with it")
    repository = Repository.of(told, catalog)
    at = told.instant("repository.pushed_at", "head_commit.timestamp")
    if told.flag("deleted"):
        return Mapped(_branch(branch_deleted, repository, branch, at))
    drafts = list(pushed_commits(told, repository, branch, at, catalog))
    if told.flag("created"):
        drafts.insert(0, _branch(branch_created, repository, branch, at, commit=told.optional("after")))
    if not drafts:
        return Ignored("no commit was pushed: the branch was set back to one that it had before")
    return Mapped(*drafts)


@source.on("create", "delete")
def branch_came_or_went(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A branch was created or deleted. A push tells the same, and it is the same CDEvent."""
    told = Fields(event.data)
    if told.text("ref_type") != "branch":
        return Ignored("only branches have CDEvents; releases and deployments tell what is done with a tag")
    made = branch_created if ".create" in event.type else branch_deleted
    at = told.instant("repository.pushed_at")
    return Mapped(_branch(made, Repository.of(told, catalog), told.text("ref"), at))


@source.on("pull_request")
def change_proposed(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A pull request from its opening to its merge; `commit` is the one on the target branch."""
    told = Fields(event.data)
    action, change = told.text("action"), proposal(told, Repository.of(told, catalog))
    if action == "opened":
        description = told.words("pull_request.title")
        return Mapped(
            change_created(**change, at=told.instant("pull_request.created_at"), description=description)
        )
    if action != "closed":
        return Mapped(change_updated(**change, at=told.instant("pull_request.updated_at")))
    if not told.flag("pull_request.merged") and told.find("pull_request.merged_at") is None:
        return Mapped(change_abandoned(**change, at=told.instant("pull_request.closed_at")))
    commit = told.optional("pull_request.merge_commit_sha")
    return Mapped(change_merged(**change, at=told.instant("pull_request.merged_at"), commit=commit))


@source.on("pull_request_review")
def change_was_reviewed(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A review, whatever its verdict."""
    told = Fields(event.data)
    action = told.text("action")
    if action != "submitted":
        return Ignored(f"a review was {action}; that it took place was told before")
    change = proposal(told, Repository.of(told, catalog))
    return Mapped(change_reviewed(**change, at=told.instant("review.submitted_at")))


@source.on("issue", "issues")
def ticket_changed(event: CloudEvent, catalog: Catalog) -> Outcome:
    """An issue; and the incident that it opens or ends if it is labelled as one."""
    told = Fields(event.data)
    action, repository = told.text("action"), Repository.of(told, catalog)
    known = ticket(told, repository)
    match action:
        case "opened":
            opened = {**known, "summary": known["summary"] or ""}
            at, creator = told.instant("issue.created_at"), told.text("issue.user.login")
            draft = ticket_created(**opened, at=at, creator=creator)
        case "closed":
            resolution = told.optional("issue.state_reason") or "completed"
            at, resolution = told.instant("issue.closed_at"), RESOLUTIONS.get(resolution, resolution)
            draft = ticket_closed(**known, at=at, resolution=resolution)
        case _:
            draft = ticket_updated(**known, at=told.instant("issue.updated_at"))
    return Mapped(draft, *incidents(action, told, repository, catalog))


@source.on("workflow_run")
def workflow_ran(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A run of a workflow; a deployment too, if the catalog gives the workflow an environment."""
    told = Fields(event.data)
    return runs.workflow_run(told, Repository.of(told, catalog), catalog)


@source.on("workflow_job")
def job_ran(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A job of such a run."""
    told = Fields(event.data)
    return runs.workflow_job(told, Repository.of(told, catalog))


@source.on("release")
def release_published(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A release, with its tag as the artifact's version."""
    told = Fields(event.data)
    action = told.text("action")
    if action != "published":
        return Ignored(f"a release was {action}; `published` tells when people can have it")
    repository = Repository.of(told, catalog)
    artifact = purl.github(repository.name, told.text("release.tag_name"))
    at = told.instant("release.published_at", "release.created_at")
    return Mapped(_artifact(repository, artifact, at))


@source.on("package", "registry_package")
def package_published(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A version of a package; `registry_package` is the older name of the event."""
    told = Fields(event.data)
    action, name = told.text("action"), "package" if told.find("package") is not None else "registry_package"
    if action not in ("published", "updated"):
        return Ignored(f"a package was {action}")
    package = told.within(name)
    artifact = artifact_of(package)
    if artifact is None:
        return Ignored("GitHub does not tell yet which version of the package this is")
    at = package.instant("updated_at", "created_at")
    commit = package.optional("package_version.target_oid")
    return Mapped(_artifact(Repository.of(told, catalog), artifact, at, commit=commit))


@source.on("repository")
def repository_changed(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A repository was created, deleted, renamed, moved, archived or set up differently."""
    told = Fields(event.data)
    repository, action = Repository.of(told, catalog), told.text("action")
    made = {"created": repository_created, "deleted": repository_deleted}.get(action, repository_modified)
    return Mapped(
        made(
            source=repository.url,
            at=told.instant("repository.created_at" if action == "created" else "repository.updated_at"),
            repository=repository.name,
            name=told.text("repository.name"),
            uri=told.uri("repository.clone_url"),
            owner=told.optional("repository.owner.login"),
            view_url=repository.url,
            service=repository.service,
            channel=source.name,
        )
    )


@source.on(*REASONS)
def tells_nothing_of_delivery(event: CloudEvent, catalog: Catalog) -> Outcome:  # noqa: ARG001
    """All other events that GitHub documents: each has its reason."""
    name = event.type.removeprefix("com.github.").removeprefix("dev.knative.source.github.").partition(".")[0]
    return Ignored(REASONS[name])


def _branch(
    made: Callable[..., Draft], repository: Repository, branch: str, at: str, commit: str | None = None
) -> Draft:
    return made(
        source=repository.url,
        at=at,
        branch=branch,
        repository=repository.name,
        service=repository.service,
        commit=commit,
        channel=source.name,
        fact=f"{repository.identity} {branch} {at}",
    )


def _artifact(repository: Repository, artifact: str, at: str, commit: str | None = None) -> Draft:
    return artifact_published(
        source=repository.url,
        at=at,
        artifact=artifact,
        service=repository.service,
        repository=repository.name,
        commit=commit,
        channel=source.name,
    )
