"""``/v1/metrics/deployment-frequency``: the number, its class, its window and the way to its evidence."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from schemas.catalog import Catalog
from tests.metrics.cases import cases

pytestmark = pytest.mark.connected

PATH = "/v1/metrics/deployment-frequency"
CASES = cases("deployment_frequency")
MEMBERS = [
    "metric",
    "definition",
    "unit",
    "edition",
    "from",
    "to",
    "bucket",
    "timezone",
    "environments",
    "value",
    "class",
    "sample_count",
    "coverage",
    "points",
    "warnings",
]


@pytest.fixture
def catalog() -> Catalog:
    return Catalog.parse(
        """
        services:
          shop: {team: storefront}
          cart: {team: storefront, deployments_from: argocd}
          billing: {team: finance}
          "search-*": {team: storefront}
        production: [production, "prod-*"]
        """
    )


async def metric(api, **parameters) -> dict:
    start = parameters.pop("start", None)
    answer = await api.get(PATH, params=parameters | ({"from": start} if start else {}))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def evidence(api, point: dict) -> list[dict]:
    """Everything that the point's evidence leads to."""
    found, path = [], point["evidence"]
    while path:
        page = (await api.get(path)).json()
        found += page["items"]
        path = page["next"]
    return found


async def test_the_answer_has_the_members_of_the_contract(api, tables):
    await tables.deployment("shop", "2026-07-16T08:00:00+00:00")
    await tables.keep_frequency()
    told = await metric(api)
    assert sorted(told) == sorted(MEMBERS)
    assert (told["metric"], told["unit"], told["edition"]) == (
        "deployment-frequency",
        "deployments/day",
        "2023",
    )
    assert told["coverage"] == {"linked": 1, "total": 1}
    assert told["environments"] == ["production"]
    assert (told["bucket"], told["timezone"], told["warnings"]) == ("day", "UTC", [])
    assert list(told["points"][0]) == ["start", "end", "value", "sample_count", "evidence"]


async def test_without_from_and_to_it_is_the_last_90_days(api, tables):
    await tables.deployment("shop", "2026-07-17T11:59:00+00:00")
    await tables.keep_frequency()
    told = await metric(api)
    assert (told["from"], told["to"]) == ("2026-04-19T00:00:00Z", "2026-07-18T00:00:00Z")
    assert len(told["points"]) == 90
    assert told["value"] == pytest.approx(1 / 90)
    assert told["points"][-1]["sample_count"] == 1
    # The window begins with a whole bucket.
    for bucket, start in {
        "week": "2026-04-13T00:00:00Z",
        "month": "2026-04-01T00:00:00Z",
        "quarter": "2026-04-01T00:00:00Z",
        "year": "2026-01-01T00:00:00Z",
    }.items():
        told = await metric(api, bucket=bucket)
        assert (told["from"], told["to"]) == (start, "2026-07-18T00:00:00Z")
        assert told["points"][0]["start"] == start
        assert told["points"][-1]["end"] == "2026-07-18T00:00:00Z"
    told = await metric(api, to="2026-06-01T00:00:00Z")
    assert told["from"] == "2026-03-03T00:00:00Z"
    told = await metric(api, start="2026-07-01T00:00:00Z")
    assert told["to"] == "2026-07-18T00:00:00Z"
    told = await metric(api, timezone="Pacific/Kiritimati")  # where the 18th has begun
    assert told["to"] == "2026-07-19T00:00:00+14:00"


async def test_q2_a_window_that_makes_no_sense_is_refused(api):
    for parameters, names in [
        ({"from": "2026-08-01T00:00:00Z"}, {"from"}),  # after the end, which is not given
        ({"from": "0001-01-01T00:00:00Z", "to": "9998-01-01T00:00:00Z"}, {"from", "to", "bucket"}),
        ({"from": "2000-01-01T00:00:00Z"}, {"from", "to", "bucket"}),
        ({"from": "9998-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z", "bucket": "year"}, {"from", "to"}),
        ({"to": "0001-01-02T00:00:00Z"}, {"from", "to"}),
    ]:
        answer = await api.get(PATH, params=parameters)
        assert answer.status_code == 422
        assert {error["parameter"] for error in answer.json()["errors"]} == names, parameters
    assert len((await metric(api, start="2000-01-01T00:00:00Z", bucket="year"))["points"]) == 27


async def test_q7_nothing_deployed_is_zero_and_no_class(api):
    told = await metric(api)
    assert (told["value"], told["class"], told["sample_count"]) == (0, None, 0)
    assert told["coverage"] == {"linked": 0, "total": 0}
    assert {point["sample_count"] for point in told["points"]} == {0}
    assert told["environments"] == ["production"]


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_the_cases_come_out_of_the_tables(api, tables, case):
    """From the table in its zone, and by counting when the table has another; with the evidence behind it."""
    zone = case.content["timezone"]
    for at in case.deployments:
        await tables.deployment("shop", at)
    await tables.keep_frequency(zone)
    for configured in (zone, "Asia/Tokyo"):
        await tables.set_zone(configured)
        told = await metric(
            api,
            start=case.content["from"],
            to=case.content["to"],
            bucket=case.content["bucket"],
            timezone=zone,
        )
        expected = case.expected
        assert told["value"] == pytest.approx(expected["value"])
        assert (told["class"], told["sample_count"]) == (expected["class"], expected["sample_count"])
        for point, wanted in zip(told["points"], expected["points"], strict=True):
            assert point | wanted | {"value": 0} == point | {"value": 0}
            assert point["value"] == pytest.approx(wanted["value"])
            assert len(await evidence(api, point)) == point["sample_count"]


