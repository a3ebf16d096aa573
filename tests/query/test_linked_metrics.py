"""The metrics that need links over HTTP: the hand-worked stories, from facts in PostgreSQL to the answer."""

from datetime import datetime

import asyncpg
import pytest

from schemas.catalog import Catalog
from streams.facts import facts_of
from streams.sinks import cdevents
from streams.sinks.database import Database
from streams.sinks.links import relink
from tests.links.telling import ENVIRONMENT, SERVICE, deploy, flat, hour, incident, push
from tests.metrics.long_history import cdevents_of, records
from tests.metrics.stories import stories
from tests.query.test_metrics import MEMBERS, evidence

pytestmark = pytest.mark.connected

TABLES = (
    "deployments, changes, pushes, artifacts, incidents, corrections, relinks, attributions,"
    " deployed_changes, link_days"
)
METRICS = (
    "change_lead_time",
    "change_failure_rate",
    "failed_deployment_recovery_time",
    "deployment_rework_rate",
    "time_to_restore",
    "merge_to_deploy",
)


@pytest.fixture
def catalog() -> Catalog:
    return Catalog.parse(
        "{services: {shop: {team: storefront}, cart: {team: storefront}}, production: [production]}"
    )


@pytest.fixture
async def sink(database):
    found = Database(f"{database}?synchronous_commit=off", 1)
    yield found
    await found.close()


async def tell(sink: Database, *told) -> None:
    """Store the facts of events and link them."""
    events = flat(told)
    await cdevents.store(sink, [], [fact for each in events for fact in facts_of(each, Catalog.empty())])
    while await relink(sink, Catalog.empty()) is not None:
        pass


