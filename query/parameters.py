"""What may be asked. Strict: a parameter that would be ignored or guessed at is refused by name instead."""

import re
from collections.abc import Callable
from datetime import datetime
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from query.positions import PATTERN
from query.problems import Refused
from schemas.calendar import Bucket, zone_of
from schemas.instant import parse_instant

LONGEST_QUERY = 16_384  # bytes; a cursor holds a deploy_id, which PostgreSQL's index keeps under 2,700
LARGEST_PAGE = 500
REPEATABLE = "environment"
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
PRINTABLE = r"^[^\u0000-\u001f\u007f-\u009f]+$"


def _instant(text: Any) -> Any:
    try:
        return parse_instant(text) if isinstance(text, str) and " " not in text else parse_instant("")
    except ValueError as error:
        advice = "use RFC 3339 with a zone, as 2026-01-31T00:00:00Z; in a URL a + is written %2B"
        raise ValueError(f"{error}; {advice}") from error


def _zone(name: str) -> str:
    zone_of(name)
    return name


def _whole(text: Any) -> Any:
    # Python's int() takes 1_000 and Arabic digits too.
    if isinstance(text, str) and not (text.isascii() and text.isdigit()):
        raise ValueError("not a whole number")
    return text


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("the same environment is given twice")
    return names


# As long as the ids and names that events may have.
Name = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=PRINTABLE)]
Identity = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=PRINTABLE)]
Instant = Annotated[
    datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})
]
ZoneName = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_zone)]