async def test_the_configured_zone_is_answered_from_the_table_alone(api, tables):
    await tables.deployment("shop", "2026-07-01T08:00:00+00:00")
    await tables.keep_frequency()
    before = await metric(api)
    await tables.connection.execute("TRUNCATE deployments")
    assert await metric(api) == before
    assert before["sample_count"] == 1
    assert (await metric(api, timezone="Europe/Berlin"))["sample_count"] == 0


async def test_only_production_counts_unless_another_is_asked_for(api, tables):
    for environment in ("production", "prod-eu", "staging", "prod"):
        await tables.deployment("shop", "2026-07-01T08:00:00+00:00", environment)
    await tables.keep_frequency()
    told = await metric(api)
    assert (told["sample_count"], told["environments"]) == (2, ["prod-eu", "production"])
    assert [len(await evidence(api, point)) for point in told["points"] if point["sample_count"]] == [2]
    told = await metric(api, environment="staging")
    assert (told["sample_count"], told["environments"]) == (1, ["staging"])
    told = await metric(api, environment=["staging", "prod"])
    assert (told["sample_count"], told["environments"], told["warnings"]) == (2, ["prod", "staging"], [])
    assert [len(await evidence(api, point)) for point in told["points"] if point["sample_count"]] == [2]
    told = await metric(api, environment="nowhere")
    assert (told["sample_count"], told["environments"], told["class"]) == (0, ["nowhere"], None)


async def test_services_and_teams(api, tables):
    for service in ("shop", "shop", "cart", "billing", "search-web", "other"):
        await tables.deployment(service, "2026-07-01T08:00:00+00:00")
    await tables.keep_frequency()
    assert (await metric(api))["sample_count"] == 6
    assert (await metric(api, service="shop"))["sample_count"] == 2
    assert (await metric(api, service="nobody"))["sample_count"] == 0
    told = await metric(api, team="storefront")
    assert told["sample_count"] == 4  # search-web by the catalog's pattern
    assert [len(await evidence(api, point)) for point in told["points"] if point["sample_count"]] == [4]
    assert (await metric(api, team="storefront", service="shop"))["sample_count"] == 2
    told = await metric(api, team="nobody")
    assert told["sample_count"] == 0
    assert told["warnings"] == ["The catalog gives no service to team 'nobody'."]
    answer = await api.get(PATH, params={"team": "finance", "service": "shop"})
    assert answer.status_code == 422
    assert {error["parameter"] for error in answer.json()["errors"]} == {"team", "service"}


async def test_several_channels_for_one_service_are_warned_of(api, tables):
    july = "2026-07-01T08:00:00+00:00"
    await tables.deployment("shop", july, channel="kubernetes")
    await tables.deployment("shop", july, channel="github")
    await tables.deployment("cart", july, channel="kubernetes")  # the catalog says which one counts
    await tables.deployment("cart", july, channel="argocd")
    await tables.deployment("billing", july, channel="kubernetes")
    await tables.deployment("billing", july, "staging", channel="github")  # another environment
    await tables.deployment("billing", july, channel="argocd", counted=False)
    await tables.deployment("billing", "2025-01-01T08:00:00+00:00", channel="jenkins")  # long ago
    await tables.deployment("audit", july, "staging", channel="kubernetes")
    await tables.deployment("audit", july, "staging", channel="github")
    await tables.keep_frequency()
    (warning,) = (await metric(api))["warnings"]
    assert "'shop'" in warning
    assert "github, kubernetes" in warning
    assert "deployments_from" in warning
    for environments in ("production", ["production", "staging"]):
        assert (await metric(api, service="billing", environment=environments))["warnings"] == []
    (warning,) = (await metric(api, environment="staging"))["warnings"]
    assert "'audit'" in warning
    assert (await metric(api, to="2026-06-30T00:00:00Z"))["warnings"] == []


@pytest.mark.parametrize(
    ("days", "expected"), [(range(5), "elite"), (range(3), "high"), ((), None)], ids=["elite", "high", "none"]
)
async def test_the_class_of_90_days(api, tables, days, expected):
    monday = datetime(2026, 4, 20, 9, tzinfo=ZoneInfo("UTC"))
    for week in range(13):
        for day in days:
            at = monday + timedelta(weeks=week, days=day)
            for bucket in ("day",):
                await tables.frequency("shop", bucket, at.replace(hour=0), 1)
    assert (await metric(api))["class"] == expected


class TestWithoutACatalog:
    @pytest.fixture
    def catalog(self) -> Catalog:
        return Catalog.empty()

    async def test_all_environments_count_and_the_answer_says_so(self, api, tables):
        await tables.deployment("shop", "2026-07-01T08:00:00+00:00", "shop-ns")
        await tables.deployment("shop", "2026-07-01T08:00:00+00:00", "staging")
        await tables.keep_frequency()
        told = await metric(api)
        assert (told["sample_count"], told["environments"]) == (2, ["shop-ns", "staging"])
        (warning,) = told["warnings"]
        assert "no production environment" in warning
        assert [len(await evidence(api, point)) for point in told["points"] if point["sample_count"]] == [2]
        assert (await metric(api, environment="staging"))["warnings"] == []

    async def test_q7_nothing_at_all(self, api):
        told = await metric(api)
        assert (told["value"], told["class"], told["environments"]) == (0, None, [])


class TestPatternsOnly:
    @pytest.fixture
    def catalog(self) -> Catalog:
        return Catalog.parse('production: ["prod-*"]')

    async def test_a_pattern_stands_for_itself_until_something_fits(self, api, tables):
        await tables.deployment("shop", "2026-07-01T08:00:00+00:00", "staging")
        await tables.keep_frequency()
        told = await metric(api)
        assert (told["sample_count"], told["environments"]) == (0, ["prod-*"])
        assert all([await evidence(api, point) == [] for point in told["points"][-20:]])
