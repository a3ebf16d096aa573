"""`dora doctor` on a real installation: well, and with each part of it wrong."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from deploy import doctor, postgres_health
from deploy.findings import Finding, run
from deploy.installation import Installation, read_settings
from schemas.topics import Topics
from tests.infra import pipelines
from tests.infra.commands import dora
from tests.infra.databases import execute
from tests.infra.servers import Infra

pytestmark = [pytest.mark.connected, pytest.mark.partitions(2), pytest.mark.timeout(120)]
LETTER = """
INSERT INTO deadletters (stage, reason, attempts, headers, origin_topic, origin_partition, origin_offset,
                         failed_at, identity)
VALUES ('transform', 'because', 1, '[]', 't', 0, 0, now(), 'x')
"""


def given(infra: Infra, topics: Topics, dsn: str, state: Path, **more: Any) -> dict[str, Any]:
    """The settings of an installation on the servers of one test."""
    settings = {
        "kafka": infra.kafka,
        "postgres": dsn,
        "topic_prefix": topics.prefix,
        "partitions": topics.partitions,
        "state_dir": state,
    }
    return {**settings, **more}


async def examined(settings: dict[str, Any], **places: Any) -> dict[str, Finding]:
    """What every check finds."""
    known, wrong = read_settings(**settings)
    found: list[Finding] = []
    await run(doctor.checks(Installation(known, wrong, **places)), found.append)
    return {finding.check: finding for finding in found}


def states(found: dict[str, Finding], state: str) -> set[str]:
    return {name for name, finding in found.items() if finding.state == state}


async def test_a_healthy_installation_and_one_with_a_mistake_in_each_part(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
):
    async with pipelines.running(infra, topics, database, tmp_path, open="true") as pipeline:
        await pipeline.settled()
        urls = {"ingress": pipeline.ingress.url, "query": pipeline.query.url}
        environment = {f"DORA_{name.upper()}_URL": url for name, url in urls.items()} | {
            name: value
            for name, value in pipeline.worker.environment.items()
            if name not in {"DORA_PORT_FILE", "DORA_OPEN"}
        }
        done = dora("doctor", "--json", **environment)
        assert done.returncode == 0, done.stdout
        told = json.loads(done.stdout)
        assert told["ok"] is True
        names = [each["check"] for each in told["checks"]]
        assert {each["check"]: each for each in told["checks"] if each["state"] != "ok"}.keys() <= {"disk"}
        assert names == [check.name for check in doctor.checks(Installation(None))]
        assert "1 worker, nothing left to do" in done.stdout

        catalog = tmp_path / "catalog.yaml"
        catalog.write_text("services: [")
        done = dora("doctor", **{**environment, "DORA_CATALOG": str(catalog), "DORA_PARTITIONS": "many"})
        lines = {line[9:].split("  ")[0]: line for line in done.stdout.splitlines()}
        assert done.returncode == 1
        assert done.stderr == ""
        assert list(lines) == names
        assert lines["settings"].startswith("failed   settings      DORA_PARTITIONS: ")
        assert lines["catalog"].startswith("failed   catalog")
        assert str(catalog) in lines["catalog"]
        assert "expected 8: set DORA_PARTITIONS=2" in lines["topics"], "as if it was not given"

        right = given(infra, topics, database, tmp_path)
        found = await examined({**right, "kafka": "127.0.0.1:1"}, **urls)
        assert (states(found, "failed"), states(found, "skipped")) == ({"kafka"}, {"topics", "workers"})
        assert "no broker answers at 127.0.0.1:1" in found["kafka"].found

        found = await examined({**right, "postgres": "postgresql://127.0.0.1:1/dora"})
        assert states(found, "failed") == {"postgres"}
        assert "PostgreSQL does not answer at 127.0.0.1:1" in found["postgres"].found
        assert states(found, "ok") >= {"kafka", "topics", "workers"}

        found = await examined({**right, "kafka_security": "SASL_SSL"}, ingress=urls["query"] + "/no")
        assert states(found, "failed") == {"settings", "ingress"}
        assert "DORA_KAFKA_USERNAME" in found["settings"].found
        assert "/no/readyz answers 404" in found["ingress"].found
        assert states(found, "ok") >= {"postgres", "schema", "generation"}

        other = tmp_path / "other.yaml"
        other.write_text("services: {checkout: {team: one, deployments_from: github}}")
        await execute(database, LETTER)
        found = await examined({**right, "catalog": other, "timezone": "UTC"})
        assert states(found, "warning") - {"disk"} == {"generation", "dead letters"}
        assert "made with another catalog than now" in found["generation"].found
        found = await examined({**right, "timezone": "Europe/Berlin"})
        assert "kept in UTC, DORA_TIMEZONE says Europe/Berlin" in found["generation"].found


async def test_nobody_works_and_a_topic_is_missing(
    infra: Infra, topics: Topics, empty_database: str, tmp_path: Path
):
    right = given(infra, topics, empty_database, tmp_path)
    found = await examined(right)
    assert states(found, "failed") == {"schema", "workers"}
    assert str(found["schema"]).endswith("the database is empty; run: dora migrate")
    assert f"no worker is in the group {topics.application(1)}" in found["workers"].found
    admin = AIOKafkaAdminClient(bootstrap_servers=infra.kafka)
    await admin.start()
    try:
        await admin.delete_topics([topics.changelog("day", 1)])
    finally:
        await admin.close()
    found = await examined(right)
    assert str(found["topics"]).endswith(f"missing: {topics.changelog('day', 1)}; run: dora topics")
    assert found["workers"].state == "skipped"


async def test_a_migration_and_rights_are_missing_and_clocks_differ(
    infra: Infra, topics: Topics, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    role = f"w{uuid4().hex[:8]}"
    await execute(
        database, f"CREATE ROLE {role} LOGIN PASSWORD 'one'; GRANT SELECT ON schema_migrations TO {role}"
    )
    parts = urlsplit(database)
    url = urlunsplit(parts._replace(netloc=f"{role}:one@{parts.netloc.rpartition('@')[2]}"))
    monkeypatch.setattr(postgres_health, "CLOCK_APART", -1)
    try:
        found = await examined(given(infra, topics, url, tmp_path, kafka="127.0.0.1:1"))
    finally:
        await execute(database, f"DROP OWNED BY {role}; DROP ROLE {role}")
    assert f"run: dora migrate --worker-role {role}" in found["rights"].advice
    assert found["clock"].state == "warning"
    assert found["dead letters"].state == "failed", "it may not read them"
    await execute(database, "DELETE FROM schema_migrations WHERE number > 10")
    found = await examined(given(infra, topics, database, tmp_path, kafka="127.0.0.1:1"))
    assert "not applied: 0011_times_of_deployments" in found["schema"].found
    assert states(found, "skipped") >= {"rights", "generation", "dead letters"}


def test_a_folder_that_was_never_up_is_told(tmp_path: Path):
    done = dora("doctor", "--data-dir", str(tmp_path))
    assert done.returncode == 2
    assert "was ever ready on" in done.stderr
