"""Tickets, such as issues in a tracker. ``uri`` is an absolute URI of the ticket."""

from collections.abc import Sequence
from typing import Any, Unpack

from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary.draft import Told, draft


class Tracked(Told, total=False):
    """What may be known of a ticket. ``kind`` is bug, enhancement, incident, task, question or another word.

    People appear only where CDEvents demands one, as the creator of a new ticket.
    """

    kind: str | None
    group: str | None
    priority: str | None
    labels: Sequence[str] | None
    milestone: str | None
    service: str | None
    environment: str | None
    repository: str | None
    commit: str | None
    deploy_id: str | None


def ticket_created(
    *, source: str, at: str, ticket: str, uri: str, summary: str, creator: str, **known: Unpack[Tracked]
) -> Draft:
    """A ticket was opened."""
    content = {"summary": summary, "creator": creator, "uri": uri}
    return _ticket("ticket.created", source, at, ticket, content, known)


def ticket_updated(
    *, source: str, at: str, ticket: str, uri: str, summary: str | None = None, **known: Unpack[Tracked]
) -> Draft:
    """A ticket changed."""
    return _ticket("ticket.updated", source, at, ticket, {"summary": summary, "uri": uri}, known)


def ticket_closed(
    *,
    source: str,
    at: str,
    ticket: str,
    uri: str,
    resolution: str,
    summary: str | None = None,
    **known: Unpack[Tracked],
) -> Draft:
    """A ticket was closed; ``resolution`` is completed, withdrawn or another word."""
    content = {"summary": summary, "uri": uri, "resolution": resolution}
    return _ticket("ticket.closed", source, at, ticket, content, known)


def _ticket(name: str, source: str, at: str, ticket: str, content: dict[str, Any], known: Tracked) -> Draft:
    labels = known.get("labels")
    details = {
        **content,
        "ticketType": known.get("kind"),
        "group": known.get("group"),
        "priority": known.get("priority"),
        "labels": list(labels) if labels else None,
        "milestone": known.get("milestone"),
    }
    return draft(name, source=source, at=at, subject_id=ticket, content=details, dora=dict(known))
