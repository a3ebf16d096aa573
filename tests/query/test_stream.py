"""``/v1/stream``: what is recorded is told once, in the order of recording, and never left out."""

import asyncio
import json
import math
import random
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from deploy.keys import create
from query import lanes
from query.app import create_app
from query.positions import read_position
from query.recordings import Wish
from query.settings import Settings
from schemas.catalog import Catalog
from streams.sinks.database import statement
from tests.infra.production import eventually
from tests.query.client import client_of
from tests.query.listening import Message, connected, listening, parse
from tests.query.process import running

pytestmark = pytest.mark.connected

ROWS = """
INSERT INTO cloudevents_raw (event_timestamp, source, id, type, attributes, digest, received_at, fate, reason,
                             topic, topic_partition, topic_offset)
SELECT now(), '/' || $1, $1 || number, 'a.type', '{}', '', now(), 'ignored', $3, 'cloudevents', 0, number
  FROM generate_series(1, $2::integer) AS number
"""


@pytest.fixture
async def app(database) -> AsyncIterator[FastAPI]:
    app = create_app(Settings(postgres=database), Catalog.empty())
    async with app.router.lifespan_context(app):
        yield app


def outputs(*identities: str) -> dict:
    found = [{"source": "/cluster", "id": each, "type": "dev.cdevents.x"} for each in identities]
    return {"outputs": json.dumps(found)}


def told_of(service: str) -> dict:
    return {"customData": {"dora": {"service": service}}}


async def test_an_event_with_what_it_became_or_why_not(app, tables):
    await tables.event("before")
    async with listening(app, "/v1/stream") as stream:
        await stream.next("position")
        await tables.event("e1", **outputs("c1"), rule="kubernetes")
        await tables.event("e2", fate="unmapped", reason="no field 'x'")
        first, second = await stream.next(), await stream.next()
    assert (first.data["id"], first.data["fate"], first.data["rule"]) == ("e1", "mapped", "kubernetes")
    assert first.data["url"] == "/v1/events?source=%2Fcluster&id=e1"
    url = "/v1/events?source=%2Fcluster&id=c1"
    assert first.data["cdevents"] == [
        {"source": "/cluster", "id": "c1", "type": "dev.cdevents.x", "url": url}
    ]
    assert (second.data["id"], second.data["reason"]) == ("e2", "no field 'x'")
    assert second.data["cdevents"] == []


async def test_it_begins_as_far_back_as_it_is_asked_to(app, tables):
    for number in range(5):
        await tables.event(f"e{number}")
    async with listening(app, "/v1/stream?recent=3") as stream:
        assert await stream.ids(3) == ["e2", "e3", "e4"]
    async with listening(app, "/v1/stream?recent=500") as stream:
        assert await stream.ids(5) == ["e0", "e1", "e2", "e3", "e4"]


async def test_it_goes_on_behind_what_was_told_last(app, tables):
    async with listening(app, "/v1/stream") as stream:
        await tables.event("e1")
        first = await stream.next()
    await tables.event("e2")
    for path, headers in (("?after=" + first.id, {}), ("?after=0-0-1", {"Last_Event_ID": first.id})):
        async with listening(app, "/v1/stream" + path, **headers) as stream:
            assert await stream.ids(1) == ["e2"]


async def test_a_row_that_commits_late_comes_before_the_listener_passes_it(app, tables, database):
    late = await asyncpg.connect(database)
    transaction = late.transaction()
    async with listening(app, "/v1/stream") as stream:
        await stream.next("position")
        await transaction.start()
        await late.execute(ROWS, "late", 1, None)
        await tables.event("e1")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await stream.next()
        await transaction.commit()
        assert await stream.ids(2) == ["late1", "e1"]
    await late.close()


async def test_an_event_that_is_redriven_is_told_again(app, tables):
    row = await tables.event("e1", fate="dead", reason="a fault of ours")
    async with listening(app, "/v1/stream?recent=1") as stream:
        assert (await stream.next()).data["fate"] == "dead"
        moved = [[each] for each in ("/cluster", "e1", row["digest"], "ignored", "tested", "github", "[]")]
        await tables.connection.execute(statement("move_fates"), *moved)
        told = (await stream.next()).data
    assert (told["id"], told["fate"], told["reason"], told["rule"]) == ("e1", "ignored", "tested", "github")


async def test_another_generation_is_told_of_now_and_afterwards(app, tables):
    connection = tables.connection
    async with listening(app, "/v1/stream") as stream:
        position = (await stream.next("position")).id
        number = await connection.fetchval("SELECT begin_generation('UTC', '')")
        await connection.execute("SELECT activate_generation($1)", number)
        assert (await stream.next("recomputed")).data == {"generation": number}
    async with listening(app, f"/v1/stream?after={position}") as stream:
        assert (await stream.next("recomputed")).data == {"generation": number}


async def test_a_position_of_another_database_is_a_gap_and_says_so(app, tables):
    async with listening(app, "/v1/stream?after=999999999999-1-1") as stream:
        assert "restored" in (await stream.next("gap")).data["detail"]
        await tables.event("e1")
        assert await stream.ids(1) == ["e1"]


