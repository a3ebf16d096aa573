"""Which deployments failed, by which rule, and when the service had recovered. Pure.

The rules in their order; the first that matches is the one that is told:

1. ``correction``  a person said so (or that it did not fail, which ends the search)
2. ``link``        an incident names the deployment, its commit or its artifact
3. ``rollback``    it was rolled back
4. ``revert``      a later change takes back one that it brought
5. ``hotfix``      the next deployment is marked as an unplanned repair
6. ``incident``    the latest one before an incident of its service and environment, if not too long before
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from streams.facts import Change, Incident
from streams.facts.artifacts import artifact_key
from streams.links.history import History
from streams.links.timeline import Step


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a deployment failed. ``recovered_at`` is ``None`` while it has not recovered."""

    rule: str
    cause: str | None
    recovered_at: datetime | None


class Failures:
    """The failures of one service in one environment, by deploy_id; filled rule by rule."""

    def __init__(self, history: History, steps: Sequence[Step]) -> None:
        self._history = history
        self._steps = steps
        self._counted = [step for step in steps if not step.is_rollback]
        self._of_change: dict[str, Step] = {}
        for step in self._counted:
            for change in step.changes:
                self._of_change.setdefault(change.change_id, step)
        self._found: dict[str, Failure] = {}
        self._refused: set[str] = set()

    def all(self) -> dict[str, Failure]:
        """Every failure, each by the first rule that matches."""
        self._correct()
        unlinked = self._link(sorted(self._history.incidents, key=_begin))
        self._roll_back()
        self._revert()
        self._hotfix()
        self._follow(unlinked)
        return self._found

    def _correct(self) -> None:
        for step in self._counted:
            said = self._history.corrections.get(step.deployment.deploy_id)
            if said is None or said.failed is None:
                continue
            if said.failed:
                self._fail(step, "correction", said.cause, self._recovery_said(step, said.cause))
            else:
                self._refused.add(step.deployment.deploy_id)

    def _recovery_said(self, step: Step, cause: str | None) -> datetime | None:
        named = [each for each in self._history.incidents if each.incident_id == cause]
        if named:
            return end_of(named[0])
        at = step.deployment.time_created
        later = (each.deployment.time_created for each in self._steps)
        return next((time for time in later if time > at), None)

    def _link(self, incidents: Iterable[Incident]) -> list[Incident]:
        """Follow what incidents name; those that name nothing known here are left for the last rule."""
        left = []
        for incident in incidents:
            step = self._named(incident)
            if step is not None:
                self._blame(step, "link", incident)
            elif "deploy_id" not in incident.told and is_here(incident, self._history):
                left.append(incident)
        return left

    def _named(self, incident: Incident) -> Step | None:
        told = {name: value for name, (_, value) in incident.told.items()}
        deploy_id, commit, artifact = (told.get(name) for name in ("deploy_id", "commit", "artifact"))
        if deploy_id is not None:
            return next((s for s in self._counted if s.deployment.deploy_id == deploy_id), None)
        if told.get("environment", self._history.environment) != self._history.environment:
            return None  # what went wrong elsewhere with the same revision
        if commit is not None:
            brought = next((s for s in self._counted if s.revision and s.revision[1] == commit), None)
            return self._of_change.get(commit) or brought
        if artifact is None:
            return None
        key = artifact_key(artifact)
        deployed = [step for step in self._counted if key in step.versions]
        earlier = [step for step in deployed if step.deployment.time_created <= _begin(incident)[0]]
        return earlier[-1] if earlier else None

    def _roll_back(self) -> None:
        for step in self._steps:
            if step.undid is not None:
                at = step.deployment.time_created
                self._fail(step.undid, "rollback", step.deployment.deploy_id, at)

    def _revert(self) -> None:
        reverting = {change.change_id for change in self._history.changes if change.reverts is not None}
        for change in sorted(self._history.changes, key=_age):
            failed = self._of_change.get(change.reverts or "")
            if failed is None or change.reverts in reverting:
                continue  # taking back what took something back repairs nothing
            repair = self._of_change.get(change.change_id)
            if repair is not failed and not _is_earlier(repair, failed):
                at = None if repair is None else repair.deployment.time_created
                self._fail(failed, "revert", change.change_id, at)

    def _hotfix(self) -> None:
        for step in self._counted:
            if step.before is not None and is_hotfix(step):
                at = step.deployment.time_created
                self._fail(step.before, "hotfix", step.deployment.deploy_id, at)

    def _follow(self, incidents: Iterable[Incident]) -> None:
        for incident in incidents:
            begin = incident.detected_at
            earlier = (
                [] if begin is None else [s for s in self._counted if s.deployment.time_created <= begin]
            )
            if begin is None or not earlier:
                continue
            if begin - earlier[-1].deployment.time_created <= self._history.incident_within:
                self._blame(earlier[-1], "incident", incident)

    def _blame(self, step: Step, rule: str, incident: Incident) -> None:
        """An incident fails a deployment; of several, all must be over before it has recovered."""
        known = self._found.get(step.deployment.deploy_id)
        end = end_of(incident)
        if known is None:
            self._fail(step, rule, incident.incident_id, end)
        elif known.rule == rule:
            ends = (known.recovered_at, end)
            last = None if None in ends else max(at for at in ends if at is not None)
            self._found[step.deployment.deploy_id] = Failure(rule, known.cause, last)

    def _fail(self, step: Step, rule: str, cause: str | None, recovered_at: datetime | None) -> None:
        identity = step.deployment.deploy_id
        if identity not in self._refused:
            self._found.setdefault(identity, Failure(rule, cause, recovered_at))


def is_hotfix(step: Step) -> bool:
    """Whether a deployment, or a change that it brings, is marked as an unplanned repair."""
    return step.deployment.hotfix or any(change.hotfix for change in step.changes)


def end_of(incident: Incident) -> datetime | None:
    """When an incident was over; ``None`` while it is open, which it is again after a later report.

    An end before the very first report is a clock that is wrong and no new beginning.
    """
    begin, opened, end = incident.detected_at, incident.opened_at, incident.resolved_at
    if end is not None and begin is not None and opened is not None and begin <= end < opened:
        return None
    return end


def is_here(incident: Incident, history: History) -> bool:
    """Whether an incident says that it is one of this service in this environment."""
    said = (incident.told.get("service"), incident.told.get("environment"))
    return [None if each is None else each[1] for each in said] == [history.service, history.environment]


def _begin(incident: Incident) -> tuple[datetime, tuple[str, str]]:
    at = incident.detected_at or incident.resolved_at
    assert at is not None  # noqa: S101 - every report has a time
    return at, incident.key


def _age(change: Change) -> tuple[datetime, str]:
    at = change.merged_at or change.pushed_at or change.committed_at or change.opened_at
    assert at is not None  # noqa: S101 - every report has a time
    return at, change.change_id


def _is_earlier(repair: Step | None, failed: Step) -> bool:
    return repair is not None and repair.deployment.time_created < failed.deployment.time_created
