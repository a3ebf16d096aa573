"""What a page is asked to show: the fields of its form, which are the parameters of its address.

A form sends its empty fields too: here they are left out, where the REST API refuses them by name.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from pydantic import Field, ValidationError, model_validator

from query.parameters import LONGEST_QUERY, DurationAsked, MetricAsked, Name, Parameters, ZoneName
from query.problems import Refused
from schemas.calendar import Bucket, OutsideCalendar, first_day, local_day, midnight, next_first_day

PERIODS = {
    "30": "Last 30 days",
    "90": "Last 90 days",
    "180": "Last half-year",
    "365": "Last year",
    "custom": "From … to …",
}


class Filters(Parameters):
    """Service or team, environment, period, bucket and zone. ``to`` is the last day that is shown."""

    service: Name | None = None
    team: Name | None = None
    environment: Name | None = None
    period: Literal["30", "90", "180", "365", "custom"] = "90"
    from_: Annotated[date | None, Field(alias="from")] = None
    to: date | None = None
    bucket: Bucket = "week"
    timezone: ZoneName | None = None

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        if self.service is not None and self.team is not None:
            raise Refused({"service": "choose a service or a team, not both"})
        return self

    def window(self, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
        """The instants between which the days lie. A period begins with a whole bucket.

        Raises ``Refused``.
        """
        try:
            if self.period == "custom":
                first, last = self._days(local_day(now, zone))
            else:
                last = local_day(now, zone)
                first = first_day(last - timedelta(days=int(self.period) - 1), self.bucket)
            if first > last:
                raise Refused({"from": "is after the last day"})
            return tuple(  # type: ignore[return-value]
                midnight(day, zone).astimezone(UTC) for day in (first, next_first_day(last, "day"))
            )
        except (OutsideCalendar, OverflowError) as error:
            raise Refused(dict.fromkeys(("from", "to"), "leaves the years 1 to 9999")) from error

    def _days(self, today: date) -> tuple[date, date]:
        last = self.to or today
        return self.from_ or last - timedelta(days=89), last

    def asked(self, zone: ZoneInfo, now: datetime, **further: Any) -> MetricAsked:
        """The same question as the REST API takes it."""
        start, end = self.window(zone, now)
        return DurationAsked.model_construct(
            service=self.service,
            team=self.team,
            environment=[self.environment] if self.environment else [],
            from_=start,
            to=end,
            bucket=self.bucket,
            timezone=self.timezone,
            **further,
        )

    def given(self) -> dict[str, Any]:
        """What differs from a page without any choice, for links to other pages."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


Model = TypeVar("Model", bound=Parameters)


def read_filters(request: Request, model: type[Model]) -> Model:
    """The parameters of the address as ``model`` takes them. Raises ``Refused``."""
    query = request.scope["query_string"]
    if len(query) > LONGEST_QUERY:
        raise Refused({"query": f"longer than {LONGEST_QUERY} bytes"})
    try:
        given = dict(parse_qsl(query.decode("ascii"), errors="strict"))
    except ValueError as error:
        raise Refused({"query": "not percent-encoded UTF-8"}) from error
    try:
        return model.model_validate(given)
    except ValidationError as error:
        reasons = {
            str(each["loc"][0])[:60]: str(each["msg"]).removeprefix("Value error, ")
            for each in error.errors()
        }
        raise Refused(reasons) from error


def _filters(request: Request) -> Filters:
    return read_filters(request, Filters)


# The filters of a page's address. Raises ``Refused``.
Chosen = Annotated[Filters, Depends(_filters)]
