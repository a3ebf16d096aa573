"""What links are computed from, and what they are. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.calendar import zone_of
from streams.facts import Artifact, Change, Correction, Deployment, Incident, Push

DEFAULT_INCIDENT_WITHIN = timedelta(hours=24)
DEFAULT_ZONE = zone_of("UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All facts that matter to one service in one environment.

    ``artifacts`` are by their key, ``corrections`` by deploy_id. ``channel`` is the one whose deployments
    count, ``None`` when all do. An incident fails the deployment before it when no more than
    ``incident_within`` has passed. ``zone`` is that of the tables: its calendar says which day it was.
    ``repositories`` are those whose facts these are; of ``divided`` only a part is the service's.
    """

    service: str
    environment: str
    deployments: Sequence[Deployment]
    pushes: Sequence[Push] = ()
    changes: Sequence[Change] = ()
    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    incidents: Sequence[Incident] = ()
    corrections: Mapping[str, Correction] = field(default_factory=dict)
    channel: str | None = None
    incident_within: timedelta = DEFAULT_INCIDENT_WITHIN
    zone: ZoneInfo = DEFAULT_ZONE
    repositories: Sequence[str] = ()
    divided: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Attribution:
    """What follows for one counted deployment or rollback; the columns of the table ``attributions``.

    ``day`` is where its day begins in the zone of the tables; the times of its changes are packed.
    """

    deploy_id: str
    service: str
    environment: str
    deployed_at: datetime
    role: str
    repository: str | None = None
    commit: str | None = None
    linked: bool = False
    changes: int = 0
    failure_rule: str | None = None
    failure_cause: str | None = None
    recovered_at: datetime | None = None
    recovery_seconds: float | None = None
    rework_rule: str | None = None
    day: datetime | None = None
    lead_times: bytes = b""
    merge_times: bytes = b""


@dataclass(frozen=True, slots=True)
class DeployedChange:
    """A change in the first deployment that contains it; the columns of the table ``deployed_changes``."""

    service: str
    environment: str
    repository: str
    change_id: str
    kind: str
    deploy_id: str
    deployed_at: datetime
    rule: str
    lead_seconds: float | None
    merge_seconds: float | None


@dataclass(frozen=True, slots=True)
class LinkDay:
    """What the links of one day amount to; the columns of the table ``link_days``.

    ``counted`` to ``linked`` are how many of the ``deployments`` and rollbacks; durations are packed.
    ``undeployed`` is how many commits were made on that day that no deployment contains yet.
    """

    service: str
    environment: str
    day: datetime
    deployments: int
    counted: int
    failed: int
    unrecovered: int
    unplanned: int
    linked: int
    lead_times: bytes
    merge_times: bytes
    recovery_times: bytes
    undeployed: int


@dataclass(frozen=True, slots=True)
class Links:
    """All links of one service in one environment, and what they amount to day by day."""

    attributions: Sequence[Attribution]
    changes: Sequence[DeployedChange]
    days: Sequence[LinkDay]
