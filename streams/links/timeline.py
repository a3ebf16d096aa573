"""What ran when: the counted deployments and rollbacks of one service in one environment. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from streams.facts import Change, Deployment
from streams.facts.artifacts import artifact_key
from streams.links.history import History
from streams.links.revisions import Revision


@dataclass(slots=True)
class Step:
    """A counted deployment or a rollback, and what is found out about it.

    ``before`` is the counted deployment that ran until then; ``undid`` the one that a rollback took back.
    ``changes`` are those that it contains for the first time.
    """

    deployment: Deployment
    revision: Revision | None
    linked: bool = False
    before: "Step | None" = None
    undid: "Step | None" = None
    changes: list[Change] = field(default_factory=list)

    @property
    def is_rollback(self) -> bool:
        """Whether it is a rollback and no counted deployment."""
        return not self.deployment.counted

    @property
    def versions(self) -> set[str]:
        """What names the version that it brought."""
        named = {self.deployment.commit, self.revision[1] if self.revision else None}
        if self.deployment.artifact is not None:
            named.add(artifact_key(self.deployment.artifact))
        return {name for name in named if name is not None}


def steps_of(history: History) -> list[Deployment]:
    """The counted deployments and the rollbacks over the channel that counts, in order."""
    return sorted(
        (
            deployment
            for deployment in history.deployments
            if deployment.counted
            or (
                deployment.kind == "rolledback"
                and deployment.outcome == "success"
                and history.channel in (None, deployment.channel)
            )
        ),
        key=lambda deployment: (deployment.time_created, deployment.deploy_id),
    )


def run(steps: Sequence[Step]) -> None:
    """Find what ran before each step, and what each rollback took back.

    A rollback goes back to the latest earlier deployment of its version. One that goes forward again, a
    rollback of a rollback, took nothing back. Without a version that is known, it goes one deployment back,
    and a second such rollback in a row is taken to go forward.
    """
    deployed: list[Step] = []
    running: int | None = None
    rolled_back = False
    for step in steps:
        step.before = None if running is None else deployed[running]
        if not step.is_rollback:
            deployed.append(step)
            running, rolled_back = len(deployed) - 1, False
            continue
        target = _target(step, deployed, running, rolled_back=rolled_back)
        if (
            running is not None
            and (target is None or target < running)
            and not (target is None and rolled_back)
        ):
            step.undid = deployed[running]
        running = target if target is not None else running
        rolled_back = True


def _target(step: Step, deployed: Sequence[Step], running: int | None, *, rolled_back: bool) -> int | None:
    versions = step.versions
    for index in reversed(range(len(deployed))):
        if deployed[index].versions & versions and index != running:
            return index
    if running is None:
        return None
    if rolled_back:
        return len(deployed) - 1
    return running - 1 if running > 0 else None