async def ask(api, metric: str, **parameters) -> dict:
    parameters = {"from": hour(0), "to": hour(14 * 24), "bucket": "week"} | parameters
    answer = await api.get(f"/v1/metrics/{metric.replace('_', '-')}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("metric", METRICS)
async def test_each_story_ends_in_the_numbers_worked_out_by_hand(api, database, sink, metric):
    connection = await asyncpg.connect(database)
    for case in stories(metric):
        await connection.execute(f"TRUNCATE {TABLES}")
        await tell(sink, *case.events)
        window = case.window
        asked = {"from": window.start.isoformat(), "to": window.end.isoformat(), "timezone": window.zone.key}
        told = await ask(api, metric, service=SERVICE, environment=ENVIRONMENT, **asked)
        assert sorted(told) == sorted(MEMBERS)
        found = {
            "value": told["value"],
            "class": told["class"],
            "sample_count": told["sample_count"],
            "points": [(point["value"], point["sample_count"]) for point in told["points"]],
        }
        assert found == case.expected, case.name
        for point in told["points"]:
            items = await evidence(api, point)
            if metric in ("change_lead_time", "change_failure_rate", "merge_to_deploy"):
                assert len(items) == point["sample_count"], case.name
            elif metric == "deployment_rework_rate":
                assert len(items) == (point["value"] or 0) * point["sample_count"], case.name
            else:
                assert len(items) >= point["sample_count"], case.name
    await connection.close()


# Of one calendar, and not the configured one: the answer comes from every deployment and change.
OTHER_ZONES = {"UTC": "Etc/UTC", "Europe/Berlin": "Europe/Stockholm"}


@pytest.mark.parametrize("zone", OTHER_ZONES)
async def test_kept_days_give_what_every_deployment_and_change_gives(api, database, sink, zone):
    connection = await asyncpg.connect(database)
    await connection.execute("UPDATE generations SET timezone = $1", zone)
    await tell(sink, *(event for told in cdevents_of(records()) for event in told))
    hour = "22" if zone == "Europe/Berlin" else "00"
    asked = {"from": f"2026-04-01T{hour}:00:00Z", "to": f"2026-06-20T{hour}:00:00Z"}
    for metric in METRICS:
        for bucket in ("day", "week", "month"):
            # Of all services the deployments have the times with them; of one, the changes are read.
            for about in ({}, {"service": "shop"}):
                kept = await ask(api, metric, timezone=zone, bucket=bucket, **about, **asked)
                every = await ask(api, metric, timezone=OTHER_ZONES[zone], bucket=bucket, **about, **asked)
                assert kept["sample_count"] > 10
                assert kept | {"timezone": ""} == every | {"timezone": ""}, (metric, bucket, about)
    # Links of before link_days, or that somebody else wrote: nothing is missed while the relinker is behind.
    told = await ask(api, "change_lead_time", timezone=zone, **asked)
    await connection.execute(
        "UPDATE attributions SET day = NULL WHERE ctid IN (SELECT ctid FROM attributions LIMIT 1)"
    )
    await connection.execute("DELETE FROM link_days")
    assert await ask(api, "change_lead_time", timezone=zone, **asked) == told
    await connection.execute("UPDATE attributions SET lead_times = NULL, merge_times = NULL")
    every = await ask(api, "change_lead_time", timezone=OTHER_ZONES[zone], **asked)
    assert every | {"timezone": zone} == told
    # Their marks are gone, as when a worker of the older version takes them during an upgrade.
    while await relink(sink, Catalog.empty()) is not None:
        pass
    behind = "SELECT count(*) FROM attributions WHERE day IS NULL OR lead_times IS NULL"
    assert await connection.fetchval(behind) == 0
    assert await ask(api, "change_lead_time", timezone=zone, **asked) == told
    await connection.close()


@pytest.mark.parametrize("metric", METRICS)
async def test_q7_nothing_is_answered_with_nothing(api, metric):
    told = await ask(api, metric)
    assert (told["value"], told["class"], told["sample_count"]) == (None, None, 0)
    assert [(point["value"], point["sample_count"]) for point in told["points"]] == [(None, 0)] * 2
    assert told["coverage"] == {"linked": 0, "total": 0}
    assert told["warnings"] == []


async def test_what_is_missing_is_told(api, sink):
    await tell(
        sink,
        push(1, "a"),
        push(2, "b", made=2.1),
        deploy(2.05, "d1", "b"),
        deploy(4, "d2"),
        incident(4.5, None, "i1"),
        incident(100, 101, "i2"),
    )
    lead = await ask(api, "change_lead_time")
    assert (lead["coverage"], lead["sample_count"]) == ({"linked": 1, "total": 2}, 1)
    assert "1 were left out, because clocks disagree" in lead["warnings"][0]
    assert "Of 1 deployments no revision is known" in lead["warnings"][1]
    recovery = await ask(api, "failed_deployment_recovery_time")
    assert recovery["coverage"] == {"linked": 0, "total": 1}
    assert recovery["warnings"] == ["1 failed deployments have not recovered; they have no duration yet."]
    restore = await ask(api, "time_to_restore")
    assert (restore["value"], restore["coverage"]) == (3600, {"linked": 1, "total": 2})


async def test_commits_that_are_not_deployed_are_told(api, sink):
    await tell(sink, push(1, "a"), deploy(3, "d1", "a"), push(4, "b", "c"), push(5, "t", branch="topic"))
    lead = await ask(api, "change_lead_time")
    assert (lead["sample_count"], lead["warnings"]) == (
        1,
        ["3 commits that were made in this time are not deployed yet."],
    )
    assert (await ask(api, "change_failure_rate"))["warnings"] == []
    earlier = {"from": hour(-24), "to": hour(0)}
    assert (await ask(api, "change_lead_time", **earlier))["warnings"] == []
    await tell(sink, deploy(6, "d2", "c"))
    lead = await ask(api, "change_lead_time")
    assert lead["warnings"] == ["1 commits that were made in this time are not deployed yet."]


async def test_another_percentile_says_so_and_has_no_class(api, sink):
    await tell(sink, *(push(n + 1, f"c{n}", made=0) for n in range(11)), deploy(20, "d1", "c10"))
    await tell(sink, *(push(n + 30, f"e{n}", made=29 - n) for n in range(11)), deploy(50, "d2", "e10"))
    told = await ask(api, "change_lead_time", percentile="90")
    assert told["value"] == pytest.approx(28.9 * 3600)  # eleven of 20 h, and 21 h to 31 h
    assert told["class"] is None
    assert told["definition"].startswith("Percentile 90 of the time from a commit")
    answer = await api.get("/v1/metrics/change-failure-rate", params={"percentile": "90"})
    assert answer.status_code == 422
    for wrong in ("0", "100", "50.5", "p90"):
        answer = await api.get("/v1/metrics/change-lead-time", params={"percentile": wrong})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["parameter"] == "percentile"


async def test_teams_and_environments(api, sink):
    await tell(
        sink,
        deploy(1, "d1"),
        deploy(2, "d2", service="cart"),
        deploy(3, "d3", service="other"),
        deploy(4, "d4", environment="staging"),
        incident(2.5, 3, "i1", service="cart"),
        incident(4.5, 5, "i2", environment="staging"),
    )
    assert (await ask(api, "change_failure_rate"))["value"] == pytest.approx(1 / 3)
    assert (await ask(api, "change_failure_rate", team="storefront"))["value"] == 1 / 2
    assert (await ask(api, "change_failure_rate", service="shop"))["value"] == 0
    staging = await ask(api, "change_failure_rate", environment="staging")
    assert (staging["value"], staging["environments"]) == (1, ["staging"])
    assert (await ask(api, "change_failure_rate", team="nobody"))["warnings"] != []


async def test_metrics_are_listed(api):
    listed = (await api.get("/v1/metrics")).json()["items"]
    assert {item["name"] for item in listed} >= {metric.replace("_", "-") for metric in METRICS}
    for item in listed:
        assert (await api.get(item["url"])).status_code == 200


async def test_deployments_say_why_they_failed_and_were_not_planned(api, sink):
    await tell(sink, deploy(1, "d1"), deploy(2, "d2", hotfix=True), incident(1.5, 3, "i1"))
    items = (await api.get("/v1/deployments")).json()["items"]
    told = [(i["deploy_id"], i["failure_rule"], i["failure_cause"], i["rework_rule"]) for i in items]
    assert told == [("d2", None, None, "hotfix"), ("d1", "hotfix", "d2", None)]
    assert datetime.fromisoformat(items[1]["recovered_at"]) == datetime.fromisoformat(hour(2))
    for asked, expected in (({"failed": "true"}, ["d1"]), ({"unplanned": "false"}, ["d1"])):
        found = (await api.get("/v1/deployments", params=asked)).json()["items"]
        assert [item["deploy_id"] for item in found] == expected


async def test_changes_are_paged_as_they_were_made_and_as_they_were_deployed(api, sink):
    await tell(sink, *(push(n + 1, f"c{n}", made=n) for n in range(5)), deploy(9, "d1", "c3"))

    async def walk(path: str) -> list[str]:
        found, following = [], path
        while following:
            page = (await api.get(following)).json()
            found += [item["change_id"] for item in page["items"]]
            following = page["next"]
        return found

    assert await walk("/v1/changes?limit=2") == ["c4", "c3", "c2", "c1", "c0"]
    assert await walk("/v1/changes?service=shop&limit=2&repository=Acme/Shop&to=2026-06-01T02:30:00Z") == [
        "c2",
        "c1",
        "c0",
    ]
    assert await walk("/v1/changes?deployed=true&limit=2") == ["c3", "c2", "c1", "c0"]
    (first, *_) = (await api.get("/v1/changes?deployed=true&measured=change-lead-time")).json()["items"]
    assert (first["deploy_id"], first["rule"], first["lead_seconds"]) == ("d1", "revision", 6 * 3600)
    for wrong in ("environment=production", "measured=change-lead-time", "deployed=false", "kind=commits"):
        assert (await api.get(f"/v1/changes?{wrong}")).status_code == 422


async def test_incidents_are_listed(api, sink):
    await tell(sink, incident(1, 2, "i1"), incident(3, None, "i2", deploy_id="d1"), incident(None, 4, "i3"))
    items = (await api.get("/v1/incidents")).json()["items"]
    assert [(i["incident_id"], i["open"], i["deploy_id"]) for i in items] == [
        ("i3", False, None),
        ("i2", True, "d1"),
        ("i1", False, None),
    ]
    found = (await api.get("/v1/incidents", params={"open": "true", "service": "shop"})).json()["items"]
    assert [item["incident_id"] for item in found] == ["i2"]
    page = (await api.get("/v1/incidents?limit=2")).json()
    assert [i["incident_id"] for i in (await api.get(page["next"])).json()["items"]] == ["i1"]
