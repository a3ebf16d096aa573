"""Which deployments were not planned, and by which rule. Pure.

The rules in their order: ``correction`` (a person said so, or that it was planned), ``rollback``, ``hotfix``
(marked as an unplanned repair), ``revert`` (it takes back what was deployed before), ``incident`` (the last
deployment before an incident of its service and environment was over).
"""

from collections.abc import Sequence

from streams.links.failures import end_of, is_here, is_hotfix
from streams.links.history import History
from streams.links.timeline import Step


def rework(history: History, steps: Sequence[Step]) -> dict[str, str]:
    """The rule by which each unplanned deployment is one, by deploy_id."""
    repairs = _repairs(history, steps)
    deployed: set[str] = set()
    found: dict[str, str] = {}
    for step in steps:
        rule = _rule(history, step, deployed, repairs)
        if rule is not None:
            found[step.deployment.deploy_id] = rule
        deployed |= {change.change_id for change in step.changes}
    return found


def _rule(history: History, step: Step, deployed: set[str], repairs: set[str]) -> str | None:
    identity = step.deployment.deploy_id
    said = history.corrections.get(identity)
    if step.is_rollback:
        return "rollback"
    if said is not None and said.unplanned is not None:
        return "correction" if said.unplanned else None
    if is_hotfix(step):
        return "hotfix"
    if any(change.reverts in deployed for change in step.changes):
        return "revert"
    return "incident" if identity in repairs else None


def _repairs(history: History, steps: Sequence[Step]) -> set[str]:
    """What was deployed last while an incident was open."""
    found = set()
    for incident in history.incidents:
        begin, end = incident.detected_at, end_of(incident)
        if begin is None or end is None or not is_here(incident, history):
            continue
        during = [s.deployment.deploy_id for s in steps if begin < s.deployment.time_created <= end]
        found |= set(during[-1:])
    return found
