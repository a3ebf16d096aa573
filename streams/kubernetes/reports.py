"""CDEvents that report what changed in what is known of a workload. Pure.

Reports of one deployment carry the same ``deploy_id``; the one with the most ``evidence`` holds. So a later
report corrects an earlier one, and nothing has to arrive in order.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from schemas.catalog import Catalog
from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary.draft import draft, reference
from schemas.purl import generic
from streams.kubernetes.objects import Facts, Known
from streams.kubernetes.rollouts import Rollout, rollouts

CHANNEL = "kubernetes"

EVENT_BASIS = "told by Event objects only, which cannot tell a restart or a failing rollout from a good one"
OBJECT_DECIDES = "told by Event objects; the Deployment itself is observed too, and decides"
CONTINUED = "it continued an earlier rollout of the same template, as a restart does"

# Event objects know least; that the object itself is observed outweighs them.
EVENT_EVIDENCE, OBJECT_EVIDENCE = 0, 1


@dataclass(frozen=True, slots=True)
class Reports:
    """The reports on one object: ``before`` is what was known of it, ``after`` what is known now."""

    uid: str
    facts: Facts
    catalog: Catalog
    before: Known
    after: Known

    def drafts(self) -> Iterator[Draft]:
        """Report every difference."""
        yield from self._replica_sets()
        if self.after.spans is not self.before.spans:
            yield from self._rollouts()
        if self.after.removed is not None and self.after.removed != self.before.removed:
            yield self._removed(self.after.removed)

    def _replica_sets(self) -> Iterator[Draft]:
        told = self.after.replica_sets
        news = {name for name, at in told.items() if self.before.replica_sets.get(name) != at}
        for name in sorted(news):
            yield self._started(name, told[name])
        if self.after.observed:
            for name in sorted(news if self.before.observed else told):
                yield self._withdrawn(name, told[name], "event", OBJECT_EVIDENCE, OBJECT_DECIDES)

    def _rollouts(self) -> Iterator[Draft]:
        forgotten = self.before.forgotten
        before = rollouts(self.before.spans, forgotten=forgotten)
        after = rollouts(self.after.spans, forgotten=forgotten)
        for first, rollout in after.items():
            if before.get(first) != rollout:
                yield self._completed(first, rollout)
        for first, rollout in before.items():
            if first not in after:
                yield self._withdrawn(str(first), rollout.at, "object", self.after.evidence, CONTINUED)

    def _completed(self, first: int, rollout: Rollout) -> Draft:
        artifacts = rollout.artifacts
        content = {"artifactId": artifacts[0] if artifacts else self._unnamed(f"{self.uid}:{first}")}
        dora = {"artifact": artifacts[0] if artifacts else None, "evidence": self.after.evidence}
        report = self._report(f"service.{rollout.kind}", str(first), "object", rollout.at, content, dora)
        if len(artifacts) < 2:
            return report
        return replace(report, dora={**report.dora, "images": list(artifacts)})

    def _started(self, replica_set: str, at: str) -> Draft:
        content = {"artifactId": self._unnamed(replica_set)}
        dora = {"evidence": EVENT_EVIDENCE, "reason": EVENT_BASIS}
        return self._report("service.deployed", replica_set, "event", at, content, dora)

    def _withdrawn(self, part: str, at: str, basis: str, evidence: int, reason: str) -> Draft:
        dora = {"evidence": evidence, "reason": reason}
        return self._report("dora-deployment.withdrawn", part, basis, at, {"reason": reason}, dora)

    def _removed(self, at: str) -> Draft:
        removed = self._report("service.removed", "removed", "object", at, {}, {})
        return replace(removed, dora={key: removed.dora[key] for key in removed.dora if key != "deploy_id"})

    def _report(
        self, name: str, part: str, basis: str, at: str, content: dict[str, Any], dora: dict[str, Any]
    ) -> Draft:
        """One report; ``part`` names the rollout within the object, and is what makes it the same fact."""
        deploy_id = f"{self.uid}:{part}"
        service, environment = self._place()
        where = {"deploy_id": deploy_id, "service": service, "environment": environment}
        return draft(
            name,
            source=self.facts["source"],
            at=at,
            subject_id=self.facts["name"],
            content={"environment": reference(environment), **content},
            dora={**where, "basis": basis, "channel": CHANNEL, "fact": deploy_id, **dora},
        )

    def _unnamed(self, version: str) -> str:
        # CDEvents wants an artifact, and nothing tells of one.
        return generic(self.facts["namespace"], self.facts["name"], version)

    def _place(self) -> tuple[str, str]:
        """The workload's service and environment, by the catalog."""
        name, namespace = self.facts["name"], self.facts["namespace"]
        service = self.catalog.service("workload", name, namespace=namespace)
        declared = self.catalog.environment_of("workload", name, namespace=namespace)
        return service, declared or self.catalog.environment(self.facts["environment"], service=service)
