"""Dead letters as a product: looked at, redriven, dropped; each effect once, whatever is asked how often."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from deploy import deadletters as orders
from deploy.deadletters import Wanted
from tests.deadletters.plant import Plant
from tests.infra.production import eventually
from tests.streams.produced import cloudevent, deployed

pytestmark = pytest.mark.connected

BROKEN = "ZeroDivisionError in stage transform"


async def test_r7_a_redrive_makes_of_an_event_what_it_would_have_been(plant: Plant):
    key, body, headers = deployed("bug-1", key=b"k", artifact="pkg:oci/c@redriven")
    secret = ("Authorization", b"Bearer s3cret")
    plant.broken.touch()
    headers = [*headers, ("traceparent", b"x"), ("null", None)]
    await plant.send((key, body, [*headers, secret]), deployed("good-1"))
    letter = await plant.letter("bug-1")
    assert await plant.fate("bug-1") == ("dead", BROKEN)
    assert (letter["stage"], letter["reason"], letter["attempts"]) == ("transform", BROKEN, 1)
    assert (letter["state"], letter["key"], letter["value"]) == ("open", b"k", body)
    assert letter["origin_topic"] == plant.topics["cloudevents"]
    told = {name: value and base64.b64decode(value) for name, value in json.loads(letter["headers"])}
    assert dict(headers) | {"Authorization": b"withheld"} == told

    # It still fails: the same dead letter, with one more attempt.
    done = await plant.order("redrive", str(letter["deadletter_id"]))
    assert done.returncode == 1, done.stderr
    assert f"{letter['deadletter_id']} failed again, 2 attempts: {BROKEN}" in done.stdout
    again = await plant.letter("bug-1")
    assert (again["state"], again["attempts"], again["failed_at"]) == ("open", 2, letter["failed_at"])
    assert again["last_failed_at"] > letter["last_failed_at"]
    assert (again["origin_partition"], again["origin_offset"]) == (
        letter["origin_partition"],
        letter["origin_offset"],
    )
    assert await plant.fate("bug-1") == ("dead", BROKEN)

    plant.broken.unlink()
    done = await plant.order("deadletters", "redrive", str(letter["deadletter_id"]))
    assert (done.returncode, done.stdout) == (0, f"{letter['deadletter_id']} is redriven\n"), done.stderr
    assert await plant.fate("bug-1") == ("mapped", None)
    await plant.settled()
    row = (await plant.rows("SELECT * FROM cloudevents_raw WHERE id = 'bug-1'"))[0]
    assert (row["topic_partition"], row["topic_offset"], row["received_at"]) == (
        letter["origin_partition"],
        letter["origin_offset"],
        letter["arrived_at"],
    )
    assert await plant.value("SELECT count(*) FROM cdevents_raw WHERE cause_id = 'bug-1'") == 1
    assert await plant.value("SELECT count(*) FROM deployments WHERE artifact = 'pkg:oci/c@redriven'") == 1
    assert (await plant.letter("bug-1"))["settled_at"] is not None

    # And once more: nothing is left to be done.
    done = await plant.order("redrive", str(letter["deadletter_id"]))
    assert (done.returncode, done.stdout) == (0, f"{letter['deadletter_id']} is redriven already\n")


async def test_a_redrive_that_is_asked_for_many_times_at_once_has_one_effect(plant: Plant):
    plant.broken.touch()
    await plant.send(deployed("bug-many", service="many"))
    letter = dict(await plant.letter("bug-many"))
    plant.broken.unlink()
    order = orders.redrive_order(letter)
    await asyncio.gather(*(orders.give([order] * 5, plant.ingress.url) for _ in range(4)))
    await plant.letter("bug-many", lambda row: row["state"] == "redriven")
    await plant.settled()
    assert await plant.fate("bug-many") == ("mapped", None)
    assert (await plant.letter("bug-many"))["attempts"] == 1
    assert await plant.value("SELECT count(*) FROM deployments WHERE service = 'many'") == 1
    counted = "SELECT deployments FROM deployment_frequency WHERE service = 'many' AND bucket = 'day'"
    assert await plant.value(counted) == 1
    # The orders are in the log, as one event.
    asked = "SELECT fate, reason FROM cloudevents_raw WHERE subject = $1"
    ((fate, reason),) = await plant.rows(asked, letter["identity"].hex())
    assert (fate, reason.partition(" dead letter")[0]) == ("ignored", "an order to redrive")
    # An order that knows of fewer failures than there were is out of date.
    assert orders.redrive_order({**letter, "attempts": 2}).body != order.body


async def test_by_reason_and_all_at_once(plant: Plant):
    plant.broken.touch()
    await plant.send(*(deployed(f"bug-all-{n}") for n in range(12)))
    for n in range(12):
        await plant.letter(f"bug-all-{n}")
    plant.broken.unlink()
    would = await plant.order("redrive", "--reason", "zerodivision", "--dry-run")
    assert would.returncode == 0
    assert len([line for line in would.stdout.splitlines() if "bug-all-" in line]) == 12
    assert (await plant.letter("bug-all-0"))["state"] == "open"
    assert "cannot succeed" not in would.stderr
    done = await plant.order("redrive", "--reason", "zerodivision")
    assert done.returncode == 0, done.stdout + done.stderr
    states = await plant.rows("SELECT DISTINCT state FROM deadletters WHERE id LIKE 'bug-all-%'")
    assert [row["state"] for row in states] == ["redriven"]
    assert {await plant.fate(f"bug-all-{n}") for n in range(12)} == {("mapped", None)}


async def test_a_conflict_cannot_succeed_and_is_told_so(plant: Plant):
    await plant.send(cloudevent("taken", b'{"n":1}', key=b"k"), cloudevent("taken", b'{"n":2}', key=b"k"))
    letter = await plant.letter("taken")
    before = await plant.fate("taken")
    number = str(letter["deadletter_id"])
    done = await plant.order("redrive", number)
    assert done.returncode == 1
    assert f"{number} cannot succeed: its source and id belong to another event" in done.stderr
    # Neither for one who does not ask the command.
    await orders.give([orders.redrive_order(dict(letter))], plant.ingress.url)
    await plant.settled()
    assert (await plant.letter("taken"))["state"] == "open"
    assert await plant.fate("taken") == before

    done = await plant.order("deadletters", "drop", number, "--because", "a test of\tthe producer")
    assert (done.returncode, done.stdout) == (0, f"{number} is dropped\n"), done.stderr
    dropped = await plant.letter("taken")
    assert (dropped["state"], dropped["because"]) == ("dropped", "a test of the producer")
    assert (await plant.order("deadletters", "drop", number, "--because", "x")).stdout == (
        f"{number} is dropped already\n"
    )
    assert (await plant.order("redrive", number)).stdout == f"{number} is dropped already\n"
    assert await plant.fate("taken") == before


async def test_nobody_can_close_a_dead_letter_by_pretending_to_be_a_redrive(plant: Plant):
    """Marks count on a topic that workers alone write; where anybody writes, they are nothing.

    The event itself came again, and was handled this time: so its row says.
    """
    plant.broken.touch()
    await plant.send(deployed("bug-forged", service="forged"))
    letter = await plant.letter("bug-forged")
    plant.broken.unlink()
    identity = letter["identity"].hex()
    key, body, headers = deployed("bug-forged", service="forged")
    other = deployed("bug-forged-other", service="forged")
    for mark in (f"{identity} 1 transform", f"{identity} 9 transform", f"{'0' * 64} 1 transform", "x"):
        marked = ("dora-redrive", mark.encode())
        await plant.send((other[0], other[1], [*other[2], marked]))
        await plant.send((key, body, [*headers, ("x-more", b"1"), marked]))
    await plant.settled()
    unchanged = await plant.letter("bug-forged")
    assert dict(unchanged) == dict(letter)
    assert await plant.fate("bug-forged") == ("mapped", None)
    # What came with the mark is the event that it is.
    assert await plant.fate("bug-forged-other") == ("mapped", None)
    done = await plant.order("redrive", str(letter["deadletter_id"]))
    assert done.returncode == 0, done.stdout


async def test_a_record_without_identity_stays_what_it_is(plant: Plant):
    await plant.send((b"k", b"\xff\xfe no event", [("x", b"1")]))
    query = "SELECT * FROM deadletters WHERE value = $1"

    async def buried() -> bool:
        return bool(await plant.rows(query, b"\xff\xfe no event"))

    await eventually(buried, what="a dead letter")
    (letter,) = await plant.rows(query, b"\xff\xfe no event")
    assert (letter["stage"], letter["source"]) == ("read", None)
    number = str(letter["deadletter_id"])
    done = await plant.order("redrive", number)
    assert (done.returncode, "failed again, 2 attempts" in done.stdout) == (1, True), done.stdout
    assert len(await plant.rows(query, b"\xff\xfe no event")) == 1

    shown = await plant.order("deadletters", "show", number)
    assert "(11 bytes; --bytes writes them)" in shown.stdout
    assert "header x: 1" in shown.stdout
    told = json.loads((await plant.order("deadletters", "show", number, "--json")).stdout)
    assert base64.b64decode(told["value_base64"]) == b"\xff\xfe no event"
    assert "value_text" not in told
    api = await plant.told(f"/v1/deadletters/{number}")
    assert (api["attempts"], api["value_text"]) == (2, None)
    assert base64.b64decode(api["value_base64"]) == b"\xff\xfe no event"


async def test_the_list_is_filtered_and_what_is_not_there_is_told(plant: Plant):
    await plant.send((None, b"listed", []))
    query = "SELECT deadletter_id FROM deadletters WHERE value = 'listed'"

    async def buried() -> bool:
        return bool(await plant.rows(query))

    await eventually(buried, what="a dead letter")
    number = await plant.value(query)
    now = datetime.now(UTC)
    for wanted, found in (
        (Wanted(stage="read"), True),
        (Wanted(reason="NOT A CLOUDEVENT", since=now - timedelta(hours=1)), True),
        (Wanted(stage="observe"), False),
        (Wanted(since=now + timedelta(hours=1)), False),
        (Wanted(state="dropped"), False),
        (Wanted(state=None, limit=1), True),
    ):
        rows = await orders.find(plant.dsn, wanted)
        assert (number in [row["deadletter_id"] for row in rows]) is found, wanted
    done = await plant.order(
        "deadletters", "list", "--state", "all", "--limit", "2", "--since", "1h", "--json"
    )
    told = json.loads(done.stdout)
    assert [len(told), told[0]["deadletter_id"]] == [2, number]
    line, *_ = (await plant.order("deadletters", "list")).stdout.splitlines()
    assert line.split()[:4] == [str(number), "open", "read", "1x"]
    api = await plant.told("/v1/deadletters?stage=read&reason=not+a+CloudEvent&state=open&limit=1")
    assert api["items"][0]["deadletter_id"] == number
    done = await plant.order("redrive", "999999")
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no dead letter 999999" in done.stderr
    assert "Traceback" not in done.stderr
