"""Calendar windows in a Faust table: every instant has one bucket, and none ever expires."""

from datetime import UTC, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from schemas.calendar import bucket_of
from streams.batches import table_partition
from streams.consumer import App
from streams.tally import COUNTING
from streams.windows import CalendarWindow
from tests.streams.messages import CDEVENTS, event
from tests.streams.reports import CORNERS, ZONES, instants


@given(instants, st.sampled_from(COUNTING), st.sampled_from(ZONES).map(ZoneInfo))
def test_r18_a_window_is_the_calendars_bucket(instant, bucket, zone):
    window = CalendarWindow(bucket, zone)
    start, end = bucket_of(instant, bucket, zone)
    (found,) = window.ranges(instant.timestamp())
    assert found == (start.timestamp(), end.timestamp())
    assert found[0] <= instant.timestamp() < found[1]
    assert window.current(instant.timestamp()) == window.earliest(instant.timestamp()) == found
    assert window.delta(instant.timestamp() + 3600, 3600) == found


def test_r16_a_window_stays_open():
    window = CalendarWindow("day", ZoneInfo("UTC"))
    assert window.expires is None
    assert not window.stale(0.0, 1e12)


async def test_a_table_keeps_the_buckets_apart(app: App):
    zone = ZoneInfo("Europe/Berlin")
    table = app.Table("day", default=list, partitions=4).using_window(CalendarWindow("day", zone))
    table.table.changelog_topic.send_soon = lambda **_: SimpleNamespace(message=SimpleNamespace(partition=1))
    table.table._verify_source_topic_partitions = lambda _: None
    noon, night = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 28, 23, tzinfo=UTC)
    with table_partition(event(0, CDEVENTS)):
        table.relative_to(noon)["s"] = ["a"]
        table.relative_to(night)["s"] = ["b"]
        assert table.relative_to(datetime(2026, 3, 28, 0, tzinfo=UTC))["s"].value() == ["a"]
        assert table.relative_to(datetime(2026, 3, 29, 21, 59, tzinfo=UTC))["s"].value() == ["b"]
        assert table.relative_to(datetime(2026, 3, 29, 22, tzinfo=UTC))["s"].value() == []
        assert table.relative_to(CORNERS[-1])["s"].value() == []
