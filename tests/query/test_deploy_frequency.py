"""``/deploy-frequency``: the replaced system's address and JSON, from the table that the stream keeps."""

from datetime import datetime

import pytest

pytestmark = pytest.mark.connected

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Etc/GMT+12"]
BUCKETS = ["day", "week", "month", "year"]


async def rows(api, path: str, **parameters) -> list[dict]:
    answer = await api.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def deploy(tables, service: str, *times: str, environment: str = "production", **columns) -> None:
    for time in times:
        await tables.deployment(service, time, environment, **columns)


async def seed(tables) -> None:
    """The deployments behind the answer that was recorded from the replaced system."""
    await deploy(tables, "nginx-deployment", "2023-08-05T10:00:00+00:00", "2023-08-06T10:00:00+00:00")
    await deploy(tables, "nginx-deployment", "2023-08-07T10:00:00+00:00")
    await deploy(tables, "nginx-deployment-3", "2023-08-05T10:00:00+00:00")
    await deploy(tables, "late", "2023-08-05T23:30:00-05:00")
    await tables.keep_frequency()


async def test_the_answer_is_the_upstreams_to_the_byte(api, tables):
    await seed(tables)
    answer = await api.get("/deploy-frequency/day")
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == (
        b'[{"DeployName":"nginx-deployment","Deployments":1,"Time":"2023-08-05T00:00:00Z"},'
        b'{"DeployName":"nginx-deployment-3","Deployments":1,"Time":"2023-08-05T00:00:00Z"},'
        b'{"DeployName":"late","Deployments":1,"Time":"2023-08-06T00:00:00Z"},'
        b'{"DeployName":"nginx-deployment","Deployments":1,"Time":"2023-08-06T00:00:00Z"},'
        b'{"DeployName":"nginx-deployment","Deployments":1,"Time":"2023-08-07T00:00:00Z"}]'
    )


async def test_q7_nothing_deployed_is_an_empty_list(api):
    for bucket in BUCKETS:
        for query in ("", "?timezone=Europe/Berlin"):
            answer = await api.get(f"/deploy-frequency/{bucket}{query}")
            assert (answer.status_code, answer.content) == (200, b"[]")


async def test_week_month_and_year_add_days_and_frequency(api, tables):
    await deploy(tables, "shop", "2024-02-26T08:00:00+00:00", "2024-02-26T09:00:00+00:00")
    await deploy(tables, "shop", "2024-02-29T08:00:00+00:00", "2024-03-03T08:00:00+00:00")
    await tables.keep_frequency()
    week = await rows(api, "/deploy-frequency/week")
    assert [list(row) for row in week] == [
        ["DeployName", "Deployments", "Time", "DeploymentDays", "Frequency"]
    ]
    assert week == [
        {
            "DeployName": "shop",
            "Deployments": 4,
            "Time": "2024-02-26T00:00:00Z",
            "DeploymentDays": 3,
            "Frequency": 4 / 7,
        }
    ]
    month = await rows(api, "/deploy-frequency/month")
    assert [(row["Time"], row["Deployments"], row["DeploymentDays"], row["Frequency"]) for row in month] == [
        ("2024-02-01T00:00:00Z", 3, 2, 3 / 29),
        ("2024-03-01T00:00:00Z", 1, 1, 1 / 31),
    ]
    year = await rows(api, "/deploy-frequency/year")
    assert [(row["Time"], row["Deployments"], row["DeploymentDays"], row["Frequency"]) for row in year] == [
        ("2024-01-01T00:00:00Z", 4, 3, 4 / 366)
    ]


async def test_environments_are_summed_and_their_days_united(api, tables):
    await deploy(tables, "shop", "2026-06-01T08:00:00+00:00", "2026-06-02T08:00:00+00:00")
    await deploy(
        tables, "shop", "2026-06-02T09:00:00+00:00", "2026-06-03T09:00:00+00:00", environment="staging"
    )
    await deploy(tables, "shop", "2026-06-08T09:00:00+00:00", environment="staging")
    await deploy(tables, "cart", "2026-06-02T09:00:00+00:00")
    await tables.keep_frequency()

    def told(found):
        return [(row["DeployName"], row["Deployments"], row["DeploymentDays"]) for row in found]

    week = "/deploy-frequency/week"
    assert told(await rows(api, week)) == [("cart", 1, 1), ("shop", 4, 3), ("shop", 1, 1)]
    assert told(await rows(api, week, environment="staging")) == [("shop", 2, 2), ("shop", 1, 1)]
    assert told(await rows(api, week, environment="production")) == [("cart", 1, 1), ("shop", 2, 2)]
    assert told(await rows(api, week, environment=["production", "staging"])) == told(await rows(api, week))
    assert told(await rows(api, "/deploy-frequency/year", service="shop")) == [("shop", 5, 4)]
    assert await rows(api, week, environment="nowhere") == []


