"""`dora erase` on what a real worker has recorded: names go, numbers stay, nothing comes back."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest

from access.kafka import Cluster
from deploy import erasure
from deploy.actors import Actors
from deploy.erasure import Erased, ErasureError, erase
from deploy.migrations import migrate
from deploy.recompute import Plan, recompute
from deploy.rights import WORKER
from schemas.catalog import Catalog
from schemas.cloudevents.kafka import write_binary
from schemas.topics import Topics
from tests.infra.commands import dora
from tests.infra.databases import execute
from tests.infra.production import Record, count, eventually, fetch, produce
from tests.infra.servers import Infra
from tests.sources.evidence import cases
from tests.streams.produced import cloudevent, deployed
from tests.streams.running import running, worker
from tests.streams.test_recompute import everything, settled

pytestmark = [pytest.mark.connected, pytest.mark.partitions(2), pytest.mark.timeout(120)]
NAMES = ("Codertocat", "cody@example.com")
TABLES = ("cloudevents_raw", "cdevents_raw", "deadletters")


def said() -> list[Record]:
    """What names the person, each in another way, and what does not."""
    (issue,) = [case for case in cases() if str(case) == "github/issues/incident_opened"]
    headers, body = write_binary(next(iter(issue.events())))
    _, plain, attributes = cloudevent("attribute", b"{}")
    return [
        (None, body, list(headers)),
        deployed("triggered", custom={"ci": {"triggered": ["CODERTOCAT"]}}),
        deployed("quiet", at="2026-03-06T10:00:00Z", custom={"ci": {"triggered": ["codertocat2"]}}),
        cloudevent("deep", b'{"a": [{"b": {"x": "Cody <cody@example.com>"}}]}'),
        (None, b"<login>codertocat</login>", [("content-type", b"text/xml"), *cloudevent("xml")[2][:-1]]),
        (None, plain, [*attributes, ("ce_actor", b"codertocat")]),
        cloudevent("other", b'{"url": "https://example.com/codertocat-2"}'),
    ]


NAMED = """
INSERT INTO cloudevents_raw (content, event_timestamp, source, id, type, attributes, digest, received_at,
                             fate, topic, topic_partition, topic_offset)
VALUES ('["cody@example.com"]', now(), 's', 'i', 't', '{}', '', now(), 'ignored', 't', 0, 0)
"""
DEAD: list[Record] = [
    (b"k", b'{"login": "codertocat"', []),
    (None, b"nobody", []),
    (b"cody@example.com", b"x", []),
]


async def named(dsn: str) -> dict[str, int]:
    """How many rows hold a name anywhere; that of the repository and its service is another's."""
    found = {}
    for table in TABLES:
        rows = await fetch(dsn, f"SELECT row AS told FROM (SELECT * FROM {table}) AS row")  # noqa: S608
        texts = [repr(tuple(row["told"])).lower().replace("codertocat/hello-world", "") for row in rows]
        texts = [text.replace("codertocat2", "").replace("codertocat-2", "") for text in texts]
        found[table] = sum("codertocat" in text or "cody@" in text for text in texts)
    return found


async def numbers(dsn: str) -> dict[str, object]:
    """All that follows from what was said."""
    told = await everything(dsn)
    return {
        "incidents": await fetch(dsn, "SELECT * FROM incidents ORDER BY 1, 2"),
        "changes": await fetch(dsn, "SELECT * FROM changes ORDER BY 1, 2"),
        "deployments": told["deployments"],
        "frequency": told["frequency"],
    }


async def test_names_go_and_nothing_that_follows_changes_or_comes_back(
    infra: Infra, topics: Topics, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    one = worker(infra, topics, database, tmp_path / "worker")
    for name, value in one.environment.items():
        monkeypatch.setenv(name, value)
    records = said()
    await produce(infra.kafka, topics["cloudevents"], [*records, *DEAD], topics.partitions)
    async with running(one):
        await settled(database, one, len(records))

        async def buried() -> bool:
            return await count(database, "deadletters") == len(DEAD)

        await eventually(buried, what="the dead letters")
        before = await numbers(database)
        names = [word for name in NAMES for word in ("--actor", name)]
        expected = "5 events, 2 CDEvents and 2 dead letters"
        done = dora("erase", *names, "--dry-run", **one.environment)
        assert (done.returncode, done.stdout) == (0, f"would erase the names in {expected}\n"), done.stderr
        assert "2 were still to be handled, and would be dropped" in done.stderr
        assert await count(database, "cloudevents_raw WHERE content IS NULL") == 0

        # Killed between two rows: what was done stays, and the rest is done by the next run.
        monkeypatch.setattr(erasure, "CHUNK", 1)

        def killed(table: str, done: int, total: int) -> None:
            if (table, done) == ("cloudevents_raw", 3):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await erase(database, Actors(NAMES), killed)
        left = await count(database, "cloudevents_raw WHERE content IS NOT NULL")
        assert 2 < left < len(records)
        seen: list[tuple[str, int, int]] = []
        erased = await erase(database, Actors(NAMES), lambda *step: seen.append(step))
        assert erased == Erased(left - 2, 2, 2, 2)
        assert [step for step in seen if step[1] == step[2]] == [
            ("cloudevents_raw", 7, 7),
            ("cdevents_raw", 4, 4),
            ("deadletters", 3, 3),
        ]
        assert await named(database) == dict.fromkeys(TABLES, 0)
        assert await count(database, "cloudevents_raw WHERE content IS NOT NULL") == 2
        letters = await fetch(database, "SELECT state, because FROM deadletters ORDER BY state")
        assert [tuple(row) for row in letters] == [("dropped", erasure.DROPPED)] * 2 + [("open", None)]
        assert (await erase(database, Actors(NAMES), lambda *_: None)).nothing

        # They come again, one of them with other data: known, counted once, and still without what they said.
        other = deployed("triggered", service="another")
        await produce(infra.kafka, topics["cloudevents"], [*records, other], topics.partitions)

        async def a_conflict() -> bool:
            return await count(database, "deadletters WHERE id = 'triggered'") == 1

        await eventually(a_conflict, what="the conflict")
        await one.settled()
        assert await named(database) == dict.fromkeys(TABLES, 0)
        assert await numbers(database) == before
        plan = Plan(Cluster(infra.kafka), database, topics, (topics["cloudevents"],), None, Catalog.empty())
        assert (await recompute(plan, lambda *_: None)).generation == 2
    assert await named(database) == dict.fromkeys(TABLES, 0)
    assert await numbers(database) == before


async def test_it_refuses_beside_a_recompute_and_as_a_worker(database: str):
    connection = await erasure.connect(database)
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtext('dora.recompute'))")
        with pytest.raises(ErasureError, match="wait for it to end"):
            await erase(database, Actors(NAMES), lambda *_: None)
    finally:
        await connection.close()
    role = f"w{uuid4().hex[:8]}"
    await execute(database, f"CREATE ROLE {role} LOGIN PASSWORD 'one'")
    try:
        await migrate(database, roles={role: WORKER})
        await execute(database, NAMED)
        parts = urlsplit(database)
        url = urlunsplit(parts._replace(netloc=f"{role}:one@{parts.netloc.rpartition('@')[2]}"))
        with pytest.raises(ErasureError, match="only the owner of the tables may erase"):
            await erase(url, Actors(NAMES), lambda *_: None)
    finally:
        await execute(database, f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("name", ["", "  ", "x"])
def test_a_name_that_is_none_is_told(name: str):
    done = dora("erase", "--actor", name, "--postgres", "postgresql://127.0.0.1:1/none")
    assert done.returncode == 2
    assert "is no name: give a login" in done.stderr
