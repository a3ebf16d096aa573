"""What an answer costs: pages of PostgreSQL's memory that it touches, however much history there is."""

import json
from datetime import UTC, datetime

import pytest

from query.database import Reading, statement

pytestmark = pytest.mark.connected

FILL = """
INSERT INTO deployments (deploy_id, time_created, deploy_name, service, environment, channel, kind, outcome,
                         counted, counted_reason, decided_at, cd_source, cd_id)
SELECT prefix || n, at, 'service' || n % 20, 'service' || n % 20,
       (ARRAY['production', 'staging'])[1 + n / 20 % 2],
       'kubernetes', 'deployed', 'success', true, 'deployed', at, '/cluster', prefix || n
  FROM (SELECT n, $3 AS prefix,
               timestamptz '2026-04-01 00:00+00' + (n % $2) * (interval '100 days' / $2) AS at
          FROM generate_series(1, $1::int) AS n) AS facts
"""
KEEP = """
INSERT INTO deployment_frequency
SELECT service, environment, bucket, date_trunc(bucket, time_created, 'UTC'), count(*),
       count(DISTINCT date_trunc('day', time_created, 'UTC'))
  FROM deployments, unnest(ARRAY['day', 'week', 'month', 'year']) AS bucket
 GROUP BY 1, 2, 3, 4
"""
EVENTS = """
INSERT INTO cloudevents_raw (event_timestamp, source, id, type, attributes, digest, received_at, fate, topic,
                             topic_partition, topic_offset)
SELECT now(), '/cluster', 'e' || n, 'type' || n % 50, '{}', '', now(), 'mapped', 'cloudevents', 0, n
  FROM generate_series(1, $1::int) AS n
"""
FEW, MANY = 2_000, 50_000


class Touched:
    """Explains every statement of a reading and adds up the pages that it touches."""

    def __init__(self, monkeypatch) -> None:
        self.pages = 0
        self.tables: set[str] = set()
        self.plans: list[dict] = []
        rows = Reading.rows

        async def explained(reading: Reading, name: str, *values):
            text = await reading._connection.fetchval(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement(name)}", *values
            )
            (plan,) = json.loads(text)
            self.pages += plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
            self._visit(plan["Plan"])
            return await rows(reading, name, *values)

        monkeypatch.setattr(Reading, "rows", explained)

    def _visit(self, node: dict) -> None:
        if node.get("Relation Name") and node["Actual Loops"]:
            self.tables.add(node["Relation Name"])
            self.plans.append(node)
        for child in node.get("Plans", []):
            self._visit(child)

    def reset(self) -> None:
        self.pages, self.tables, self.plans = 0, set(), []


async def fill(tables, number: int, prefix: str) -> None:
    await tables.connection.execute(FILL, number, number, prefix)
    await tables.connection.execute("VACUUM ANALYZE deployments")


FREQUENCY = [
    "/deploy-frequency/day",
    "/deploy-frequency/week",
    "/deploy-frequency/month?service=service3",
    "/deploy-frequency/day?environment=staging&from=2026-06-01T00:00:00Z",
    "/v1/metrics/deployment-frequency",
    "/v1/metrics/deployment-frequency?bucket=month&service=service3&from=2026-04-01T00:00:00Z",
]


async def test_q2_frequency_costs_the_same_however_many_deployments_there_are(api, tables, monkeypatch):
    await fill(tables, FEW, "few-")
    await tables.connection.execute(KEEP)
    await tables.connection.execute("VACUUM ANALYZE deployment_frequency")
    touched = Touched(monkeypatch)
    costs = []
    for history in (0, MANY):
        if history:
            await fill(tables, history, "many-")  # the table of numbers stays as it is
        costs.append([])
        for path in FREQUENCY:
            touched.reset()
            assert (await api.get(path)).status_code == 200
            costs[-1].append(touched.pages)
            if path.startswith("/deploy"):
                assert "deployments" not in touched.tables
            scanned = [node["Node Type"] for node in touched.plans if node["Relation Name"] == "deployments"]
            assert "Seq Scan" not in scanned
    for path, few, many in zip(FREQUENCY, *costs, strict=True):
        # An index that is one level deeper costs a page a step; there is a step per service and channel.
        assert many <= few * 1.5 + 80, path
        assert few > 3, path


