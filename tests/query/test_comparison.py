"""Metrics side by side, beside the period before, and in other formats."""

import csv
import io

import pytest

from query.formats import accepted
from schemas.catalog import Catalog
from streams.facts import facts_of
from streams.sinks import cdevents
from streams.sinks.database import Database
from streams.sinks.links import relink
from tests.links.telling import deploy, flat, incident, push
from tests.query.test_linked_metrics import METRICS
from tests.query.test_metrics import MEMBERS

pytestmark = pytest.mark.connected

WINDOW = {"from": "2026-06-08T00:00:00Z", "to": "2026-06-15T00:00:00Z", "bucket": "week"}
WEEK = 7 * 24
NAMES = [*METRICS, "deployment_frequency"]


@pytest.fixture
def catalog() -> Catalog:
    return Catalog.parse(
        "{services: {shop: {team: storefront}, cart: {team: storefront}, bank: {team: money}},"
        " production: [production]}"
    )


@pytest.fixture
async def told(database, tables):
    """Two weeks of four services; one belongs to no team."""
    sink = Database(f"{database}?synchronous_commit=off", 1)
    events = flat(
        [
            push(1, "a"),
            deploy(3, "d1", "a"),
            push(WEEK + 1, "b"),
            deploy(WEEK + 5, "d2", "b"),
            deploy(WEEK + 6, "d3", service="cart"),
            incident(WEEK + 7, WEEK + 9, "i1", service="cart"),
            deploy(WEEK + 8, "d4", service="bank"),
            deploy(WEEK + 9, "d5", service="nobodys"),
        ]
    )
    await cdevents.store(sink, [], [fact for each in events for fact in facts_of(each, Catalog.empty())])
    while await relink(sink, Catalog.empty()) is not None:
        pass
    await tables.keep_frequency()
    yield
    await sink.close()


