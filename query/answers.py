"""The shapes of the answers, for OpenAPI, and how they are written."""

from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from query.conditional import entity_tag
from schemas.calendar import Bucket
from schemas.instant import format_instant


class Answer(BaseModel):
    """An object with exactly these members."""

    model_config = ConfigDict(extra="forbid")


class Day(Answer):
    """A service's deployments on one day, as the system that this project replaces answers."""

    DeployName: str
    Deployments: int = Field(ge=1)
    Time: str = Field(json_schema_extra={"format": "date-time"})


class Bucketed(Day):
    """A service's deployments in one week, month or year."""

    DeploymentDays: int = Field(ge=1, description="Days of the bucket with at least one deployment.")
    Frequency: float = Field(gt=0, description="Deployments per calendar day of the bucket.")


class MetricListed(Answer):
    """A metric that can be asked for."""

    name: str
    definition: str
    unit: str
    edition: str
    url: str


class Metrics(Answer):
    """All metrics."""

    items: list[MetricListed]


class MetricPoint(Answer):
    """One bucket of a metric."""

    start: str = Field(json_schema_extra={"format": "date-time"})
    end: str = Field(json_schema_extra={"format": "date-time"})
    value: float | None = Field(description="Null when there is nothing to take a value from.")
    sample_count: int = Field(ge=0)
    evidence: str = Field(description="URL path of what was counted.")


class Coverage(Answer):
    """Of how many of the facts the links are known that the metric needs."""

    linked: int = Field(ge=0)
    total: int = Field(ge=0)


class Previous(Answer):
    """What a metric was over the same number of days before; ``change`` is how much it has changed since."""

    from_: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    to: str = Field(json_schema_extra={"format": "date-time"})
    value: float | None
    class_: Literal["elite", "high", "medium", "low"] | None = Field(alias="class")
    sample_count: int = Field(ge=0)
    change: float | None


class MetricGroup(Answer):
    """A metric of one service or one team."""

    service: str | None = None
    team: str | None = None
    value: float | None
    class_: Literal["elite", "high", "medium", "low"] | None = Field(alias="class")
    sample_count: int = Field(ge=0)
    coverage: Coverage
    previous: Previous | None = None
    points: list[MetricPoint]


class MetricAnswer(Answer):
    """A metric over a window, and in each of its buckets."""

    metric: str
    definition: str
    edition: str
    unit: str
    from_: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    to: str = Field(json_schema_extra={"format": "date-time"})
    bucket: Bucket
    timezone: str
    environments: list[str]
    value: float | None = Field(description="Null when there is nothing to take a value from.")
    class_: Literal["elite", "high", "medium", "low"] | None = Field(alias="class")
    sample_count: int = Field(ge=0)
    coverage: Coverage
    warnings: list[str]
    previous: Previous | None = Field(None, description="With compare=previous: the period before.")
    groups: list[MetricGroup] | None = Field(None, description="With by: each service or team.")
    points: list[MetricPoint]


class Scored(Answer):
    """What a metric scores from 0 to 10."""

    metric: str
    value: float | None
    unit: str
    sample_count: int = Field(ge=0)
    score: float | None = Field(ge=0, le=10, description="Null without a sample.")
    url: str


class ScoreAnswer(Answer):
    """The score of dora.dev's quick check."""

    edition: str
    from_: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    to: str = Field(json_schema_extra={"format": "date-time"})
    timezone: str
    environments: list[str]
    score: float | None = Field(ge=0, le=10, description="The mean of those that are known.")
    items: list[Scored]


class Deployment(Answer):
    """A deployment as it was recorded."""

    deploy_id: str
    time_created: str = Field(json_schema_extra={"format": "date-time"})
    deploy_name: str
    service: str
    environment: str
    repository: str | None
    commit: str | None
    artifact: str | None
    channel: str
    kind: Literal["deployed", "upgraded", "rolledback", "failed", "withdrawn"]
    outcome: Literal["success", "failure", "withdrawn"]
    counted: bool
    counted_reason: str
    basis: str | None
    decided_at: str = Field(json_schema_extra={"format": "date-time"})
    failure_rule: Literal["correction", "link", "rollback", "revert", "hotfix", "incident"] | None = Field(
        description="The rule by which it failed; null: it did not, or it does not count."
    )
    failure_cause: str | None = Field(description="The incident, rollback, revert or hotfix that says so.")
    recovered_at: str | None = Field(json_schema_extra={"format": "date-time"})
    rework_rule: Literal["correction", "rollback", "hotfix", "revert", "incident"] | None = Field(
        description="The rule by which it was unplanned; null: it was planned, or it does not count."
    )
    event: str = Field(description="URL path of the event that decided it, with its lineage.")


class Change(Answer):
    """A commit, or a change under review; with its first deployment when that was asked for."""

    repository: str
    change_id: str
    kind: Literal["commit", "change"]
    time_created: str = Field(json_schema_extra={"format": "date-time"})
    committed_at: str | None = Field(json_schema_extra={"format": "date-time"})
    pushed_at: str | None = Field(json_schema_extra={"format": "date-time"})
    opened_at: str | None = Field(json_schema_extra={"format": "date-time"})
    merged_at: str | None = Field(json_schema_extra={"format": "date-time"})
    service: str | None
    commit: str | None
    head: str | None
    branch: str | None
    reverts: str | None
    hotfix: bool
    environment: str | None
    deploy_id: str | None
    deployed_at: str | None = Field(json_schema_extra={"format": "date-time"})
    rule: Literal["revision", "push order", "merged change", "merge order"] | None = Field(
        description="How it is known that the deployment contains it."
    )
    lead_seconds: float | None
    merge_seconds: float | None