@pytest.mark.parametrize(
    ("asked", "header", "named"),
    [
        ("after=yesterday", None, "after"),
        ("", "1-2", "Last-Event-ID"),
        ("recent=501", None, "recent"),
        ("kind=x", None, "kind"),
    ],
)
async def test_what_cannot_be_followed_is_refused_by_name(app, asked, header, named):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://query") as client:
        headers = {} if header is None else {"Last-Event-ID": header}
        answer = await client.get(f"/v1/stream?{asked}", headers=headers)
    assert answer.status_code == 422
    assert [each["parameter"] for each in answer.json()["errors"]] == [named]


@pytest.mark.parametrize(
    ("asked", "heard"),
    [
        ("source=/cluster", ["e1", "e2", "e4"]),
        ("type=other", ["e2", "e3"]),
        ("fate=ignored", ["e3"]),
        ("service=shop", ["e1"]),
        ("service=pay", ["e4"]),
    ],
)
async def test_filters(app, tables, asked, heard):
    await tables.event("e1", **outputs("c1"))
    await tables.cdevent("c1", "e1", told_of("shop"))
    await tables.event("e2", type="other")
    await tables.event("e3", type="other", source="/elsewhere", fate="ignored")
    await tables.event("e4", **outputs("c4"))
    await tables.cdevent("c4", "e4", told_of("pay"))
    async with listening(app, f"/v1/stream?recent=10&{asked}") as stream:
        assert await stream.ids(len(heard)) == heard
        await tables.event("e9", type="other", fate="ignored", **outputs("c9"))
        await tables.cdevent("c9", "e9", told_of(asked.removeprefix("service=")))
        assert await stream.ids(1) == ["e9"]


async def test_a_team_hears_of_its_own_as_soon_as_it_is_known_whose_it_is(database, tables):
    catalog = Catalog.parse("services: {shop: {team: storefront}, pay: {team: payments}}")
    key, _ = await create(database, "ours", teams=["storefront"], rights=["events"], expires=None)
    app = create_app(Settings(postgres=database, query_auth="keys"), catalog)
    async with app.router.lifespan_context(app):
        async with listening(app, "/v1/stream", authorization=f"Bearer {key}") as stream:
            await stream.next("position")
            await tables.event("nobodys", fate="unmapped", reason="their secret")
            await tables.event("theirs", **outputs("c2"))
            await tables.cdevent("c2", "theirs", told_of("pay"))
            await tables.event("half", **outputs("c3", "c4"))
            await tables.cdevent("c3", "half", told_of("shop"))
            await tables.event("ours", **outputs("c1"))
            await tables.cdevent("c1", "ours", told_of("shop"))
            await asyncio.sleep(0.6)  # two looks: as long as it is not known whose half is, nothing passes it
            await tables.cdevent("c4", "half", told_of("pay"))
            first = await stream.next()
        assert (first.data["id"], first.data["services"]) == ("ours", ["shop"])
        async with client_of(app) as client:
            client.headers["Authorization"] = f"Bearer {key}"
            listed = (await client.get("/v1/events")).json()["items"]
    assert [each["id"] for each in listed] == ["ours"]


async def test_what_is_never_recorded_holds_up_nobody_for_ever(app, tables, monkeypatch):
    monkeypatch.setattr(lanes, "UNRECORDED", 1.0)
    async with listening(app, "/v1/stream?service=shop") as stream:
        await stream.next("position")
        await tables.event("lost", **outputs("dead letter of stage record"))
        await tables.event("e1", **outputs("c1"))
        await tables.cdevent("c1", "e1", told_of("shop"))
        assert await stream.ids(1) == ["e1"]


async def test_who_has_to_prove_themselves_does_it_again_and_again(app):
    follower = app.state.follower
    begin, first = await follower.begin(None, 0)
    async with asyncio.timeout(5):
        told = [each async for each in follower.follow(Wish(), begin, first, 0.5)]
    assert b"event: position" in told[-1]


async def test_an_event_that_names_markup_is_one_line_of_data(app, tables):
    hostile = "</script>\n\nevent: x\ndata: <img src=x onerror=alert(1)>\r\u2028\u202e🙂" + "a" * 10_000
    await tables.event("e1", subject=hostile, reason=hostile)
    async with listening(app, "/v1/stream?recent=1") as stream:
        told = (await stream.next()).data
    assert (told["subject"], told["reason"]) == (hostile, hostile)


@pytest.mark.parametrize("name", ["source", "type", "service"])
@pytest.mark.parametrize("text", ["' OR 1=1 --", "%", "$1", "\u202e<script>"])
async def test_sql_in_a_filter_is_only_text(app, tables, name, text):
    await tables.event("e1")
    async with listening(app, f"/v1/stream?recent=1&{name}={quote(text)}") as stream:
        assert (await stream.message()).kind == "position"


