"""Texts that mean something to SQL, in every parameter and place of every address: only ever texts."""

import hashlib
import time
from base64 import urlsafe_b64encode
from collections import Counter

import asyncpg
import orjson
import pytest

from query.app import create_app
from query.observation import ENDLESS
from query.paging import Paging, _digest
from query.settings import Settings
from schemas.catalog import Catalog
from schemas.problems import MEDIA_TYPE

pytestmark = pytest.mark.connected

# What sqlmap and its like try: to end a text, to make a condition true, to join another table, to wait, to
# write, to read files, to break an escape, to be a parameter, to be formatted, to be an identifier.
CORPUS = [
    "'",
    '"',
    "`",
    "\\",
    "\\'",
    "''",
    "';",
    "--",
    "/*",
    "#",
    ";",
    "%",
    "_",
    "$1",
    "$$",
    "$q$",
    ":service",
    "%s",
    "{0}",
    "${7*7}",
    "NULL",
    "null",
    "-1",
    "0x27",
    "' OR '1'='1",
    "' OR 1=1 --",
    '" OR ""="',
    "1 OR 1=1",
    "') OR ('1'='1",
    "') OR TRUE --",
    "' AND 1=(SELECT 1) --",
    "' UNION SELECT NULL, NULL --",
    "' UNION ALL SELECT digest FROM api_keys --",
    "1; DROP TABLE deployments",
    "'; DELETE FROM deployments; --",
    "'; UPDATE generations SET state = 'retired'; --",
    "'; SELECT pg_sleep(5); --",
    "' || pg_sleep(5) || '",
    "1) AND (SELECT 1 FROM pg_sleep(5)) IS NULL --",
    "(SELECT CASE WHEN (1=1) THEN pg_sleep(5) END)",
    "'; COPY deployments TO '/tmp/x'; --",
    "' AND pg_read_file('/etc/passwd') IS NULL --",
    "' AND EXTRACTVALUE(1, CONCAT(0x5c, version())) --",
    "CAST(version() AS integer)",
    'shop\' COLLATE "C"',
    "shop*",
    "{shop,cart}",
    "ARRAY['shop']",
    '{"$ne": null}',
    "service; --",
    "ORDER BY 1",
    "time_created DESC",
    "\u02bc OR 1=1",
    "\uff07 OR 1=1",
    "%27%20OR%201=1",
    "\u202e--",
    "../../etc/passwd",
    "{{7*7}}",
    "<script>alert(1)</script>",
]
PLACES = {"bucket": "day", "deadletter_id": "1"}


async def state(connection) -> str:
    """A digest of everything that the tables hold."""
    names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    told = hashlib.sha256()
    for (name,) in names:
        rows = await connection.fetchval(f"SELECT json_agg(t ORDER BY t::text)::text FROM {name} AS t")  # noqa: S608
        told.update(f"{name} {rows}\n".encode())
    return told.hexdigest()


def addresses() -> list[tuple[str, list[str], list[str]]]:
    """Each address of the description with its parameters of path and query."""
    document = create_app(Settings(postgres="postgresql://127.0.0.1:1/none"), Catalog.empty()).openapi()
    found = []
    for path, item in document["paths"].items():
        if path in ENDLESS:
            continue  # tests/query/test_stream.py listens to it
        parameters = item["get"].get("parameters", [])
        by_place = {
            place: [each["name"] for each in parameters if each["in"] == place] for place in ("path", "query")
        }
        found.append((path, by_place["path"], by_place["query"]))
    return found


async def fill(tables) -> None:
    await tables.deployment("shop", "2026-07-01T08:00:00+00:00", repository="acme/shop", commit="c")
    await tables.keep_frequency()
    await tables.event("e1")
    await tables.cdevent("c0001", "e1")
    await tables.deadletter(reason="absent")


async def test_q1_sql_in_any_parameter_is_only_text(api, tables):
    """Every parameter of every address, with every text: refused by name, or a name that nothing has."""
    await fill(tables)
    before, answered = await state(tables.connection), Counter()
    for path, in_path, in_query in addresses():
        address = path.format(**PLACES)
        whole = {"source": "/cluster", "id": "e1"}
        for name in (*in_query, "sort", "order", "columns", "select"):
            for text in CORPUS:
                parameters = {name: text}
                if name in whole:
                    parameters = whole | parameters
                begun = time.monotonic()
                answer = await api.get(address, params=parameters)
                assert time.monotonic() - begun < 4, (address, name, text)
                assert answer.status_code in {200, 404, 422}, (address, name, text, answer.text)
                answered[answer.status_code] += 1
                if answer.status_code == 200 and name in in_query:
                    assert nothing_found(answer.json()), (address, name, text, answer.text)
                elif answer.status_code == 422:
                    assert name in {error["parameter"] for error in answer.json()["errors"]}
        for name in in_path:
            for text in CORPUS:
                quoted = "".join(f"%{byte:02x}" for byte in text.encode())
                answer = await api.get(path.format(**PLACES | {name: quoted}))
                assert answer.status_code in {404, 422}, (path, text, answer.text)
                assert answer.headers["content-type"] == MEDIA_TYPE
    assert await state(tables.connection) == before
    assert min(answered[status] for status in (200, 404, 422)) > 50


def nothing_found(told) -> bool:
    """Whether an answer holds no row: our only service is called shop, and no text of the corpus is."""
    if isinstance(told, list):
        return told == []
    # What the score lists are metrics, which are there without a sample too.
    rows = [each for each in told.get("items", ()) if each.get("sample_count", 1)]
    return not rows and not told.get("sample_count")


async def test_q1_sql_in_a_cursor_that_is_well_formed_is_only_text(api, tables):
    """Whoever reads the source can make a cursor of any content; its values are values."""
    await fill(tables)
    before = await state(tables.connection)
    for path, kinds in (
        ("/v1/services", 1),
        ("/v1/deployments", 2),
        ("/v1/changes", 3),
        ("/v1/incidents", 3),
        ("/v1/events", 1),
        ("/v1/deadletters", 1),
    ):
        for text in CORPUS:
            for first in (text, "2026-07-01T08:00:00Z"):
                payload = orjson.dumps([first, *[text] * (kinds - 1)])
                digest = _digest(payload, Paging(path, {}, 100)._question())
                cursor = urlsafe_b64encode(digest + payload).rstrip(b"=").decode()
                answer = await api.get(path, params={"cursor": cursor})
                assert answer.status_code in {200, 422}, (path, text, answer.text)
    assert await state(tables.connection) == before


async def test_q1_sql_in_a_key_is_only_text(database, tables):
    """The one statement that is asked before anybody is known."""
    from query.database import Database

    reader = Database(database, 1)
    await reader.open()
    before = await state(tables.connection)
    for text in CORPUS:
        assert await reader.lookup("authenticate_key", text, text.encode()) is None
    await reader.close()
    assert await state(tables.connection) == before
    with pytest.raises(asyncpg.UndefinedTableError):
        await tables.connection.execute("SELECT * FROM sqlmapoutput")
