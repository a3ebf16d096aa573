"""Deployments, as CDEvents tell them, and how several tellings of one deployment merge. Pure.

Contract: docs/architecture.md, "Identity". A deployment is counted when it succeeded, was a deployment or an
upgrade, and came over the channel that the catalog names for its service (unset: every channel counts).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.catalog import Catalog
from schemas.cdevents.cloudevent import key_of
from schemas.cdevents.event import CDEvent, derive_id
from schemas.instant import microseconds_of
from streams.facts.told import instant_of, mark, text

# CDEvents subject.predicate -> kind of a deployment.
KINDS = {
    "dev.cdevents.service.deployed": "deployed",
    "dev.cdevents.service.upgraded": "upgraded",
    "dev.cdevents.service.rolledback": "rolledback",
    "dev.cdeventsx.dora-deployment.failed": "failed",
    "dev.cdeventsx.dora-deployment.withdrawn": "withdrawn",
}
OUTCOMES = {"failed": "failure", "withdrawn": "withdrawn"}
COUNTED_KINDS = frozenset({"deployed", "upgraded"})


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment as far as it is known; the columns of the table ``deployments``.

    ``time_created`` is the earliest completion time that was told; ``decided_at`` the time told by the report
    that decides everything else. ``evidence`` says how much was known when that report was made.
    """

    deploy_id: str
    time_created: datetime
    deploy_name: str
    service: str
    environment: str
    repository: str | None
    commit: str | None
    artifact: str | None
    channel: str
    kind: str
    outcome: str
    counted: bool
    counted_reason: str
    basis: str | None
    evidence: int
    decided_at: datetime
    cd_source: str
    cd_id: str
    hotfix: bool = False

    @property
    def rank(self) -> tuple[int, int, str, str]:
        """The report of highest rank decides: most evidence, then earliest, then smallest identity."""
        return (self.evidence, -microseconds_of(self.decided_at), self.cd_source, self.cd_id)


def deployment_of(event: CDEvent, catalog: Catalog) -> Deployment | None:
    """The deployment that ``event`` reports; ``None`` when it reports none.

    Raises ``ValueError`` for an event whose timestamp cannot be placed.
    """
    kind = KINDS.get(event.type.rsplit(".", 3)[0])
    if kind is None:
        return None
    dora, content = event.dora, event.document["subject"]["content"]
    instant = instant_of(event)
    service, environment = place_of(event, catalog)
    channel = text(dora.get("channel")) or "cdevents"
    counted, reason = decide_counted(kind, service, channel, catalog)
    told = text(dora.get("reason"))
    if told is not None and (kind == "withdrawn" or (counted and dora.get("basis") == "event")):
        reason = told  # what the source says of how it knows
    evidence = dora.get("evidence")
    return Deployment(
        deploy_id=text(dora.get("deploy_id")) or derive_id(event.source, event.id),
        time_created=instant,
        deploy_name=event.subject_id,
        service=service,
        environment=environment,
        repository=text(dora.get("repository")),
        commit=text(dora.get("commit")),
        artifact=text(dora.get("artifact")) or text(content.get("artifactId")),
        channel=channel,
        kind=kind,
        outcome=OUTCOMES.get(kind, "success"),
        counted=counted,
        counted_reason=reason,
        basis=text(dora.get("basis")),
        evidence=evidence if isinstance(evidence, int) and not isinstance(evidence, bool) else 0,
        decided_at=instant,
        cd_source=event.source,
        cd_id=event.id,
        hotfix=mark(dora.get("hotfix")),
    )


def place_of(event: CDEvent, catalog: Catalog) -> tuple[str, str]:
    """The service and the environment that ``event`` is about, as the catalog calls them."""
    dora, content = event.dora, event.document["subject"]["content"]
    service = text(dora.get("service")) or catalog.service("workload", event.subject_id)
    native = text((content.get("environment") or {}).get("id")) or ""
    return service, text(dora.get("environment")) or catalog.environment(native, service=service)


def partition_key(event: CDEvent, catalog: Catalog) -> bytes:
    """The key of the record that carries ``event``: what is counted together shares a partition.

    For a deployment, service and environment as the catalog calls them: several workloads may be one service,
    and a window of a partition knows only what is in it. For others, what the event itself says.
    """
    if event.type.rsplit(".", 3)[0] not in KINDS:
        return key_of(event)
    service, environment = place_of(event, catalog)
    return f"{environment}/{service}".encode() if environment else service.encode()


def decide_counted(kind: str, service: str, channel: str, catalog: Catalog) -> tuple[bool, str]:
    """Whether a deployment of this kind over this channel is counted, and why or why not."""
    if kind not in COUNTED_KINDS:
        return False, {
            "rolledback": "a rollback is not a deployment",
            "failed": "the rollout failed",
            "withdrawn": "it turned out not to be a deployment",
        }[kind]
    wanted = catalog.deployments_from(service)
    if wanted is not None and wanted != channel:
        return False, f"the catalog counts deployments from {wanted}, not from {channel}"
    return True, f"a successful rollout told by {channel}"


def merge(one: Deployment, other: Deployment) -> Deployment:
    """Two reports of one deployment as one; commutative, associative and idempotent."""
    first, second = (one, other) if one.rank >= other.rank else (other, one)
    return replace(first, time_created=min(first.time_created, second.time_created))


def merge_all(reports: Iterable[Deployment]) -> dict[str, Deployment]:
    """Reports merged by ``deploy_id``."""
    merged: dict[str, Deployment] = {}
    for report in reports:
        known = merged.get(report.deploy_id)
        merged[report.deploy_id] = report if known is None else merge(known, report)
    return merged