class Incident(Answer):
    """An incident as far as it is known."""

    incident_source: str
    incident_id: str
    time_created: str = Field(json_schema_extra={"format": "date-time"})
    detected_at: str | None = Field(json_schema_extra={"format": "date-time"})
    resolved_at: str | None = Field(json_schema_extra={"format": "date-time"})
    service: str | None
    environment: str | None
    repository: str | None
    deploy_id: str | None
    commit: str | None
    artifact: str | None
    ticket: str | None
    open: bool


class ServiceEnvironment(Answer):
    """A service in one environment."""

    environment: str
    production: bool
    last_deployment: str | None = Field(json_schema_extra={"format": "date-time"})


class ServiceListed(Answer):
    """A service that deployments were reported of."""

    service: str
    team: str | None
    deployments_from: str | None
    environments: list[ServiceEnvironment]


class DeadLetterListed(Answer):
    """A record that could not be processed."""

    deadletter_id: int
    state: Literal["open", "redriven", "dropped"]
    stage: str
    reason: str
    attempts: int
    source: str | None
    id: str | None
    type: str | None
    origin_topic: str
    origin_partition: int
    origin_offset: int
    arrived_at: str = Field(json_schema_extra={"format": "date-time"})
    failed_at: str = Field(json_schema_extra={"format": "date-time"}, description="For the first time.")
    last_failed_at: str = Field(json_schema_extra={"format": "date-time"})
    settled_at: str | None = Field(description="When it was redriven or dropped.")
    because: str | None = Field(description="Why it was dropped.")
    url: str


class DeadLetter(DeadLetterListed):
    """The same with its bytes."""

    key_base64: str | None
    key_text: str | None = Field(description="The same as text, when it is UTF-8.")
    value_base64: str | None
    value_text: str | None = Field(description="The same as text, when it is UTF-8.")
    headers: list[Any] = Field(description="[[name, base64 of the value or null]], in order.")


class EventListed(Answer):
    """A recorded CloudEvent."""

    source: str
    id: str
    type: str
    subject: str | None
    time: str = Field(json_schema_extra={"format": "date-time"})
    received_at: str = Field(json_schema_extra={"format": "date-time"})
    fate: Literal["mapped", "ignored", "unmapped", "dead"]
    reason: str | None
    rule: str | None
    url: str


class CloudEventTold(EventListed):
    """A recorded CloudEvent whole."""

    attributes: dict[str, Any]
    body: str | None
    body_encoding: Literal["text", "base64"] | None
    topic: str
    partition: int
    offset: int
    traceparent: str | None


class CountedIn(Answer):
    """The day's number that a deployment is part of; ``null`` until the stream has counted it."""

    bucket: Literal["day"]
    start: str = Field(json_schema_extra={"format": "date-time"})
    deployments: int | None
    url: str


class DeploymentTold(Deployment):
    """A deployment that an event told of."""

    decided_by_this: bool = Field(description="Whether this event decided it, or another report of the same.")
    counts_in: CountedIn | None


class CDEventTold(Answer):
    """A CDEvent whole, and what came of it."""

    source: str
    id: str
    type: str
    timestamp: str = Field(json_schema_extra={"format": "date-time"})
    subject_id: str
    subject_source: str | None
    recorded_at: str = Field(json_schema_extra={"format": "date-time"})
    traceparent: str | None
    content: dict[str, Any]
    url: str
    deployments: list[DeploymentTold]


class EventAnswer(Answer):
    """Everything that is known of one (source, id), from the cause to the number."""

    source: str
    id: str
    kind: Literal["cloudevent", "cdevent"]
    type: str
    fate: Literal["mapped", "ignored", "unmapped", "dead"] | None
    reason: str | None
    cloudevent: CloudEventTold | None = Field(description="The event, or the cause of the CDEvent asked for.")
    cdevents: list[CDEventTold]
    deadletters: list[DeadLetterListed]


class Page(Answer):
    """One page; ``next`` is the URL path of the following one."""

    next: str | None


class Services(Page):
    """Services, by name."""

    items: list[ServiceListed]


class Deployments(Page):
    """Deployments, the latest first."""

    items: list[Deployment]


class Changes(Page):
    """Changes, the latest first."""

    items: list[Change]


class Incidents(Page):
    """Incidents, the latest first."""

    items: list[Incident]


class DeadLetters(Page):
    """Dead letters, the latest first."""

    items: list[DeadLetterListed]


class Events(Page):
    """CloudEvents, the latest recorded first."""

    items: list[EventListed]


class Health(Answer):
    """The state of the process."""

    status: str


def encode(value: Any) -> bytes:
    """``value`` as JSON in one line; instants as RFC 3339 in UTC."""
    return orjson.dumps(value, _default, orjson.OPT_PASSTHROUGH_DATETIME)


def reply(value: Any) -> Response:
    """``value`` as an answer in JSON."""
    content = encode(value)
    return Response(content, media_type="application/json", headers={"ETag": entity_tag(content)})


def _default(value: Any) -> Any:
    return format_instant(value)