async def write(database: str, name: str, seed: int) -> dict[str, float]:
    """Transactions that stay open for a while after they have got their numbers; some are given up.

    Returns when the rows of the others were committed.
    """
    chance = random.Random(seed)
    connection = await asyncpg.connect(database)
    committed: dict[str, float] = {}
    for number in range(12):
        rows, batch = chance.randint(1, 40), f"{name}.{number}."
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(ROWS, batch, rows, None)
        await asyncio.sleep(chance.random() * 0.6)
        if chance.random() < 0.1:
            await transaction.rollback()
        else:
            await transaction.commit()
            committed |= {f"{batch}{each}": time.monotonic() for each in range(1, rows + 1)}
    await connection.close()
    return committed


async def follow_over_broken_connections(url: str, heard: list, done: asyncio.Event) -> int:
    """Listen, break off after a few messages, and go on behind the last; how often."""
    chance, last, connections = random.Random(1), None, 0
    while not done.is_set():
        connections += 1
        async with connected(url, **({"Last_Event_ID": last} if last else {})) as stream:
            for _ in range(chance.randint(1, 150)):
                try:
                    async with asyncio.timeout(0.5):
                        message = await stream.message()
                except TimeoutError:
                    break
                if message is None:
                    break
                last = message.id or last
                if message.kind == "cloudevent":
                    heard.append((read_position(message.id), message.data["id"]))
    return connections


async def test_no_gap_and_nothing_twice_over_broken_connections_and_late_commits(database, tmp_path):
    async with running(tmp_path, DORA_POSTGRES=database) as query:
        heard: list = []
        done = asyncio.Event()
        listener = asyncio.create_task(
            follow_over_broken_connections(f"{query.url}/v1/stream?recent=500", heard, done)
        )
        committed = await asyncio.gather(*(write(database, f"w{seed}", seed) for seed in range(8)))
        expected = {name: at for some in committed for name, at in some.items()}

        async def all_heard() -> bool:
            return len(heard) >= len(expected)

        try:
            await eventually(all_heard, 20, "everything is heard")
        finally:
            done.set()
            connections = await listener
    assert sorted(name for _, name in heard) == sorted(expected)
    places = [position.place for position, _ in heard]
    assert places == sorted(places)
    # What a reader by row number would have left out: rows that came after rows with higher numbers.
    by_number = sorted(heard, key=lambda told: told[0].event_id, reverse=True)
    late, earliest = 0, math.inf
    for _, name in by_number:
        late += expected[name] > earliest
        earliest = min(earliest, expected[name])
    print(f"{len(heard)} events over {connections} connections, {late} committed late")
    assert connections > 5
    assert late > 50


async def test_who_reads_too_slowly_is_told_cut_off_and_misses_nothing(database, tables, tmp_path: Path):
    sent = 14_000
    async with running(tmp_path, DORA_POSTGRES=database) as query:
        with slow_listener(query.url) as slow:
            await eventually(partial(is_measured, query.url, "dora_query_listeners", 1), 10, "it is counted")
            for number in range(4):
                await tables.connection.execute(ROWS, f"many{number}.", sent // 4, "long " * 300)
            await asyncio.sleep(4)  # longer than all is read and its queue is full
            heard = await asyncio.to_thread(read_all, slow)
        assert heard[-1].kind == "slow"
        seen = [each for each in heard if each.kind == "cloudevent"]
        assert 0 < len(seen) < sent
        async with connected(f"{query.url}/v1/stream", Last_Event_ID=seen[-1].id) as stream:
            rest = await stream.ids(sent - len(seen))
        assert len({each.data["id"] for each in seen} | set(rest)) == sent
        await eventually(partial(is_measured, query.url, "dora_query_listeners_cut_total", 1), 10, "the cut")


async def test_a_process_that_is_told_to_end_does_not_wait_for_its_listeners(database, tmp_path: Path):
    async with running(tmp_path, DORA_POSTGRES=database) as query:
        async with connected(f"{query.url}/v1/stream") as stream:
            await stream.next("position")
            query.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(5):
                while await stream.message() is not None:
                    pass
        assert await query.ended() == 0, query.log.read_text()


@contextmanager
def slow_listener(url: str) -> Iterator[socket.socket]:
    """A connection that has asked for the stream, with little room for what comes."""
    where = urlsplit(url)
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        slow.settimeout(15)
        slow.connect((where.hostname, where.port))
        slow.send(b"GET /v1/stream HTTP/1.1\r\nHost: query\r\nConnection: close\r\n\r\n")
        yield slow


def read_all(connection: socket.socket) -> list[Message]:
    """Everything until the end of the connection."""
    data = b"".join(iter(partial(connection.recv, 1_000_000), b""))
    body = b"".join(unchunked(data.partition(b"\r\n\r\n")[2]))
    found = [parse(block) for block in body.decode().split("\n\n")]
    return [each for each in found if each is not None]


def unchunked(body: bytes) -> Iterator[bytes]:
    while body:
        size, _, rest = body.partition(b"\r\n")
        yield rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]


async def is_measured(url: str, name: str, value: float) -> bool:
    async with httpx.AsyncClient() as client:
        lines = (await client.get(f"{url}/metrics")).text.splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1]) == value
