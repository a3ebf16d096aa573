"""`dora deadletters` and `dora redrive`: mistakes of usage, and what is printed of hostile bytes."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from deploy import deadletters as work
from deploy.cli import application
from deploy.deadletter_text import document, line, page

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
SERVERS = {"DORA_POSTGRES": "postgresql://127.0.0.1:1/none", "DORA_INGRESS_URL": "http://127.0.0.1:1"}


def row(**fields: Any) -> dict[str, Any]:
    known = dict.fromkeys(work.COLUMNS.split(", ")) | {
        "deadletter_id": 7,
        "state": "open",
        "stage": "transform",
        "reason": "ZeroDivisionError in stage transform",
        "attempts": 1,
        "origin_topic": "cloudevents",
        "origin_partition": 0,
        "origin_offset": 41,
        "arrived_at": NOW,
        "failed_at": NOW,
        "last_failed_at": NOW,
        "identity": b"i" * 32,
        "key": None,
        "value": b"{}",
        "headers": "[]",
    }
    return known | fields


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        (["redrive"], "say which"),
        (["redrive", "1", "--all"], "say which"),
        (["redrive", "--all", "--reason", "x"], "say which"),
        (["deadletters", "redrive", "0"], "greater than or equal to 1"),
        (["deadletters", "list", "--since", "yesterday"], "write 30m, 12h, 7d"),
        (["deadletters", "list", "--state", "closed"], "--state"),
        (["deadletters", "drop", "1"], "--because"),
        (["deadletters", "drop", "1", "--because", " "], "say why"),
        (["deadletters", "drop", "--because", "x"], "ID"),
    ],
)
def test_a_mistake_of_usage_is_told(said, advice):
    done = CliRunner().invoke(application(said[0]), said, env=SERVERS)
    assert done.exit_code == 2
    assert advice in done.output


async def test_without_a_database_it_says_so():
    with pytest.raises(work.DeadLetterError, match=r"PostgreSQL does not answer .* is DORA_POSTGRES right"):
        await work.find(SERVERS["DORA_POSTGRES"], work.Wanted())


def test_the_same_order_is_the_same_event_and_one_after_another_failure_is_not():
    def identity(message: Any) -> str:
        return str(orjson.loads(message.body)["id"])

    assert identity(work.redrive_order(row())) == identity(work.redrive_order(row(deadletter_id=8)))
    assert identity(work.redrive_order(row())) != identity(work.redrive_order(row(attempts=2)))
    assert identity(work.redrive_order(row())) != identity(work.redrive_order(row(identity=b"j" * 32)))
    assert identity(work.drop_order(row(), "x")) != identity(work.drop_order(row(), "y"))


@pytest.mark.parametrize(
    ("since", "hour"), [("30m", 11.5), ("12h", 0), ("1d", -12), ("2026-03-05T10:00:00Z", 10)]
)
def test_since_is_an_age_or_a_time(since, hour):
    assert (work.instant_of(since, NOW) - NOW.replace(hour=0)).total_seconds() == hour * 3600


def test_bytes_cannot_command_the_terminal():
    hostile = row(reason="\x1b[2J", id="\x07\n7 open", source="\x1b]0;x", key=b"\x1b[1m", value=b"\x1b[31m!")
    for text in (line(hostile), *page(hostile).split("\n")):
        assert text.isprintable(), text
    assert line(hostile).count("\n") == 0


def test_a_document_has_bytes_as_base64_and_as_text_where_they_are_that():
    told = document(row(key=b"k", value=b"\xff", headers='[["a", null]]'))
    assert (told["key_text"], told["value_base64"], told["headers"]) == ("k", "/w==", [["a", None]])
    assert "value_text" not in told
    assert orjson.loads(orjson.dumps(told))["identity"] == "69" * 32
