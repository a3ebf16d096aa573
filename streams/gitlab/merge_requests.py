"""GitLab's merge requests: changes on their way to a branch. Pure."""

from typing import Any

from schemas.catalog import Catalog
from schemas.cdevents.vocabulary import (
    change_abandoned,
    change_created,
    change_merged,
    change_reviewed,
    change_updated,
)
from schemas.cloudevents.event import CloudEvent
from streams.fields import Fields
from streams.gitlab.project import Project, commit_of, time_of
from streams.gitlab.tickets import labels_of
from streams.marks import is_hotfix
from streams.outcome import Mapped, Outcome

# A system hook of an older version tells only the state that a merge request is in.
ACTION_OF_STATE = {"merged": "merge", "closed": "close"}


def merge_request_changed(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A merge request that was opened, changed, reviewed, merged or closed.

    ``commit`` is the merge commit. Of a merge without one GitLab tells no commit on the target branch, and a
    squash makes a new one, so then only ``head`` is known; the push to the branch tells the rest.
    """
    told = Fields(event.data)
    about, project = told.within("object_attributes"), Project.of(told, catalog)
    action = about.optional("action") or ACTION_OF_STATE.get(about.text("state"), "update")
    at = time_of(about, "created_at" if action == "open" else "updated_at", event)
    change: dict[str, Any] = {
        **project.known(),
        "at": at,
        "change": _address(about, project),
        "head": commit_of(about, "last_commit.id"),
        "branch": about.optional("target_branch"),
        "reverts": project.reverted(about.prose("description")),
        "hotfix": is_hotfix(about.optional("source_branch"), labels_of(told)) or None,
        "fact": f"{_address(about, project)} {action} {at}",
    }
    match action:
        case "open":
            return Mapped(change_created(**change, description=about.words("title")))
        case "merge":
            return Mapped(change_merged(**change, commit=commit_of(about, "merge_commit_sha")))
        case "close":
            return Mapped(change_abandoned(**change))
        case "approved" | "approval":
            return Mapped(change_reviewed(**change))
        case _:
            return Mapped(change_updated(**change))


def _address(about: Fields, project: Project) -> str:
    """Where people find it; a system hook of an older version leaves that to be made up."""
    if about.find("url") is None:
        return project.merge_request(about.number("iid"))
    return about.uri("url")
