"""What states and rules are called on pages: a word, a colour's class, and why. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from query.database import Row

# The rules of streams/links/failures.py, as docs/metrics.md has them.
FAILED_BY: Mapping[str, str] = {
    "correction": "A person said so.",
    "link": "An incident names this deployment, its commit or its artifact.",
    "rollback": "It was rolled back.",
    "revert": "A later change takes back one that it brought.",
    "hotfix": "The deployment after it is marked as an unplanned repair.",
    "incident": "It was the last deployment before an incident of its service and environment.",
}
UNPLANNED_BY: Mapping[str, str] = {
    "correction": "A person said so.",
    "rollback": "It is a rollback.",
    "hotfix": "It is marked as a repair.",
    "revert": "It takes back what was deployed before.",
    "incident": "It was the last deployment before an incident of its service and environment was over.",
}
CONTAINED_BY: Mapping[str, str] = {
    "revision": "it is the deployed commit",
    "push order": "it was pushed before a commit that is contained",
    "merged change": "it is the merged change that became a contained commit, or one of its commits",
    "merge order": "it was merged before a change that is contained",
}


@dataclass(frozen=True, slots=True)
class State:
    """What became of a deployment; ``kind`` is one of the names of a timeline, ``tone`` a badge's class."""

    kind: str
    word: str
    tone: str


def state_of(row: Row) -> State:
    """The state of a row of ``deployments`` with its attribution."""
    if row["counted"]:
        if row["failure_rule"] is not None:
            return State("failed", f"Failed: {row['failure_rule']}", "bad")
        return State("good", "Upgraded" if row["kind"] == "upgraded" else "Deployed", "good")
    if row["kind"] == "rolledback":
        return State("rollbacks", "Rollback", "doubt")
    if row["outcome"] == "failure":
        return State("uncounted", "Rollout failed", "doubt")
    return State("uncounted", "Withdrawn" if row["outcome"] == "withdrawn" else "Not counted", "none")
