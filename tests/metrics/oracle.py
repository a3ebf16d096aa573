"""The metrics once more, from a story itself: sets and plain loops, and nothing of the code under test.

It knows what the stories know: one service, its repository, branches without force pushes.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from statistics import median
from zoneinfo import ZoneInfo


def at(text):
    full = f"2026-{text}" + (":00" if text.count(":") == 1 else "")
    return datetime.strptime(full, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def is_here(e):
    return e.get("service", "shop") == "shop" and e.get("environment", "production") == "production"


class Oracle:
    def __init__(self, story):
        self.story = story
        self.pushes = sorted((e for e in story if "push" in e), key=lambda e: at(e["at"]))
        self.merges = [e for e in story if "merge" in e]
        self.runs = self._once([e for e in story if ("deploy" in e or "rollback" in e) and is_here(e)])
        self.incidents = self._incidents([e for e in story if "incident" in e and is_here(e)])
        self.said = {}
        for e in sorted((e for e in story if "correct" in e), key=lambda e: at(e["at"])):
            self.said[e["correct"]] = e
        self.made = {}
        for e in self.pushes:
            times = e["made"] if isinstance(e["made"], list) else [e["made"]] * len(e["push"])
            for commit, told in zip(e["push"], times, strict=True):
                # Nobody pushes what is not made yet: a clock that is that wrong is not believed.
                made = at(told) if at(told) - at(e["at"]) <= timedelta(minutes=10) else at(e["at"])
                self.made[commit] = min(made, self.made.get(commit, made))
        self.branches = {}
        for e in self.pushes:
            line = self.branches.setdefault(e.get("branch", "main"), [])
            line += [c for c in e["push"] if c not in line]
        self.first_in = self._first_in()

    @staticmethod
    def _once(runs):
        names = {}
        for e in sorted(runs, key=lambda e: at(e["at"])):
            names.setdefault(e.get("deploy") or e["rollback"], e)
        return sorted(names.values(), key=lambda e: (at(e["at"]), e.get("deploy") or e["rollback"]))

    @staticmethod
    def _incidents(told):
        found = {}
        for e in told:
            known = found.setdefault(e["incident"], {"begins": [], "ends": [], "deploy_id": None})
            known["begins"] += [at(e["from"])] if e["from"] else []
            known["ends"] += [at(e["to"])] if e["to"] else []
            known["deploy_id"] = known["deploy_id"] or e.get("deploy_id")
        for known in found.values():
            begins, end = known["begins"], max(known["ends"], default=None)
            if end and begins and min(begins) <= end < max(begins):
                end = None
            known["begin"], known["end"] = min(begins, default=None), end
        return found

    def ancestors(self, commit):
        """The commit, what was pushed before it, and what its merges brought; commits and changes."""
        found, before = {commit}, set()
        while found != before:
            before = set(found)
            for line in self.branches.values():
                places = [n for n, c in enumerate(line) if c in before]
                found |= set(line[: max(places) + 1]) if places else set()
            for m in self.merges:
                if self._became(m) in before:
                    found |= {m["merge"], *([m["head"]] if "head" in m else [])}
        known = set(self.made) | {m["merge"] for m in self.merges}
        return found & known

    def _became(self, merge):
        if "commit" in merge:
            return merge["commit"]
        later = [
            e
            for e in self.pushes
            if e.get("branch", "main") == "main" and at(e["at"]) >= at(merge["at"]) - timedelta(seconds=60)
        ]
        return later[0]["push"][-1] if later else None

    def _first_in(self):
        """Of each commit and change, the deployment that is the first to contain it."""
        found, old, begun = {}, set(), False
        for e in self.runs:
            if "deploy" not in e or "commit" not in e:
                continue
            contained = self.ancestors(e["commit"])
            if not self.branches:  # without pushes: in the order of merges
                end = next((at(m["at"]) for m in self.merges if m.get("commit") == e["commit"]), None)
                contained = {m["merge"] for m in self.merges if end and at(m["at"]) <= end}
            if contained and not begun:
                begun = True
                limit = at(e["at"]) - timedelta(days=30)
                pushed = {c: min(at(p["at"]) for p in self.pushes if c in p["push"]) for c in self.made}
                old = {c for c in contained if c != e["commit"] and c in pushed and pushed[c] < limit}
            for change in contained - old:
                found.setdefault(change, e)
        return found

    def copies(self):
        """Commits that merging made of others."""
        found = set()
        for m in self.merges:
            if "head" not in m or "commit" not in m or m["head"] == m["commit"] or m["head"] not in self.made:
                continue
            own = set()
            for line in self.branches.values():
                if m["head"] in line:
                    own |= set(line[: line.index(m["head"]) + 1])
            for p in self.pushes:
                if m["commit"] in p["push"]:
                    found |= {c for c in p["push"] if c not in own} | {m["commit"]}
        return found

    def change_lead_time(self):
        copies = self.copies()
        return [
            (at(d["at"]), (at(d["at"]) - self.made[c]).total_seconds())
            for c, d in self.first_in.items()
            if c in self.made and c not in copies
        ]

    def merge_to_deploy(self):
        merged = {m["merge"]: at(m["at"]) for m in self.merges}
        return [
            (at(d["at"]), (at(d["at"]) - merged[c]).total_seconds())
            for c, d in self.first_in.items()
            if c in merged
        ]

    def time_to_restore(self):
        return [
            (i["begin"], (i["end"] - i["begin"]).total_seconds() if i["end"] else None)
            for i in self.incidents.values()
            if i["begin"]
        ]

    def walk(self):
        """Of each run (run, what ran before it, what it took back)."""
        deployed, running, back = [], None, False
        for e in self.runs:
            before = running
            if "deploy" in e:
                deployed.append(e["deploy"])
                running, back = e["deploy"], False
                yield e, before, None
                continue
            undone = None
            if e["to"] == running:  # it does not say where to: one back, or forward if it was back already
                place = deployed.index(running)
                undone = None if back else running
                running = deployed[-1] if back else deployed[max(place - 1, 0)]
            elif e["to"] in deployed:
                undone = running if deployed.index(e["to"]) < deployed.index(running) else None
                running = e["to"]
            back = True
            yield e, before, undone

    def undone(self):
        """(deployment that was taken back, rollback)"""
        return [(undone, e) for e, _, undone in self.walk() if undone]

    def running_before(self, run):
        return next(before for e, before, _ in self.walk() if e is run)

    def is_hotfix(self, run):
        changes = [e for e in self.pushes if e.get("hotfix")]
        return run.get("hotfix") or any(self.first_in.get(c) is run for e in changes for c in e["push"])

    def failures(self):
        """{deployment: when it had recovered, or None}"""
        found = {}
        rules = (self._corrected, self._named, self._rolled_back, self._reverted, self._fixed, self._followed)
        for rule in rules:
            for name, recovered in rule():
                found.setdefault(name, recovered)
        return {n: end for n, end in found.items() if self.said.get(n, {}).get("failed") is not False}

    def _when(self):
        return {e["deploy"]: at(e["at"]) for e in self.runs if "deploy" in e}

    def _corrected(self):
        when = self._when()
        for n, e in self.said.items():
            if e.get("failed") and n in when:
                yield n, min((at(r["at"]) for r in self.runs if at(r["at"]) > when[n]), default=None)

    @staticmethod
    def _blamed(pairs):
        blamed = {}
        for name, incident in pairs:
            blamed.setdefault(name, []).append(incident["end"])
        return [(name, None if None in ends else max(ends)) for name, ends in blamed.items()]

    def _named(self):
        when = self._when()
        return self._blamed([(i["deploy_id"], i) for i in self.incidents.values() if i["deploy_id"] in when])

    def _rolled_back(self):
        return [(name, at(rollback["at"])) for name, rollback in self.undone()]

    def _reverted(self):
        reverting = {c for p in self.pushes if "reverts" in p for c in p["push"]}
        for p in self.pushes:
            victim = self.first_in.get(p.get("reverts"))
            if victim is None or p["reverts"] in reverting:
                continue
            for repair in (self.first_in.get(c) for c in p["push"]):
                if repair is not victim and (repair is None or at(repair["at"]) >= at(victim["at"])):
                    yield victim["deploy"], repair and at(repair["at"])

    def _fixed(self):
        for run in self.runs:
            before = self.running_before(run) if "deploy" in run else None
            if before and self.is_hotfix(run):
                yield before, at(run["at"])

    def _followed(self):
        when, pairs = self._when(), []
        for i in self.incidents.values():
            earlier = [n for n in when if i["begin"] and not i["deploy_id"] and when[n] <= i["begin"]]
            if earlier and i["begin"] - when[earlier[-1]] <= timedelta(hours=24):
                pairs.append((earlier[-1], i))
        return self._blamed(pairs)

    def failed_deployment_recovery_time(self):
        when = {e["deploy"]: at(e["at"]) for e in self.runs if "deploy" in e}
        return [
            (when[n], (end - when[n]).total_seconds() if end else None) for n, end in self.failures().items()
        ]

    def change_failure_rate(self):
        failed = self.failures()
        return [(at(e["at"]), e["deploy"] in failed) for e in self.runs if "deploy" in e]

    def deployment_rework_rate(self):
        repairs = set()
        for i in self.incidents.values():
            during = [
                e for e in self.runs if i["begin"] and i["end"] and i["begin"] < at(e["at"]) <= i["end"]
            ]
            repairs |= {e["deploy"] for e in during[-1:] if "deploy" in e}
        found, delivered = [], set()
        for e in self.runs:
            new = {c for c, d in self.first_in.items() if d is e}
            taken_back = {p["reverts"] for p in self.pushes if "reverts" in p and new & set(p["push"])}
            unplanned = (
                "rollback" in e
                or self.is_hotfix(e)
                or bool(taken_back & delivered)
                or e.get("deploy") in repairs
            )
            said = self.said.get(e.get("deploy"), {}).get("unplanned")
            found.append((at(e["at"]), bool(unplanned) if said is None else said))
            delivered |= new
        return found


def begins(start, end, bucket, zone):
    """Where the buckets of a window begin, in UTC: weeks and days only."""
    local = start.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    local -= timedelta(days=local.weekday() if bucket == "week" else 0)
    found = []
    while local.astimezone(UTC) < end:
        found.append(max(local.astimezone(UTC), start))
        local += timedelta(days=7 if bucket == "week" else 1)
    return found


def answer(metric, story, start, end, bucket, zone):
    """(value, sample_count, [(value, sample_count)]) of a window."""
    samples = [(when, what) for when, what in getattr(Oracle(story), metric)() if start <= when < end]
    starts = begins(start, end, bucket, zone)
    parts = [[] for _ in starts]
    for when, what in samples:
        parts[max(n for n, begin in enumerate(starts) if begin <= when)].append(what)
    whole = [what for part in parts for what in part]
    (value, count), *_ = [summary(metric, whole)]
    return value, count, [summary(metric, part) for part in parts]


def summary(metric, samples):
    if metric in ("change_failure_rate", "deployment_rework_rate"):
        counted = Counter(samples)
        return (float(Fraction(counted[True], len(samples))) if samples else None), len(samples)
    kept = [seconds for seconds in samples if seconds is not None and seconds >= 0]
    return (median(kept) if kept else None), len(kept)
