"""``/deploy-frequency/{bucket}``: the address and the JSON of the system that this project replaces."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Annotated, Any, get_args
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from query.answers import Bucketed, Day, reply
from query.context import Context, Here
from query.database import Reading
from query.frequency import Row, configured_zone, rows_by_counting, rows_of_table
from query.parameters import FrequencyAsked, only
from query.problems import DOCUMENTED, NOT_FOUND, Unknown
from query.selection import selection
from schemas.calendar import Bucket, local_day, next_first_day, rfc3339, zone_of

router = APIRouter(tags=["deployment frequency"])

KEPT = tuple(bucket for bucket in get_args(Bucket) if bucket != "quarter")

BucketPath = Annotated[str, Path(description="What is counted in.", json_schema_extra={"enum": list(KEPT)})]


@router.get(
    "/deploy-frequency/{bucket}",
    dependencies=[only(FrequencyAsked)],
    response_model=list[Day] | list[Bucketed],
    responses=DOCUMENTED | NOT_FOUND,
)
async def deploy_frequency(
    bucket: BucketPath, asked: Annotated[FrequencyAsked, Query()], here: Here
) -> Response:
    """Deployments per service and bucket; buckets without any are left out.

    `from` and `to` choose buckets by where they begin (`from` ≤ `Time` < `to`); a bucket is always whole.
    """
    kept = next((name for name in KEPT if name == bucket), None)
    if kept is None:
        raise Unknown(f"There is no such bucket; use one of {', '.join(KEPT)}.")
    async with here.database.reading() as reading:
        zone, rows = await frequency_rows(reading, here, kept, asked)
    return reply(list(_told(rows, kept, zone)))


async def frequency_rows(
    reading: Reading, here: Context, bucket: Bucket, asked: FrequencyAsked
) -> tuple[ZoneInfo, Sequence[Row]]:
    """The zone of the answer, and its rows."""
    configured = await configured_zone(reading, here.settings)
    zone = configured if asked.timezone is None else zone_of(asked.timezone)
    chosen = await selection(reading, here, service=asked.service, environments=asked.environment)
    source = rows_of_table if zone.key == configured.key else rows_by_counting
    return zone, await source(reading, bucket, zone, chosen, asked.from_, asked.to)


def _told(rows: Sequence[Row], bucket: Bucket, zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    @cache  # most rows share their bucket with others
    def time_and_days(start: datetime) -> tuple[str, int]:
        first = local_day(start, zone)
        return rfc3339(start, zone), (next_first_day(first, bucket) - first).days

    for row in rows:
        time, days = time_and_days(row.start)
        told = {"DeployName": row.service, "Deployments": row.deployments, "Time": time}
        if bucket != "day":
            told |= {"DeploymentDays": row.deployment_days, "Frequency": row.deployments / days}
        yield told