async def test_order_is_by_time_then_name_byte_by_byte(api, tables):
    for name in ("b", "a", "B", "ä", "a-b", "ab", "Z"):
        await deploy(tables, name, "2026-06-02T08:00:00+00:00", "2026-06-01T08:00:00+00:00")
    await tables.keep_frequency()
    for zone in ("UTC", "Europe/Berlin"):
        found = [
            (row["Time"], row["DeployName"])
            for row in await rows(api, "/deploy-frequency/day", timezone=zone)
        ]
        assert found == sorted(found)
        assert len(found) == 14


async def test_filters_choose_whole_buckets_by_where_they_begin(api, tables):
    days = [f"2026-06-{day:02}T08:00:00+00:00" for day in range(1, 15)]
    await deploy(tables, "shop", *days)
    await tables.keep_frequency()
    for zone in ("UTC", "Etc/UTC"):  # from the table, and by counting
        found = await rows(
            api,
            "/deploy-frequency/day",
            timezone=zone,
            **{"from": "2026-06-03T00:00:00Z", "to": "2026-06-05T00:00:00Z"},
        )
        assert [row["Time"] for row in found] == ["2026-06-03T00:00:00Z", "2026-06-04T00:00:00Z"]
        # The week of the 1st began before; that of the 8th begins inside and is told whole.
        found = await rows(
            api,
            "/deploy-frequency/week",
            timezone=zone,
            **{"from": "2026-06-02T00:00:00Z", "to": "2026-06-08T00:00:01Z"},
        )
        assert [(row["Time"], row["Deployments"]) for row in found] == [("2026-06-08T00:00:00Z", 7)]
        # A bucket that begins before the end and has its deployments after it.
        found = await rows(
            api,
            "/deploy-frequency/day",
            timezone=zone,
            **{"from": "2026-06-14T00:00:00Z", "to": "2026-06-14T00:00:01Z"},
        )
        assert [row["Deployments"] for row in found] == [1]


async def test_time_is_where_the_bucket_begins_in_the_zone(api, tables):
    await deploy(tables, "shop", "2026-07-01T23:30:00+00:00")
    await tables.keep_frequency()
    for zone, expected in {
        "UTC": "2026-07-01T00:00:00Z",
        "Europe/Berlin": "2026-07-02T00:00:00+02:00",
        "America/New_York": "2026-07-01T00:00:00-04:00",
        "Asia/Kolkata": "2026-07-02T00:00:00+05:30",
        "Europe/London": "2026-07-02T00:00:00+01:00",
        "Africa/Abidjan": "2026-07-01T00:00:00+00:00",
    }.items():
        assert [row["Time"] for row in await rows(api, "/deploy-frequency/day", timezone=zone)] == [expected]


@pytest.mark.parametrize("zone", ZONES)
async def test_the_table_and_counting_say_the_same(api, tables, zone):
    """In the zone of the table the answer comes from it; told that the table has another, it is counted."""
    hours = (
        "2026-03-28T23:30",
        "2026-03-29T00:30",
        "2026-03-29T21:59",
        "2026-03-29T22:00",
        "2025-12-31T10:00",
    )
    for number, hour in enumerate((*hours, "2026-01-01T11:59", "2026-01-01T12:00", "2026-10-25T00:30")):
        for service in ("shop", "cart")[: 1 + number % 2]:
            await deploy(tables, service, f"{hour}:00+00:00", environment=("prod", "test")[number % 3 == 0])
    await deploy(tables, "shop", "2026-03-29T12:00:00+00:00", counted=False)
    await tables.keep_frequency(zone)
    await tables.set_zone(zone)
    kept = {bucket: await rows(api, f"/deploy-frequency/{bucket}") for bucket in BUCKETS}
    await tables.set_zone("Asia/Tokyo")
    for bucket, found in kept.items():
        assert await rows(api, f"/deploy-frequency/{bucket}", timezone=zone) == found
        assert sum(row["Deployments"] for row in found) == 12
        assert found == sorted(
            found, key=lambda row: (datetime.fromisoformat(row["Time"]), row["DeployName"])
        )


