"""What of a look at an Application is news, and the CDEvents that tell it. Pure.

Remembered are the deployments that were told of and how the health went. Adding a message to that is
idempotent; a later one may correct an earlier: a deployment that was Degraded first and Healthy in the end
has succeeded, which carries more ``evidence``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary import (
    deployment_failed,
    incident_detected,
    incident_resolved,
    service_deployed,
    service_removed,
    service_rolledback,
)
from streams.argocd.health import BAD, Episodes, incidents, remember
from streams.outcome import Ignored, Mapped, Observed, Settled

CHANNEL = "argocd"
TOLD_BEFORE = "nothing new: this sync and this health were told of before"
MOST_TOLD = 40  # of each Application; an older one that is told of once more makes the same CDEvent again

Facts = Mapping[str, Any]
State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of an Application: facts that were ``told``, and its ``health`` over time."""

    told: tuple[str, ...]
    health: Episodes

    @classmethod
    def of(cls, state: State | None) -> "Known":
        """What was remembered as JSON; nothing at first."""
        return cls((), {}) if state is None else cls(tuple(state["told"]), state["health"])

    def to_json(self) -> State:
        """As it is remembered."""
        return {"told": list(self.told), "health": dict(self.health)}

    def and_told(self, drafts: list[Draft]) -> "Known":
        """With the facts of ``drafts``, which are told now."""
        facts = dict.fromkeys((*self.told, *(draft.fact for draft in drafts if draft.fact is not None)))
        return replace(self, told=tuple(facts)[-MOST_TOLD:])

    def and_health(self, facts: Facts) -> "Known":
        """With the health that a message shows."""
        if facts.get("since") is None:
            return self
        return replace(self, health=remember(self.health, facts["since"], facts["health"]))


def fold_application(state: State | None, observation: Observed) -> tuple[State, Settled]:
    """Add one look to what is known of its Application, and report what that changes.

    ``state`` itself comes back when nothing changed.
    """
    before = Known.of(state)
    grown = before.and_health(observation.facts)
    drafts = list(news(observation.key, observation.facts, before, grown))
    after = grown.and_told(drafts)
    settled = Mapped(*drafts) if drafts else Ignored(observation.facts.get("otherwise") or TOLD_BEFORE)
    return (state if state is not None and after == before else after.to_json()), settled


def news(uid: str, facts: Facts, before: Known, after: Known) -> Iterator[Draft]:
    """Tell what a message about the Application ``uid`` shows and was not told before."""
    drafts = (*_removal(uid, facts), *_deployment(facts, before), *_incidents(uid, facts, before, after))
    return (draft for draft in drafts if draft.fact not in before.told)


def _common(facts: Facts) -> dict[str, Any]:
    return {name: facts[name] for name in ("source", "service", "environment")} | {"channel": CHANNEL}


def _removal(uid: str, facts: Facts) -> Iterator[Draft]:
    if facts.get("removed") is not None:
        yield service_removed(**_common(facts), at=facts["removed"], fact=f"{uid} removed")


def _deployment(facts: Facts, before: Known) -> Iterator[Draft]:
    deployment = dict(facts.get("deployment") or {})
    if not deployment:
        return
    kind, reason, images = (deployment.pop(name) for name in ("kind", "reason", "images"))
    succeeded = f"{deployment['deploy_id']} succeeded"
    if kind in ("deployed", "rolledback"):
        made = service_deployed if kind == "deployed" else service_rolledback
        draft = made(**_common(facts), **deployment, basis="sync", evidence=1, fact=succeeded)
        yield replace(draft, dora={**draft.dora, "images": images}) if images else draft
    elif succeeded not in before.told:
        fact = f"{deployment['deploy_id']} {kind}"
        yield deployment_failed(
            **_common(facts), **deployment, reason=reason, basis="sync", evidence=0, fact=fact
        )


def _incidents(uid: str, facts: Facts, before: Known, after: Known) -> Iterator[Draft]:
    told = {incident.began: incident for incident in incidents(before.health)}
    for incident in incidents(after.health):
        known = told.get(incident.began)
        common = {**_common(facts), "incident": f"{uid}:{incident.began}"}
        if known is None:
            cause = facts.get("deployment") or {}
            blamed = cause.get("deploy_id") if cause.get("kind") == "degraded" else None
            yield incident_detected(
                **common,
                at=incident.began,
                description=facts.get("message") or f"{facts['service']} is {BAD}",
                deploy_id=blamed,
                fact=f"{uid} {BAD} {incident.began}",
            )
        if incident.ended is not None and (known is None or known.ended != incident.ended):
            fact = f"{uid} {BAD} {incident.began} until {incident.ended}"
            yield incident_resolved(**common, at=incident.ended, detected_at=incident.began, fact=fact)
