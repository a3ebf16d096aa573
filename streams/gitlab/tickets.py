"""Issues and other work items: tickets, of which some are incidents. Pure.

An incident is a work item of that type, or an issue with the label ``incident``, which GitLab itself gave to
incidents before it had the type. Which service and environment it is about can stand in scoped labels,
``service::checkout`` and ``environment::production``, the way GitLab's users write such things.
"""

import re
from dataclasses import dataclass, field

from schemas.catalog import Catalog
from streams.fields import Fields
from streams.gitlab.project import Project
from streams.incidents import production_of
from streams.marks import LONGEST_READ

INCIDENT = "incident"
# A word of its own: incident, type::incident, incident/sev1.
LABEL = re.compile(r"(?:^|[\s:/_-])incident(?:$|[\s:/_-])", re.IGNORECASE)
# fourkeys' convention, which its users have in their templates: the commit that brought the incident.
CAUSE = re.compile(r"\broot cause:?\s*`?([0-9a-f]{40}(?:[0-9a-f]{24})?)\b", re.IGNORECASE)
# Of the labels that GitLab makes for a project, and of ours.
KINDS = (INCIDENT, "bug", "enhancement", "question", "task")


@dataclass(frozen=True, slots=True)
class Ticket:
    """A work item as a message shows it. ``labels`` are its labels now, ``before`` those that it had."""

    kind: str | None
    labels: tuple[str, ...]
    before: tuple[str, ...] | None = field(default=None)

    @property
    def is_incident(self) -> bool:
        """Whether it is an incident now."""
        return self.kind == INCIDENT or _is_listed(self.labels)

    @property
    def became_incident(self) -> bool:
        """Whether a label has just made it one."""
        return self.is_incident and not self._was_incident

    @property
    def ceased_to_be_incident(self) -> bool:
        """Whether it is none any more, since the label was taken away."""
        return self._was_incident and not self.is_incident

    @property
    def word(self) -> str | None:
        """What kind of ticket it is, in words of CDEvents; ``None`` for an issue that could be anything."""
        named = {label.lower().rpartition("::")[2] for label in self.labels}
        found = next((kind for kind in KINDS if kind in named), None)
        return INCIDENT if self.is_incident else found or (None if self.kind == "issue" else self.kind)

    def scoped(self, *scopes: str) -> str | None:
        """The value of a scoped label, as ``checkout`` of ``service::checkout``."""
        found = (label.partition("::") for label in self.labels)
        return next(
            (value.strip() for key, _, value in found if key.lower() in scopes and value.strip()), None
        )

    @property
    def _was_incident(self) -> bool:
        return self.kind == INCIDENT or _is_listed(self.labels if self.before is None else self.before)


def ticket_of(told: Fields) -> Ticket:
    """The work item that a message shows."""
    kind = told.optional("object_attributes.type") or told.optional("object_attributes.issue_type")
    changed = told.find("changes.labels.previous") is not None
    before = _titles(told, "changes.labels.previous") if changed else None
    return Ticket(None if kind is None else kind.lower(), labels_of(told), before)


def labels_of(told: Fields) -> tuple[str, ...]:
    """The titles of the labels that a merge request or a work item has."""
    return _titles(told, "object_attributes.labels") or _titles(told, "labels")


def place_of(ticket: Ticket, project: Project, catalog: Catalog) -> tuple[str, str]:
    """The service and the environment that an incident is in."""
    service, native = ticket.scoped("service") or project.service, ticket.scoped("environment", "env")
    if native is not None:
        return service, catalog.environment(native, service=service)
    return service, catalog.environment_of("repository", project.name) or production_of(catalog)


def root_cause(description: str) -> str | None:
    """The commit that a description names as the cause."""
    found = CAUSE.search(description[:LONGEST_READ])
    return None if found is None else found[1].lower()


def _titles(told: Fields, path: str) -> tuple[str, ...]:
    return tuple(title for label in told.each(path) if (title := label.optional("title")) is not None)


def _is_listed(labels: tuple[str, ...]) -> bool:
    return any(LABEL.search(label) is not None for label in labels)
