"""What two other systems would answer, from their published formulas, over a story. None of it is their code.

fourkeys: METRICS.md and queries/*.sql of dora-team/fourkeys. DevLake: the DORA plugin of
apache/incubator-devlake (backend/plugins/dora/tasks, grafana/dashboards/DORA.json). What either needs and the
story does not tell (issue texts, pull requests of direct pushes) is not made up.
"""

from datetime import timedelta
from statistics import median

from tests.metrics.oracle import at

HOUR = 3600


class FourKeys:
    """A deployment contains the commits of the one push that ends with its commit, and vanishes without."""

    def __init__(self, story):
        pushes = [e for e in story if "push" in e]
        self.made = {commit: at(e["made"]) for e in pushes for commit in e["push"]}
        of_head = {e["push"][-1]: e["push"] for e in pushes}
        self.deployments = {}
        for e in sorted((e for e in story if "deploy" in e), key=lambda e: at(e["at"])):
            if e.get("commit") in of_head:
                self.deployments.setdefault(e["deploy"], (at(e["at"]), of_head[e["commit"]]))
        self.incidents = [e for e in story if "incident" in e]

    def deployments_per_day(self, days):
        return len(self.deployments) / days

    def lead_hours(self):
        """Median over the changes of deployments; what is not positive is dropped as an automated push."""
        found = [
            (when - self.made[change]).total_seconds() / HOUR
            for when, changes in self.deployments.values()
            for change in changes
        ]
        return median(hours for hours in found if hours > 0)

    def failure_rate(self):
        """Rows of deployment, change and incident with an incident, by distinct deployments."""
        matched = sum(
            1
            for _, changes in self.deployments.values()
            for change in changes
            for incident in self.incidents
            if incident.get("commit") == change
        )
        return matched / len(self.deployments)

    def restore_hours(self):
        """From the deployment of the root cause, or from the issue if that is earlier, to its end."""
        found = []
        for incident in self.incidents:
            causes = [
                when for when, changes in self.deployments.values() if incident.get("commit") in changes
            ]
            begin = min([at(incident["from"]), *causes])
            found.append((at(incident["to"]) - begin).total_seconds() / HOUR)
        return median(found)


class DevLake:
    """Changes are pull requests; an incident belongs to the deployment before it, however long ago."""

    def __init__(self, story):
        self.story = story
        finished = {}
        for e in story:
            if "deploy" in e:  # of one deployment the last finish counts
                finished[e["deploy"]] = max(finished.get(e["deploy"], at(e["at"])), at(e["at"]))
        self.deployments = sorted((when, name) for name, when in finished.items())
        self.made = {commit: at(e["made"]) for e in story if "push" in e for commit in e["push"]}

    def deployments_per_day(self, days):
        return len(self.deployments) / days

    def lead_hours(self):
        """From a pull request's first commit to the deployment after its merge, unless that is the first."""
        found = []
        for merge in (e for e in self.story if "merge" in e):
            branch = next(e["branch"] for e in self.story if merge["head"] in e.get("push", ()))
            own = [c for e in self.story if e.get("branch") == branch for c in e["push"]]
            later = [when for when, _ in self.deployments[1:] if when >= at(merge["at"])]
            if later:
                found.append((later[0] - min(self.made[c] for c in own)).total_seconds() / HOUR)
        return lower_median(found)

    def _failed(self):
        failed = {}
        for e in (e for e in self.story if "incident" in e):
            before = [(when, name) for when, name in self.deployments if when < at(e["from"])]
            if before:
                failed.setdefault(before[-1], []).append(at(e["to"]))
        return failed

    def failure_rate(self):
        return len(self._failed()) / len(self.deployments)

    def recovery_hours(self):
        """Over incidents: from the deployment that each belongs to, to its end."""
        return lower_median(
            [
                (end - when).total_seconds() / HOUR
                for (when, _), ends in self._failed().items()
                for end in ends
            ]
        )


def lower_median(values):
    """The largest value whose percent_rank is at most one half: nothing between two values."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2]


def days_between(start, end):
    return (at(end) - at(start)) / timedelta(days=1)
