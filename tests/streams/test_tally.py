"""The windowed tables against a recount, over any order, repetition, batching and crashes of the reports."""

from collections import defaultdict
from datetime import UTC, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.calendar import bucket_of, local_day
from streams import tally
from streams.facts import Deployment, merge
from streams.tally import COUNTING, Tally, placement_of
from tests.streams.reports import ZONES, histories, of_one_deployment, report

zones = st.sampled_from(ZONES).map(ZoneInfo)
Frequency = dict[tuple[str, str, str, float], tuple[int, int]]


class Tables:
    """What the agent keeps between batches: its Faust tables, as JSON, and the rows of PostgreSQL."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.placed: dict[str, bytes] = {}
        self.windows: dict[tuple[str, str, float], bytes] = {}
        self.frequency: Frequency = {}

    def count(self, batch: list[Deployment], *, survives: int | None = None) -> None:
        """One batch as the agent does it; killed after ``survives`` of its table writes."""
        counting = Tally(self.zone, self._placed, self._window)
        for each in batch:
            counting.place(each)
        for cell, value in counting.counts().items():
            if value[0]:
                self.frequency[cell] = value
            else:
                self.frequency.pop(cell, None)
        for change in counting.changed()[:survives]:
            start = bucket_of(change.instant, change.bucket, self.zone)[0].timestamp()
            self.windows[change.bucket, change.key, start] = orjson.dumps(change.value)
        if survives is None:
            self.placed |= {name: orjson.dumps(list(each)) for name, each in counting.placed.items()}

    def _placed(self, deploy_id: str) -> Any:
        return orjson.loads(self.placed.get(deploy_id, b"null"))

    def _window(self, bucket: str, key: str, instant: datetime) -> Any:
        start = bucket_of(instant, bucket, self.zone)[0].timestamp()
        return orjson.loads(self.windows.get((bucket, key, start), b"[]" if bucket == "day" else b"{}"))


def recount(reports: list[Deployment], zone: ZoneInfo) -> Frequency:
    """The definition: every deployment by its best report, in the day of its earliest."""
    told: defaultdict[str, list[Deployment]] = defaultdict(list)
    for each in reports:
        told[each.deploy_id].append(each)
    deployments: defaultdict[tuple[str, str, str, float], set[str]] = defaultdict(set)
    days: defaultdict[tuple[str, str, str, float], set[object]] = defaultdict(set)
    for deploy_id, tellings in told.items():
        best = sorted(tellings, key=lambda r: (r.cd_source, r.cd_id), reverse=True)
        best = sorted(best, key=lambda r: (-r.evidence, r.decided_at))
        if not best[0].counted:
            continue
        instant = min(each.time_created for each in tellings)
        for bucket in COUNTING:
            start = bucket_of(instant, bucket, zone)[0].timestamp()
            cell = (best[0].service, best[0].environment, bucket, start)
            deployments[cell].add(deploy_id)
            days[cell].add(local_day(instant, zone))
    return {cell: (len(ids), len(days[cell])) for cell, ids in deployments.items()}


def batches(reports: list[Deployment], random: Any) -> list[list[Deployment]]:
    """The reports doubled and shuffled, in batches of any size."""
    events = [*reports, *reports]
    random.shuffle(events)
    found = []
    while events:
        size = random.randint(1, 6)
        found.append(events[:size])
        events = events[size:]
    return found


# A clock that is put back over midnight shows the first day's date once more when the second has begun.
BACK_OVER_MIDNIGHT = [
    report("a", datetime(2010, 11, 7, 2, 0, tzinfo=UTC)),
    report("b", datetime(2010, 11, 7, 3, 0, tzinfo=UTC)),
]


@settings(max_examples=200, deadline=None)
@given(histories, zones, st.randoms(use_true_random=False))
@example(BACK_OVER_MIDNIGHT, ZoneInfo("America/St_Johns"), Random(1))
def test_r16_any_order_repetition_and_batching_ends_in_the_recount(reports, zone, random):
    tables = Tables(zone)
    for batch in batches(reports, random):
        tables.count(batch)
    assert tables.frequency == recount(reports, zone)


@settings(max_examples=200, deadline=None)
@given(histories, zones, st.randoms(use_true_random=False))
def test_a_kill_after_any_write_changes_nothing_once_the_batch_is_done_again(reports, zone, random):
    tables = Tables(zone)
    for batch in batches(reports, random):
        if random.random() < 0.5:
            tables.count(batch, survives=random.randint(0, 12))
        tables.count(batch)
    assert tables.frequency == recount(reports, zone)


@given(of_one_deployment)
@example([report("a", datetime(9000, 1, 1, microsecond=n, tzinfo=UTC), cd_id=str(n)) for n in (1, 2)])
def test_placements_merge_as_deployments_do(reports):
    for one in reports:
        for other in reports:
            merged = tally.merge(placement_of(one), placement_of(other))
            assert merged == placement_of(merge(one, other))


def test_r16_an_earlier_report_moves_its_deployment_to_the_day_before():
    zone = ZoneInfo("Europe/Berlin")
    tables = Tables(zone)
    tables.count([report("a", datetime(2026, 3, 29, 22, 30, tzinfo=UTC), cd_id="late")])
    tables.count([report("a", datetime(2026, 3, 29, 21, 30, tzinfo=UTC), cd_id="early")])
    days = {start for (_, _, bucket, start), _ in tables.frequency.items() if bucket == "day"}
    assert days == {datetime(2026, 3, 28, 23, 0, tzinfo=UTC).timestamp()}  # the 29th has 23 hours there


def test_a_withdrawn_deployment_leaves_no_row_behind():
    tables = Tables(ZoneInfo("UTC"))
    at = datetime(2026, 3, 5, 10, tzinfo=UTC)
    tables.count([report("a", at)])
    assert len(tables.frequency) == len(COUNTING)
    tables.count([report("a", at, kind="withdrawn", evidence=1, cd_id="2")])
    assert tables.frequency == {}


def test_a_service_that_was_corrected_takes_its_deployment_along():
    tables = Tables(ZoneInfo("UTC"))
    at = datetime(2026, 3, 5, 10, tzinfo=UTC)
    tables.count([report("a", at, service="checkout")])
    tables.count([report("a", at, service="payment", evidence=1, cd_id="2")])
    assert {cell[0] for cell in tables.frequency} == {"payment"}
