"""The dashboards: their files are what the code makes, and every query answers."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import yaml

import ingress.metrics
from deploy.docker.roles import DASHBOARDS
from deploy.grafana.dashboards import TARGETS, files
from query.observation import Measures
from streams.telemetry import Telemetry
from tests.deployment.kubernetes import ROOT
from tests.query.rows import Tables

BOARDS = {name: json.loads(text) for name, text in files().items()}
QUERIES = [
    (f"{board['uid']}: {panel['title']}", target)
    for board in BOARDS.values()
    for panel in board["panels"]
    for target in panel["targets"]
]
STATEMENTS = [(title, target["rawSql"]) for title, target in QUERIES if "rawSql" in target]
EXPRESSIONS = [(title, target["expr"]) for title, target in QUERIES if "expr" in target]
NOW = datetime.now(UTC)
SINCE = NOW - timedelta(days=90)


def expanded(statement: str) -> str:
    """A statement as Grafana sends it, with all services and environments chosen."""
    since, until = f"'{SINCE.isoformat()}'", f"'{NOW.isoformat()}'"
    text = re.sub(r"\$__timeFilter\(([\w.]+)\)", rf"\1 BETWEEN {since} AND {until}", statement)
    text = text.replace("$__timeFrom()", since).replace("$__timeTo()", until)
    return text.replace("${service:sqlstring}", "'checkout','payments'").replace(
        "${environment:sqlstring}", "'production'"
    )


@pytest.fixture
async def filled(database: str):
    """A connection that only reads, as Grafana's, to tables with something of everything."""
    connection = await asyncpg.connect(database)
    tables = Tables(connection)
    for day in range(1, 30):
        for service in ("checkout", "payments"):
            row = await tables.deployment(service, NOW - timedelta(days=day), commit=f"{day:040x}")
            await connection.execute(
                "INSERT INTO attributions (deploy_id, service, environment, deployed_at, role, linked,"
                " changes, failure_rule, recovered_at, recovery_seconds)"
                " VALUES ($1, $2, 'production', $3, 'counted', true, 1, $4, $5, $6)",
                row["deploy_id"],
                service,
                row["time_created"],
                "incident" if day % 5 == 0 else None,
                NOW if day % 5 == 0 else None,
                3600.0 if day % 5 == 0 else None,
            )
            await connection.execute(
                "INSERT INTO deployed_changes (service, environment, repository, change_id, kind, deploy_id,"
                " deployed_at, rule, lead_seconds)"
                " VALUES ($1, 'production', 'shop/web', $2, 'commit', $3, $4, 'revision', 7200)",
                service,
                f"{day:040x}",
                row["deploy_id"],
                row["time_created"],
            )
    await tables.keep_frequency()
    await connection.execute(
        "INSERT INTO incidents (incident_source, incident_id, detected_at, told)"
        """ VALUES ('/pager', '1', $1, '{"service": [1, "checkout"]}')""",
        NOW - timedelta(days=1),
    )
    await connection.execute(
        "INSERT INTO deadletters (stage, reason, attempts, headers, origin_topic, origin_partition,"
        " origin_offset, failed_at, identity)"
        " VALUES ('read', 'no CloudEvent', 1, '[]', 'cloudevents', 0, 1, now(), 'x')"
    )
    await connection.execute(
        "INSERT INTO cloudevents_raw (event_timestamp, source, id, type, attributes, digest, received_at,"
        " fate, topic, topic_partition, topic_offset)"
        " VALUES ($1, '/x', '1', 'com.example', '{}', 'x', $1, 'unmapped', 'cloudevents', 0, 2)",
        NOW - timedelta(hours=1),
    )
    await connection.execute("SET default_transaction_read_only = on")
    yield connection
    await connection.close()


@pytest.mark.connected
async def test_no_panel_over_the_tables_is_empty(filled: asyncpg.Connection):
    for title, statement in STATEMENTS:
        rows = await filled.fetch(expanded(statement))
        assert rows, title
        assert rows[0][0] is not None, title


@pytest.mark.connected
async def test_numbers_are_those_of_the_definitions(filled: asyncpg.Connection):
    told = {title.partition(": ")[2]: await filled.fetchval(expanded(each)) for title, each in STATEMENTS[:5]}
    assert float(told["Deployment frequency"]) == pytest.approx(58 / 90)
    assert told["Change lead time"] == 7200
    assert told["Change failure rate"] == pytest.approx(10 / 58)
    assert told["Recovery time"] == 3600
    assert told["Rework rate"] == 0


@pytest.mark.connected
async def test_variables_have_values(filled: asyncpg.Connection):
    for board in BOARDS.values():
        for variable in board["templating"]["list"]:
            assert await filled.fetch(variable["query"]), variable["name"]


def test_statements_only_read():
    assert all(statement.startswith("SELECT") for _, statement in STATEMENTS)


def metrics() -> set[str]:
    """Every series that the processes have, and Prometheus's own of each target."""
    registries = (Telemetry().registry, Measures().registry, ingress.metrics.Metrics().registry)
    names = {"up"}
    for family in (family for registry in registries for family in registry.collect()):
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(
            family.type, ("",)
        )
        names |= {family.name + suffix for suffix in suffixes}
    return names


@pytest.mark.parametrize("text", [each for _, each in EXPRESSIONS] + ["alerts"])
def test_expressions_name_series_that_exist(text: str):
    if text == "alerts":
        groups = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
        text = " ".join(rule["expr"] for group in groups for rule in group["rules"])
    assert set(re.findall(r"\b(?:dora_\w+|up)\b", text)) <= metrics()


def test_the_files_are_what_the_code_makes():
    for folder in TARGETS:
        found = {file.name: file.read_text() for file in folder.glob("*.json")}
        assert found == files(), "run: python -m deploy.grafana.dashboards"


def test_panels_use_the_data_sources_that_are_provisioned():
    provisioned = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/dora.yaml").read_text())
    known = {each["uid"]: each["type"] for each in provisioned["datasources"]}
    for _, target in QUERIES:
        assert known[target["datasource"]["uid"]] == target["datasource"]["type"]
    assert {each["user"] for each in provisioned["datasources"] if "user" in each} == {DASHBOARDS}


def test_panels_do_not_cover_each_other():
    for board in BOARDS.values():
        taken: set[tuple[int, int]] = set()
        for place in (panel["gridPos"] for panel in board["panels"]):
            cells = {
                (place["x"] + across, place["y"] + down)
                for across in range(place["w"])
                for down in range(place["h"])
            }
            assert not cells & taken
            assert place["x"] + place["w"] <= 24
            taken |= cells


def test_uids_and_titles_are_unique():
    assert len({board["uid"] for board in BOARDS.values()}) == len(BOARDS)
    titles: list[Any] = [title for title, _ in QUERIES]
    assert len(set(titles)) == len(titles)