async def test_q2_one_event_and_one_page_cost_the_same_however_many_there_are(api, tables, monkeypatch):
    await fill(tables, MANY, "many-")
    await tables.connection.execute(EVENTS, MANY)
    await tables.cdevent("many-77", "e77")
    await tables.connection.execute("VACUUM ANALYZE cloudevents_raw, cdevents_raw")
    touched = Touched(monkeypatch)
    for path, most in {
        "/v1/events?source=/cluster&id=e77": 60,
        "/v1/events?limit=50": 40,
        "/v1/events?limit=50&fate=mapped": 200,
        "/v1/events?limit=50&type=type7": 200,
        "/v1/deployments?limit=50": 200,
        "/v1/deployments?limit=50&service=service3&environment=production": 200,
        "/v1/deployments?limit=50&service=service3&environment=nowhere": 40,
        "/v1/deployments?limit=50&service=service3&environment=staging&to=2026-06-01T00:00:00Z": 200,
        "/v1/deployments?limit=50&from=2026-06-01T00:00:00Z&to=2026-06-02T00:00:00Z": 200,
        "/v1/services": 1200,
        "/v1/services?limit=1": 100,
    }.items():
        touched.reset()
        answer = await api.get(path)
        assert answer.status_code == 200
        assert 0 < touched.pages <= most, (path, touched.pages)
        following = answer.json().get("next")
        if following:
            touched.reset()
            assert (await api.get(following)).status_code == 200
            assert touched.pages <= most, (following, touched.pages)


async def test_another_zone_reads_only_its_window(api, tables, monkeypatch):
    await fill(tables, MANY, "many-")
    touched = Touched(monkeypatch)
    window = "from=2026-06-01T00:00:00Z&to=2026-06-02T00:00:00Z&timezone=Europe/Berlin"
    answer = await api.get(f"/v1/metrics/deployment-frequency?{window}")
    assert answer.json()["sample_count"] == 500
    nodes = {node["Node Type"] for node in touched.plans if node["Relation Name"] == "deployments"}
    assert "Seq Scan" not in nodes
    assert datetime.fromisoformat(answer.json()["to"]) == datetime(2026, 6, 2, tzinfo=UTC)


async def test_one_service_costs_the_same_however_many_others_there_are(api, tables, monkeypatch):
    touched = Touched(monkeypatch)
    costs = []
    for services in (20, 1_000):
        await tables.connection.execute("TRUNCATE deployments")
        await tables.connection.execute(SERVICES, services, 20)
        await tables.connection.execute("VACUUM ANALYZE deployments")
        touched.reset()
        answer = await api.get("/v1/metrics/change-failure-rate?service=service3&from=2026-04-01T00:00:00Z")
        assert answer.status_code == 200
        costs.append(touched.pages)
    assert costs[1] <= costs[0] + 20, costs


async def test_all_services_over_a_year_are_answered_in_any_zone(api, tables):
    # More of them times days than an answer by service may have rows.
    await tables.connection.execute(SERVICES, 300, 350)
    year = "from=2026-04-01T00:00:00Z&to=2027-04-01T00:00:00Z&bucket=month"
    here, there = [
        (await api.get(f"/v1/metrics/deployment-frequency?{year}&timezone={zone}")).json()
        for zone in ("Etc/UTC", "Asia/Kolkata")
    ]
    assert here["sample_count"] == there["sample_count"] == 300 * 350
    assert here["points"][0]["sample_count"] == 300 * 30


