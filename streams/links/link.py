"""All links of one service in one environment, from all of its facts. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from schemas.calendar import local_day, midnight
from streams.facts import Change
from streams.links.concerns import Concerns
from streams.links.containment import Containment, copies
from streams.links.days import days_of, packed
from streams.links.failures import Failure, Failures
from streams.links.history import Attribution, DeployedChange, History, Links
from streams.links.revisions import Revision, Revisions
from streams.links.rework import rework
from streams.links.timeline import Step, run, steps_of


def link(history: History) -> Links:
    """Contained changes, failures and rework. The order of the facts in ``history`` does not matter."""
    revisions = Revisions(history)
    containment = Containment(history)
    changes = {(change.repository, change.change_id): change for change in history.changes}
    concerns = Concerns(history)
    copied = copies(history, containment)
    own = OwnWork(history, copied)
    steps = [Step(deployment, revisions.of(deployment)) for deployment in steps_of(history)]
    deployed: list[DeployedChange] = []
    for step in steps:
        if step.revision is None or step.is_rollback:
            continue
        step.linked = containment.is_known(step.revision)
        for identity, rule in containment.take(step.revision, step.deployment.time_created):
            change = changes.get(identity)
            if change is not None and change in concerns:
                step.changes.append(change)
                deployed.append(own.deployed(change, step, rule))
    run(steps)
    failures = Failures(history, steps).all()
    reworked = rework(history, steps)
    brought: defaultdict[str, list[DeployedChange]] = defaultdict(list)
    for each in deployed:
        brought[each.deploy_id].append(each)
    attributions = [
        _attribution(step, brought[step.deployment.deploy_id], failures, reworked, history.zone)
        for step in steps
    ]
    repositories = {step.revision[0] for step in steps if step.revision is not None}
    waiting = [
        _day(at, history.zone)
        for change in history.changes
        if change.kind == "commit" and change.repository in repositories
        if (change.repository, change.change_id) not in copied
        if not containment.contains((change.repository, change.change_id))
        if (at := change.committed_at or change.pushed_at) is not None
    ]
    place = history.service, history.environment
    return Links(attributions, deployed, days_of(place, attributions, deployed, waiting))


class OwnWork:
    """From when to when a change took: a merge commit or a copy is no work of its own, and has no times."""

    def __init__(self, history: History, copied: set[Revision]) -> None:
        self._copied = copied
        self._commits = {
            (change.repository, change.change_id) for change in history.changes if change.kind == "commit"
        }

    def deployed(self, change: Change, step: Step, rule: str) -> DeployedChange:
        """``change`` in the deployment that contains it first."""
        deployment = step.deployment
        at = deployment.time_created
        return DeployedChange(
            deployment.service,
            deployment.environment,
            change.repository,
            change.change_id,
            change.kind,
            deployment.deploy_id,
            at,
            rule,
            lead_seconds=_seconds(self._begin(change), at),
            merge_seconds=_seconds(change.merged_at, at) if change.kind == "change" else None,
        )

    def _begin(self, change: Change) -> datetime | None:
        if change.kind == "commit":
            copied = (change.repository, change.change_id) in self._copied
            return None if copied else change.committed_at or change.pushed_at
        # Its commits tell when the work began; when none of them is known, it began when it was proposed.
        known = ((change.repository, commit) in self._commits for commit in (change.commit, change.head))
        return None if any(known) else change.opened_at or change.merged_at


def _attribution(
    step: Step,
    brought: Sequence[DeployedChange],
    failures: dict[str, Failure],
    reworked: dict[str, str],
    zone: ZoneInfo,
) -> Attribution:
    deployment = step.deployment
    failure = failures.get(deployment.deploy_id)
    recovered = None if failure is None else failure.recovered_at
    return Attribution(
        deployment.deploy_id,
        deployment.service,
        deployment.environment,
        deployment.time_created,
        "rollback" if step.is_rollback else "counted",
        None if step.revision is None else step.revision[0] or None,
        None if step.revision is None else step.revision[1],
        step.linked,
        sum(change.kind == "commit" for change in step.changes),
        None if failure is None else failure.rule,
        None if failure is None else failure.cause,
        recovered,
        _seconds(deployment.time_created, recovered),
        reworked.get(deployment.deploy_id),
        _day(deployment.time_created, zone),
        packed(each.lead_seconds for each in brought),
        packed(each.merge_seconds for each in brought),
    )


def _day(instant: datetime, zone: ZoneInfo) -> datetime:
    """Where the day of ``instant`` begins."""
    return midnight(local_day(instant, zone), zone).astimezone(UTC)


def _seconds(begin: datetime | None, end: datetime | None) -> float | None:
    return None if begin is None or end is None else (end - begin).total_seconds()