class _LeftOut:
    """A parameter that may be left out, and is never called null in a URL."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        described = handler(core_schema)
        given: JsonSchemaValue = next(each for each in described.pop("anyOf") if each != {"type": "null"})
        return described | given


OPTIONAL = _LeftOut()

Service = Annotated[Name | None, OPTIONAL, Field(description="One service, by its exact name.")]
Team = Annotated[
    Name | None, OPTIONAL, Field(description="The services that the catalog gives to this team.")
]
Environments = Annotated[
    list[Name],
    AfterValidator(_distinct),
    Field(max_length=100, description="One environment; the parameter may be repeated."),
]
From = Annotated[
    Instant | None, OPTIONAL, Field(alias="from", description="From this instant on (RFC 3339).")
]
To = Annotated[Instant | None, OPTIONAL, Field(description="Up to and without this instant (RFC 3339).")]
Zone = Annotated[
    ZoneName | None,
    OPTIONAL,
    Field(description="The IANA zone whose calendar cuts the buckets; without it the configured one."),
]
Limit = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=LARGEST_PAGE, description="Size of a page.")]
Cursor = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=8192, pattern=r"^[A-Za-z0-9_-]+$")] | None,
    OPTIONAL,
    Field(description="Where the page begins; 'next' of the page before has it."),
]
Truth = Literal["true", "false"]
Fate = Literal["mapped", "ignored", "unmapped", "dead"]


class Parameters(BaseModel):
    """Query parameters of one route."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def names(cls) -> list[str]:
        """The parameters as they are written in a URL."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    def filters(self) -> dict[str, Any]:
        """What was given, without the cursor, as text for a URL."""
        return self.model_dump(
            mode="json", by_alias=True, exclude={"cursor"}, exclude_unset=True, exclude_none=True
        )


class _Timed(Parameters):
    from_: From = None
    to: To = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ is not None and self.to is not None and self.from_ >= self.to:
            raise Refused({"from": "must be before to", "to": "must be after from"})
        return self


class FrequencyAsked(_Timed):
    """``/deploy-frequency/{bucket}``."""

    service: Service = None
    environment: Environments = []
    timezone: Zone = None


class MetricAsked(_Timed):
    """``/v1/metrics/{metric}``."""

    service: Service = None
    team: Team = None
    environment: Environments = []
    bucket: Annotated[Bucket, Field(description="What a point is.")] = "day"
    timezone: Zone = None
    by: Annotated[
        Literal["service", "team"] | None, OPTIONAL, Field(description="Tell each of these apart, too.")
    ] = None
    compare: Annotated[
        Literal["previous"] | None, OPTIONAL, Field(description="Beside the same number of days before.")
    ] = None
    format: Annotated[
        Literal["json", "csv", "openmetrics"] | None,
        OPTIONAL,
        Field(description="Without it the request's Accept decides, and else it is JSON."),
    ] = None

    @model_validator(mode="after")
    def _several(self) -> Self:
        for name in ("service", "team") if self.by == "team" else ("service",) if self.by else ():
            if getattr(self, name) is not None:
                reason = f"one {name} is not told apart by {self.by}; leave one of the two out"
                raise Refused({"by": reason, name: reason})
        return self


class ScoreAsked(_Timed):
    """``/v1/score``."""

    service: Service = None
    team: Team = None
    environment: Environments = []
    timezone: Zone = None


class DurationAsked(MetricAsked):
    """``/v1/metrics/{metric}`` of a metric that is a duration."""

    percentile: Annotated[
        int, BeforeValidator(_whole), Field(ge=1, le=99, description="50 is the median.")
    ] = 50


class ServicesAsked(Parameters):
    """``/v1/services``."""

    team: Team = None
    environment: Environments = []
    limit: Limit = 100
    cursor: Cursor = None


class DeploymentsAsked(_Timed):
    """``/v1/deployments``."""

    service: Service = None
    team: Team = None
    environment: Environments = []
    counted: Annotated[
        Truth | None, OPTIONAL, Field(description="Only those that count, or that do not.")
    ] = None
    failed: Annotated[
        Truth | None, OPTIONAL, Field(description="Only those that failed, or that did not.")
    ] = None
    unplanned: Annotated[
        Truth | None, OPTIONAL, Field(description="Only those that were rework, or that were not.")
    ] = None
    kind: Annotated[Literal["deployed", "upgraded", "rolledback", "failed", "withdrawn"] | None, OPTIONAL] = (
        None
    )
    outcome: Annotated[Literal["success", "failure", "withdrawn"] | None, OPTIONAL] = None
    limit: Limit = 100
    cursor: Cursor = None


class ChangesAsked(_Timed):
    """``/v1/changes``: changes by when they were made, or by when they were deployed."""

    service: Service = None
    team: Team = None
    environment: Environments = []
    repository: Annotated[Name | None, OPTIONAL, Field(description="owner/name, in any case.")] = None
    kind: Annotated[Literal["commit", "change"] | None, OPTIONAL] = None
    deployed: Annotated[
        Literal["true"] | None,
        OPTIONAL,
        Field(description="Changes in the first deployment that contains them, by its time."),
    ] = None
    measured: Annotated[
        Literal["change-lead-time", "merge-to-deploy"] | None,
        OPTIONAL,
        Field(description="Of the deployed ones those that this metric counts."),
    ] = None
    limit: Limit = 100
    cursor: Cursor = None

    @model_validator(mode="after")
    def _deployed(self) -> Self:
        if self.deployed is None:
            given = [name for name in ("environment", "measured") if getattr(self, name)]
            if given:
                raise Refused(dict.fromkeys(given, "is about deployed changes; ask for deployed=true"))
        return self


class IncidentsAsked(_Timed):
    """``/v1/incidents``."""

    service: Service = None
    team: Team = None
    environment: Environments = []
    open: Annotated[Truth | None, OPTIONAL, Field(description="Only open ones, or those that are over.")] = (
        None
    )
    limit: Limit = 100
    cursor: Cursor = None


class DeadLettersAsked(Parameters):
    """``/v1/deadletters``."""

    state: Annotated[Literal["open", "redriven", "dropped"] | None, OPTIONAL] = None
    stage: Annotated[Name | None, OPTIONAL] = None
    reason: Annotated[Name | None, OPTIONAL, Field(description="Those with this in their reason.")] = None
    since: Annotated[
        Instant | None, OPTIONAL, Field(description="Those that failed from this instant on (RFC 3339).")
    ] = None
    limit: Limit = 100
    cursor: Cursor = None


class EventsAsked(Parameters):
    """``/v1/events``: one event by source and id, or the latest events."""

    source: Annotated[
        Identity | None, OPTIONAL, Field(description="With id: tell everything of one event.")
    ] = None
    id: Annotated[
        Identity | None, OPTIONAL, Field(description="With source: tell everything of one event.")
    ] = None
    fate: Annotated[Fate | None, OPTIONAL] = None
    type: Annotated[Name | None, OPTIONAL] = None
    limit: Limit = 100
    cursor: Cursor = None

    @model_validator(mode="after")
    def _one_or_many(self) -> Self:
        if (self.source is None) != (self.id is None):
            missing = "source" if self.source is None else "id"
            raise Refused({missing: "source and id name an event together; give both or neither"})
        others = self.model_fields_set - {"source", "id"}
        if self.source is not None and others:
            raise Refused(dict.fromkeys(sorted(others), "means nothing beside source and id; leave it out"))
        return self


class StreamAsked(Parameters):
    """``/v1/stream``: which events, and from where on."""

    source: Annotated[Identity | None, OPTIONAL, Field(description="Events of this source.")] = None
    type: Annotated[Name | None, OPTIONAL] = None
    fate: Annotated[Fate | None, OPTIONAL] = None
    service: Annotated[
        Name | None, OPTIONAL, Field(description="Events of which a CDEvent belongs to this service.")
    ] = None
    recent: Annotated[
        int,
        BeforeValidator(_whole),
        Field(ge=0, le=LARGEST_PAGE, description="Begin so many events back; filters may leave fewer."),
    ] = 0
    after: Annotated[
        Annotated[str, StringConstraints(min_length=5, max_length=48, pattern=PATTERN)] | None,
        OPTIONAL,
        Field(description="Go on behind the message with this id; Last-Event-ID goes before it."),
    ] = None


class NothingAsked(Parameters):
    """A route without parameters."""


def truth(told: Truth | None) -> bool | None:
    """A filter as SQL takes it."""
    return None if told is None else told == "true"


def only(model: type[Parameters]) -> Any:
    """A dependency that refuses every query that ``model`` does not take whole."""
    return Depends(_strict(model))


def _strict(model: type[Parameters]) -> Callable[[Request], None]:
    known = model.names()

    def strict(request: Request) -> None:
        """Refuse what FastAPI would overlook: repeated parameters, broken UTF-8, control characters."""
        reasons: dict[str, str] = {}
        seen: set[str] = set()
        for name, value in _pairs(request.scope["query_string"]):
            if name not in known:
                reasons[CONTROL.sub("?", name[:60])] = _advice(name, known)
            elif name in seen and name != REPEATABLE:
                reasons[name] = "is given more than once"
            elif not value:
                reasons[name] = "is empty; leave it out instead"
            elif CONTROL.search(value):
                reasons[name] = "holds a control character"
            seen.add(name)
        if reasons:
            raise Refused(reasons)

    return strict


def _pairs(query: bytes) -> list[tuple[str, str]]:
    if len(query) > LONGEST_QUERY:
        raise Refused({"query": f"longer than {LONGEST_QUERY} bytes"})
    try:
        return parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise Refused({"query": "not percent-encoded UTF-8"}) from error


def _advice(name: str, known: list[str]) -> str:
    near = get_close_matches(name[:60], known, n=1)
    if near:
        return f"unknown parameter; did you mean {near[0]}?"
    return f"unknown parameter; known here: {', '.join(known)}" if known else "unknown; none is known here"