async def ask(api, metric, **parameters):
    answer = await api.get(f"/v1/metrics/{metric.replace('_', '-')}", params=WINDOW | parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_group_is_answered_as_if_it_was_asked_for_alone(api, told):
    for metric in NAMES:
        plain = await ask(api, metric)
        assert sorted(plain) == sorted(MEMBERS)
        for by, names in (
            ("service", ["bank", "cart", "nobodys", "shop"]),
            ("team", ["money", "storefront"]),
        ):
            whole = await ask(api, metric, by=by)
            groups = whole.pop("groups")
            warnings = whole.pop("warnings")
            assert whole == {name: value for name, value in plain.items() if name != "warnings"}
            assert [group.pop(by) for group in groups] == names
            told_so = "The catalog gives 1 services to no team; no group has them."
            assert (told_so in warnings) == (by == "team")
            for name, group in zip(names, groups, strict=True):
                alone = await ask(api, metric, **{by: name})
                assert group == {member: alone[member] for member in group}
                assert {"value", "class", "sample_count", "coverage", "points"} == set(group)
    shares = [
        group["sample_count"] for group in (await ask(api, "deployment_frequency", by="team"))["groups"]
    ]
    assert shares == [1, 2]


async def test_the_period_before_is_as_many_days_that_end_where_it_begins(api, told):
    lead = await ask(api, "change_lead_time", compare="previous", by="service")
    assert lead["value"] == 5 * 3600
    assert lead["previous"] == {
        "from": "2026-06-01T00:00:00Z",
        "to": "2026-06-08T00:00:00Z",
        "value": 3 * 3600,
        "class": "elite",
        "sample_count": 1,
        "change": 2 * 3600,
    }
    shop = next(group for group in lead["groups"] if group["service"] == "shop")
    assert shop["previous"] == lead["previous"]
    bank = next(group for group in lead["groups"] if group["service"] == "bank")
    assert (bank["previous"]["value"], bank["previous"]["change"]) == (None, None)
    frequency = await ask(api, "deployment_frequency", compare="previous")
    assert frequency["previous"]["change"] == pytest.approx(3 / 7)
    # Over a change of clocks it is as many days, and not as many hours.
    march = {"from": "2026-03-26T23:00:00Z", "to": "2026-04-02T22:00:00Z", "timezone": "Europe/Berlin"}
    told_of = await ask(api, "change_lead_time", compare="previous", **march)
    assert told_of["previous"]["from"] == "2026-03-20T00:00:00+01:00"
    part = {"from": "2026-06-08T06:00:00Z", "to": "2026-06-08T18:00:00Z"}
    assert (await ask(api, "change_lead_time", compare="previous", **part))["previous"]["from"] == (
        "2026-06-07T18:00:00Z"
    )


@pytest.mark.parametrize("metric", NAMES)
async def test_a_table_has_a_row_for_each_point(api, told, metric):
    content = await ask(api, metric, by="service")
    asked = {"params": WINDOW | {"by": "service"}, "headers": {"accept": "text/csv"}}
    answer = await api.get(f"/v1/metrics/{metric.replace('_', '-')}", **asked)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert "Accept" in answer.headers["vary"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    points = [(group["service"], point) for group in content["groups"] for point in group["points"]]
    assert len(rows) == len(points) == 4
    for row, (service, point) in zip(rows, points, strict=True):
        assert (row["service"], row["evidence"]) == (service, point["evidence"])
        assert row["value"] == ("" if point["value"] is None else str(point["value"]))
        assert int(row["sample_count"]) == point["sample_count"]
    tag = answer.headers["etag"]
    again = await api.get(answer.url.raw_path.decode(), headers={"accept": "text/csv", "if-none-match": tag})
    assert again.status_code == 304


async def test_scrapers_get_a_value_and_its_samples(api, told):
    params = WINDOW | {"by": "team", "format": "openmetrics"}
    answer = await api.get("/v1/metrics/change-failure-rate", params=params)
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    lines = [line for line in answer.text.splitlines() if not line.startswith("# HELP")]
    assert lines == [
        "# TYPE dora_change_failure_rate gauge",
        'dora_change_failure_rate{team="money",environment="production"} 0.0',
        'dora_change_failure_rate{team="storefront",environment="production"} 0.5',
        "# TYPE dora_change_failure_rate_samples gauge",
        'dora_change_failure_rate_samples{team="money",environment="production"} 1.0',
        'dora_change_failure_rate_samples{team="storefront",environment="production"} 2.0',
        "# EOF",
    ]
    empty = await api.get(
        "/v1/metrics/change-lead-time", params=WINDOW | {"service": "x", "format": "openmetrics"}
    )
    assert "dora_change_lead_time{" not in empty.text
    assert 'dora_change_lead_time_samples{service="x",environment="production"} 0.0' in empty.text


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/html, */*;q=0.8", "json"),
        ("text/csv", "csv"),
        ("text/csv;q=0.5, application/json", "json"),
        ("application/json;q=0.1, text/csv;q=0.2", "csv"),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "openmetrics"),
        ("text/csv;q=nonsense", "json"),
        (";;,", "json"),
    ],
)
def test_accept_decides_where_no_format_is_asked_for(accept, expected):
    assert accepted(accept) == expected


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        ({"by": "environment"}, ["by"]),
        ({"by": "service", "service": "shop"}, ["by", "service"]),
        ({"by": "team", "team": "money"}, ["by", "team"]),
        ({"by": "team", "service": "shop"}, ["by", "service"]),
        ({"compare": "next"}, ["compare"]),
        ({"format": "xml"}, ["format"]),
        ({"compare": "previous", "from": "0001-01-02T00:00:00Z", "to": "0001-02-02T00:00:00Z"}, ["compare"]),
    ],
)
async def test_what_cannot_be_compared_is_refused_by_name(api, parameters, wrong):
    for metric in ("change-lead-time", "deployment-frequency"):
        answer = await api.get(f"/v1/metrics/{metric}", params=WINDOW | {"bucket": "month"} | parameters)
        assert answer.status_code == 422, answer.text
        assert sorted(each["parameter"] for each in answer.json()["errors"]) == wrong


async def test_the_score_is_that_of_each_metric_and_their_mean(api, told):
    asked = {name: WINDOW[name] for name in ("from", "to")}
    content = (await api.get("/v1/score", params=asked | {"team": "storefront"})).json()
    assert (content["edition"], content["environments"]) == ("quick check 2025", ["production"])
    scores = {item["metric"]: item["score"] for item in content["items"]}
    # 5 h; 2 in 7 days; one of two failed, for 3 h; neither was rework
    assert scores == {
        "change-lead-time": 8,
        "deployment-frequency": 6,
        "failed-deployment-recovery-time": 8,
        "change-failure-rate": 5,
        "deployment-rework-rate": 10,
    }
    assert content["score"] == pytest.approx(37 / 5)
    for item in content["items"]:
        plain = (await api.get(item["url"])).json()
        assert (plain["value"], plain["sample_count"]) == (item["value"], item["sample_count"])
    nothing = (await api.get("/v1/score", params=asked | {"service": "unknown"})).json()
    assert nothing["score"] is None
    assert {item["score"] for item in nothing["items"]} == {None}
    assert (await api.get("/v1/score", params=asked | {"bucket": "day"})).status_code == 422