LINK_DAYS = """
INSERT INTO link_days
SELECT 'service' || n % 20, 'production', timestamptz '2026-07-01 00:00+00' - n / 20 * interval '1 day',
       2, 2, 0, 0, 0, 2, float8send(n), float8send(n), '', 0
  FROM generate_series(0, 20 * $1::int - 1) AS n
ON CONFLICT DO NOTHING
"""
LINKS = """
INSERT INTO attributions (deploy_id, service, environment, deployed_at, role, linked, changes, day,
                          lead_times, merge_times)
SELECT 'd' || n, 'service' || n % 20, 'production', at, 'counted', true, 1, date_trunc('day', at, 'UTC'),
       float8send(60), ''
  FROM (SELECT n, timestamptz '2026-06-30 23:59+00' - n * interval '90 days' / $1::int AS at
          FROM generate_series(1, $1::int) AS n) AS made
"""
CHANGES = """
INSERT INTO deployed_changes
SELECT service, environment, 'acme/' || service, deploy_id, 'commit', deploy_id, deployed_at, 'revision', 60,
       NULL
  FROM attributions
"""
SERVICES = """
INSERT INTO deployments (deploy_id, time_created, deploy_name, service, environment, channel, kind, outcome,
                         counted, counted_reason, decided_at, cd_source, cd_id)
SELECT prefix || n, at, 'service' || n, 'service' || n, 'production', 'kubernetes', 'deployed', 'success',
       true, 'deployed', at, '/cluster', prefix || n
  FROM (SELECT n, 'day' || day || '-' AS prefix,
               timestamptz '2026-04-01 00:00+00' + day * interval '1 day' AS at
          FROM generate_series(1, $1::int) AS n, generate_series(0, $2::int - 1) AS day) AS facts
"""
LINKED = (
    "change-lead-time",
    "change-failure-rate",
    "deployment-rework-rate",
    "failed-deployment-recovery-time",
    "merge-to-deploy",
)


async def test_linked_metrics_cost_the_same_however_much_history_there_is(api, tables, monkeypatch):
    connection = tables.connection
    window = "from=2026-04-02T00:00:00Z&to=2026-07-01T00:00:00Z&bucket=month"
    await connection.execute(LINK_DAYS, 90)
    touched = Touched(monkeypatch)
    costs: list[dict[str, int]] = []
    for history in (0, MANY):
        if history:  # ten years of days before the window, and every deployment and change inside it
            await connection.execute(LINK_DAYS, 3_650)
            await connection.execute(LINKS, history)
            await connection.execute(CHANGES)
        await connection.execute("VACUUM ANALYZE link_days, attributions, deployed_changes")
        costs.append({})
        for metric in LINKED:
            for about in ("", "&service=service3"):
                touched.reset()
                answer = await api.get(f"/v1/metrics/{metric}?{window}{about}")
                assert answer.status_code == 200
                costs[-1][metric + about] = touched.pages
                assert "deployed_changes" not in touched.tables
                scanned = {node["Relation Name"]: node["Node Type"] for node in touched.plans}
                assert scanned.get("attributions") != "Seq Scan" or not history
    for asked, few in costs[0].items():
        assert costs[1][asked] <= few * 1.5 + 80, (asked, few, costs[1][asked])


async def test_another_zone_reads_a_row_of_each_deployment_and_not_one_of_each_change(
    api, tables, monkeypatch
):
    connection = tables.connection
    await connection.execute(LINKS, 5_000)
    await connection.execute(CHANGES)
    await connection.execute("VACUUM ANALYZE attributions, deployed_changes")
    window = "from=2026-04-02T00:00:00Z&to=2026-07-01T00:00:00Z&timezone=Asia/Kolkata"
    touched = Touched(monkeypatch)
    answer = await api.get(f"/v1/metrics/change-lead-time?{window}")
    assert (answer.json()["value"], answer.json()["sample_count"]) == (60, 4_999)
    assert touched.tables.isdisjoint({"deployed_changes", "changes"})
