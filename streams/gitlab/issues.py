"""GitLab's issues and other work items, as they are opened, changed and closed. Pure."""

from collections.abc import Iterator
from typing import Any

from schemas.catalog import Catalog
from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary import (
    incident_reported,
    incident_resolved,
    ticket_closed,
    ticket_created,
    ticket_updated,
)
from schemas.cloudevents.event import CloudEvent
from streams.fields import Fields
from streams.gitlab.project import Project, time_of
from streams.gitlab.tickets import Ticket, place_of, root_cause, ticket_of
from streams.outcome import Ignored, Mapped, Outcome

# When each action happened; the time of any other is that of the last change.
TIMES = {"open": "created_at", "close": "closed_at"}


def issue_changed(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A ticket that was opened, changed or closed; and the incident that it opens or ends if it is one."""
    told = Fields(event.data)
    if told.find("project") is None:
        return Ignored("work items of groups, as epics are, are not measured")
    about, project, ticket = told.within("object_attributes"), Project.of(told, catalog), ticket_of(told)
    action = about.optional("action") or ("close" if about.text("state") == "closed" else "update")
    draft = _ticket(about, action, ticket, project, event)
    return Mapped(draft, *_incidents(about, action, ticket, project, catalog, event))


def _ticket(about: Fields, action: str, ticket: Ticket, project: Project, event: CloudEvent) -> Draft:
    at, url, summary = _time(about, action, event), about.uri("url"), about.words("title")
    known: dict[str, Any] = {
        **project.known(),
        "at": at,
        "ticket": url,
        "uri": url,
        "kind": ticket.word,
        "labels": ticket.labels,
        "fact": f"{url} {action} {at}",
    }
    if action == "open":
        # CDEvents demands to know who it was: a number, and no name.
        return ticket_created(**known, summary=summary or url, creator=str(about.number("author_id")))
    if action == "close":
        return ticket_closed(**known, summary=summary, resolution=_resolution(about))
    return ticket_updated(**known, summary=summary)


def _incidents(
    about: Fields, action: str, ticket: Ticket, project: Project, catalog: Catalog, event: CloudEvent
) -> Iterator[Draft]:
    if not (ticket.is_incident or ticket.ceased_to_be_incident):
        return
    url, opened = about.uri("url"), time_of(about, "created_at", event)
    service, environment = place_of(ticket, project, catalog)
    incident: dict[str, Any] = {
        **project.known(),
        "incident": url,
        "environment": environment,
        "service": service,
        "description": about.words("title"),
        "commit": root_cause(about.prose("description")),
    }
    if action == "close" or ticket.ceased_to_be_incident:
        at = _time(about, action, event)
        reason = _resolution(about) if action == "close" else "no longer labelled as an incident"
        fact = f"{url} resolved {at}"
        yield incident_resolved(**incident, at=at, detected_at=opened, reason=reason, fact=fact)
    elif action == "reopen":
        at = _time(about, action, event)
        yield incident_reported(**incident, at=at, ticket_uri=url, fact=f"{url} reported {at}")
    elif action == "open" or ticket.became_incident:
        # A label that is given later says what the issue was from its beginning.
        yield incident_reported(**incident, at=opened, ticket_uri=url, fact=f"{url} reported {opened}")


def _time(about: Fields, action: str, event: CloudEvent) -> str:
    path = TIMES.get(action, "updated_at")
    return time_of(about, path if about.find(path) is not None else "updated_at", event)


def _resolution(about: Fields) -> str:
    if about.find("duplicated_to_id") is not None:
        return "duplicate"
    return "moved" if about.find("moved_to_id") is not None else "completed"