async def test_the_configured_zone_is_answered_from_the_table_alone(api, tables):
    await tables.set_zone("Europe/Berlin")
    await deploy(tables, "shop", "2026-06-01T08:00:00+00:00")
    await deploy(tables, "shop", "2026-06-02T08:00:00+00:00", environment="staging")
    await tables.keep_frequency("Europe/Berlin")
    before = {bucket: await rows(api, f"/deploy-frequency/{bucket}") for bucket in BUCKETS}
    await tables.connection.execute("TRUNCATE deployments")
    for bucket, found in before.items():
        assert sum(row["Deployments"] for row in found) == 2
        assert await rows(api, f"/deploy-frequency/{bucket}") == found
        assert await rows(api, f"/deploy-frequency/{bucket}", timezone="Europe/Berlin") == found
        assert await rows(api, f"/deploy-frequency/{bucket}", timezone="UTC") == []


async def test_before_a_worker_said_its_zone_the_settings_zone_holds(api, tables):
    await tables.connection.execute("DELETE FROM generations")
    await deploy(tables, "shop", "2026-06-01T08:00:00+00:00")
    await tables.keep_frequency("UTC")
    assert [row["Time"] for row in await rows(api, "/deploy-frequency/day")] == ["2026-06-01T00:00:00Z"]


async def test_a_row_without_deployments_is_left_out(api, tables):
    for bucket in BUCKETS:
        await tables.frequency("shop", bucket, "2024-01-01T00:00:00+00:00", 0, days=0)
        assert await rows(api, f"/deploy-frequency/{bucket}") == []


async def test_a_day_that_a_zone_skipped_is_no_trouble(api, tables):
    """Samoa went from 29 to 31 December 2011."""
    await deploy(tables, "shop", "2011-12-30T09:59:00+00:00", "2011-12-30T10:00:00+00:00")
    found = await rows(api, "/deploy-frequency/day", timezone="Pacific/Apia")
    assert [(row["Time"], row["Deployments"]) for row in found] == [
        ("2011-12-29T00:00:00-10:00", 1),
        ("2011-12-31T00:00:00+14:00", 1),
    ]


async def test_deployments_at_the_ends_of_time_are_counted_or_refused(api, tables):
    await deploy(tables, "old", "1970-01-01T00:00:00+00:00")
    found = await rows(api, "/deploy-frequency/year", timezone="Europe/Berlin")
    assert [row["Time"] for row in found] == ["1970-01-01T00:00:00+01:00"]
    await deploy(tables, "older", "0002-01-01T00:00:00+00:00")
    answer = await api.get("/deploy-frequency/day", params={"timezone": "Etc/UTC"})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:dora:problem:too-large"
    await deploy(tables, "oldest", "0001-01-01T00:00:00+00:00")
    answer = await api.get("/deploy-frequency/day", params={"timezone": "Etc/UTC"})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:dora:problem:outside-calendar"
    found = await rows(
        api, "/deploy-frequency/year", timezone="Europe/Berlin", **{"from": "1960-01-01T00:00:00Z"}
    )
    assert [row["DeployName"] for row in found] == ["old"]


async def test_q2_an_answer_that_is_too_large_is_refused_with_advice(api, tables, monkeypatch):
    monkeypatch.setattr("query.frequency.MOST_ROWS", 3)
    await deploy(tables, "shop", *(f"2026-06-0{day}T08:00:00+00:00" for day in range(1, 5)))
    await tables.keep_frequency()
    for zone in ("UTC", "Europe/Berlin"):
        answer = await api.get("/deploy-frequency/day", params={"timezone": zone})
        assert answer.status_code == 422
        assert "narrow it with service, environment, from or to" in answer.json()["detail"]
    assert len(await rows(api, "/deploy-frequency/day", **{"from": "2026-06-02T00:00:00Z"})) == 3


async def test_q1_names_are_only_ever_names(api, tables):
    names = ["'; DROP TABLE deployments; --", "$1", "%", "\\", 'a"b', "<b>", "名前", "a b&c=d", "NULL"]
    for name in names:
        await deploy(tables, name, "2026-06-01T08:00:00+00:00", environment=name)
    await tables.keep_frequency()
    for name in names:
        for zone in ("UTC", "Europe/Berlin"):
            found = await rows(api, "/deploy-frequency/day", service=name, environment=name, timezone=zone)
            assert [row["DeployName"] for row in found] == [name]
    assert len(await rows(api, "/deploy-frequency/day")) == len(names)


async def test_a_switch_of_generations_comes_before_or_after_an_answer(api, tables, database):
    """While an answer is read, the tables cannot be replaced under it."""
    import asyncpg

    from query.database import Database

    reader = Database(database, 1)
    await reader.open()
    async with reader.reading() as reading:
        await reading.row("configured_zone")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await tables.connection.execute(
                "SET lock_timeout = '200ms'; ALTER TABLE deployment_frequency SET SCHEMA pg_temp"
            )
    await reader.close()
