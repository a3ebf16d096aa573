"""CDEvents as sources tell them, in a few words, and the links that follow from them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent, Draft, complete
from schemas.cdevents.vocabulary import (
    artifact_packaged,
    change_created,
    change_merged,
    commit_pushed,
    deployment_failed,
    incident_detected,
    incident_resolved,
    service_deployed,
    service_rolledback,
)
from streams.facts import Artifact, Change, Correction, Deployment, Incident, Push, facts_of
from streams.facts.told import merged
from streams.links import History, Links, link
from streams.sinks.facts import TABLES

START = datetime(2026, 6, 1, tzinfo=UTC)
SERVICE, ENVIRONMENT, REPOSITORY = "shop", "production", "acme/shop"


def hour(number: float | str) -> str:
    """RFC 3339 text of an hour after the start; of ``06-01 12:00`` that time in 2026, UTC."""
    if isinstance(number, str):
        return f"2026-{number.replace(' ', 'T')}{':00' if number.count(':') == 1 else ''}Z"
    return (START + timedelta(hours=number)).isoformat().replace("+00:00", "Z")


def event(draft: Draft, identity: str | None = None) -> CDEvent:
    """``draft`` as an event; the same draft is the same event."""
    return complete(draft, rule="test", cause=("/test", identity or repr(draft)), ordinal=0)


def push(
    at: float | str, *commits: str, made: Any = None, branch: str = "main", **more: Any
) -> list[CDEvent]:
    """A push of ``commits``, made an hour before unless it is said when."""
    if made is None:
        assert not isinstance(at, str)
        made = at - 1
    times = made if isinstance(made, list) else [made] * len(commits)
    return [
        event(
            commit_pushed(
                source="/git",
                at=hour(at),
                commit=commit,
                repository=more.get("repository", REPOSITORY),
                branch=branch,
                order=order,
                before=more.get("before"),
                after=more.get("after", commits[-1]),
                committed_at=hour(times[order]),
                service=more.get("service", SERVICE),
                hotfix=more.get("hotfix"),
                reverts=more.get("reverts"),
                services=more.get("services"),
            )
        )
        for order, commit in enumerate(commits)
    ]


def merge(at: float | str, change: str, *, opened: float | str | None = None, **known: Any) -> list[CDEvent]:
    """A change that was merged, and opened if it is said when."""
    about = {"source": "/git", "change": change, "repository": REPOSITORY, "service": SERVICE}
    about |= {name: known.pop(name) for name in ("repository", "service") if name in known}
    told = [event(change_merged(**about, at=hour(at), **{"branch": "main", **known}))]
    if opened is not None:
        told.append(event(change_created(**about, at=hour(opened))))
    return told


def deploy(at: float | str, name: str, commit: str | None = None, **known: Any) -> CDEvent:
    """A deployment called ``name``."""
    facts = {"service": SERVICE, "environment": ENVIRONMENT, "artifact": f"pkg:oci/shop@{name}"}
    if commit is not None:
        facts |= {"commit": commit, "repository": REPOSITORY}
    return event(service_deployed(source="/cd", at=hour(at), deploy_id=name, **facts | known))


def roll_back(at: float | str, name: str, *, to: str | None = None, **known: Any) -> CDEvent:
    """A rollback called ``name``, to the artifact of the deployment ``to`` if it is said which."""
    facts = {"service": SERVICE, "environment": ENVIRONMENT, "artifact": f"pkg:oci/shop@{to or name}"}
    return event(service_rolledback(source="/cd", at=hour(at), deploy_id=name, **facts | known))


def fail(at: float | str, name: str) -> CDEvent:
    """A rollout that did not reach its environment."""
    return event(
        deployment_failed(
            source="/cd",
            at=hour(at),
            deploy_id=name,
            service=SERVICE,
            environment=ENVIRONMENT,
            reason="timeout",
        )
    )


def build(artifact: str, origin: str, **known: Any) -> CDEvent:
    """An artifact that was built from ``origin``: a commit, unless it is said that it is none."""
    facts = {"repository": REPOSITORY, "commit": origin} | known
    return event(artifact_packaged(source="/ci", at=hour(0), artifact=artifact, change=origin, **facts))


def incident(
    begin: float | str | None, end: float | str | None, name: str = "i1", **known: Any
) -> list[CDEvent]:
    """An incident; ``None`` for a beginning or an end that nobody told."""
    facts = {"source": "/pager", "incident": name, "environment": ENVIRONMENT, "service": SERVICE} | known
    told = []
    if begin is not None:
        told.append(event(incident_detected(**facts, at=hour(begin))))
    if end is not None:
        told.append(event(incident_resolved(**facts, at=hour(end))))
    return told


def flat(told: Sequence[Any]) -> list[CDEvent]:
    """Events and lists of events as one list."""
    return [each for item in told for each in (item if isinstance(item, list) else [item])]


def history_of(events: Sequence[CDEvent], catalog: Catalog | None = None, **known: Any) -> History:
    """The history of the shop in production that ``events`` tell."""
    catalog = catalog or Catalog.empty()
    facts: dict[type[Any], list[Any]] = {kind: [] for kind in TABLES}
    for each in events:
        for fact in facts_of(each, catalog):
            facts[type(fact)].append(fact)
    found = {kind: merged(facts[kind], table.key, table.merge) for kind, table in TABLES.items()}
    return History(
        service=SERVICE,
        environment=ENVIRONMENT,
        deployments=[
            each for each in found[Deployment] if (each.service, each.environment) == (SERVICE, ENVIRONMENT)
        ],
        pushes=found[Push],
        changes=found[Change],
        artifacts={each.artifact: each for each in found[Artifact]},
        incidents=found[Incident],
        corrections={each.deploy_id: each for each in found[Correction]},
        **known,
    )


def links_of(*told: Any, **known: Any) -> Links:
    """The links that follow from events."""
    return link(history_of(flat(told), **known))


def contained(links: Links) -> dict[str, str]:
    """Of each change the deployment that contains it first."""
    return {each.change_id: each.deploy_id for each in links.changes}


def lead_hours(links: Links) -> dict[str, float]:
    """Of each change that is work of its own, the hours until it was deployed."""
    return {
        each.change_id: each.lead_seconds / 3600 for each in links.changes if each.lead_seconds is not None
    }


def failed(links: Links) -> dict[str, tuple[str | None, str | None]]:
    """Of each failed deployment the rule and the cause."""
    return {
        each.deploy_id: (each.failure_rule, each.failure_cause)
        for each in links.attributions
        if each.failure_rule is not None
    }


def recovery_hours(links: Links) -> dict[str, float | None]:
    """Of each failed deployment the hours until recovery."""
    return {
        each.deploy_id: None if each.recovery_seconds is None else each.recovery_seconds / 3600
        for each in links.attributions
        if each.failure_rule is not None
    }


def reworked(links: Links) -> dict[str, str]:
    """Of each unplanned deployment the rule."""
    return {each.deploy_id: each.rework_rule for each in links.attributions if each.rework_rule is not None}
