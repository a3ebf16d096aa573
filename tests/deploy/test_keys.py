"""`dora keys` as its user runs it, and what of a key is kept."""

import re
from hashlib import sha256

import asyncpg
import pytest

from access.keys import LENGTH, new_key, read_key
from tests.infra.commands import dora
from tests.infra.databases import execute

KEY = re.compile(r"dora_[0-9a-z]{10}_[0-9A-Za-z]{49}")


def test_a_key_reads_back_as_itself():
    for _ in range(200):
        key, text = new_key()
        assert KEY.fullmatch(text)
        assert len(text) == LENGTH
        assert read_key(text) == key
    secret = text.split("_")[2][:43]
    assert key.digest == sha256(secret.encode()).digest()


def test_no_two_keys_are_alike():
    made = [new_key() for _ in range(500)]
    assert len({key.id for key, _ in made}) == len({key.digest for key, _ in made}) == 500


def test_a_letter_that_is_wrong_is_noticed_at_any_place():
    _, text = new_key()
    for place in range(len(text)):
        for letter in "aZ0_-é\n":
            if letter != text[place]:
                assert read_key(text[:place] + letter + text[place + 1 :]) is None


@pytest.mark.parametrize("cut", [0, 5, 15, 60, -1])
def test_a_key_that_was_cut_is_none(cut):
    _, text = new_key()
    assert read_key(text[:cut]) is None
    assert read_key(text + "0") is None
    assert read_key(" " + text) is None


@pytest.mark.parametrize(
    "text", ["", "dora_", "dora__", "dora_" * 20, "x" * 65, "dora_" + "\0" * 60, "é" * 65]
)
def test_what_is_no_key_is_none(text):
    assert read_key(text) is None


@pytest.mark.connected
async def test_a_key_is_shown_once_and_kept_as_a_digest(database):
    done = dora("keys", "create", "grafana", "--expires", "90d", DORA_POSTGRES=database)
    assert done.returncode == 0, done.stderr
    text = done.stdout.strip()
    assert KEY.fullmatch(text)
    assert done.stdout == f"{text}\n"
    assert "sees everything, until" in done.stderr
    key = read_key(text)
    connection = await asyncpg.connect(database)
    try:
        row = await connection.fetchrow("SELECT * FROM api_keys")
    finally:
        await connection.close()
    assert (row["key_id"], row["name"], row["digest"]) == (key.id, "grafana", key.digest)
    assert row["teams"] is None
    assert row["rights"] == ["events", "metrics"]
    assert abs((row["expires_at"] - row["created_at"]).total_seconds() - 90 * 86400) < 60
    assert text.split("_")[2] not in str(dict(row))
    shown = dora("keys", "list", DORA_POSTGRES=database)
    assert text.split("_")[2][:20] not in shown.stdout + shown.stderr


@pytest.mark.connected
async def test_keys_are_listed_with_their_state_and_revoked(database):
    made = dora(
        *("keys", "create", "store [bold]front", "--team", "storefront", "--team", "search"),
        *("--right", "metrics", "--postgres", database),
    )
    assert made.returncode == 0, made.stderr
    text = made.stdout.strip()
    identity = text.split("_")[1]
    old = dora("keys", "create", "old", "--expires", "1h", DORA_POSTGRES=database).stdout.split("_")[1]
    await execute(database, "UPDATE api_keys SET expires_at = now() WHERE name = 'old'")
    listed = dora("keys", "list", DORA_POSTGRES=database).stdout
    (ours,) = [line for line in listed.splitlines() if line.startswith(identity)]
    assert "store [bold]front" in ours
    assert "search, storefront" in ours
    assert " metrics " in ours
    assert ours.split()[-1] == "valid"
    assert next(line for line in listed.splitlines() if line.startswith(old)).split()[-1] == "expired"
    taken = dora("keys", "create", "store [bold]front", DORA_POSTGRES=database)
    assert (taken.returncode, taken.stdout) == (1, "")
    assert "revoke it first, or take another name" in taken.stderr
    # The key itself names it as well as its id, and is not repeated.
    for named in (identity, text):
        done = dora("keys", "revoke", named, DORA_POSTGRES=database)
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"revoked {identity} (store [bold]front)\n"
    assert "revoked" in dora("keys", "list", DORA_POSTGRES=database).stdout
    assert dora("keys", "create", "store [bold]front", DORA_POSTGRES=database).returncode == 0


@pytest.mark.connected
async def test_mistakes_are_told_in_a_line(database, empty_database):
    for arguments, code, told in (
        (["create", "x", "--expires", "soon"], 2, "no duration such as 12h, 90d or 8w"),
        (["create", "x", "--expires", "0d"], 2, "no duration"),
        (["create", "x", "--right", "root"], 2, "'root' is none of metrics, events"),
        (["create", "x\ny"], 2, "control character"),
        (["create", "x", "--team", ""], 2, "control character"),
        (["create"], 2, "Missing argument"),
        (["revoke", "nosuchkey0"], 1, "there is no key 'nosuchkey0': `dora keys list` shows the ids"),
    ):
        done = dora("keys", *arguments, DORA_POSTGRES=database)
        assert done.returncode == code, done.stderr
        assert told in " ".join(done.stderr.replace("│", " ").split()), done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
    done = dora("keys", "list", DORA_POSTGRES=empty_database)
    assert (done.returncode, done.stdout) == (1, "")
    assert "run `dora migrate`" in done.stderr
    done = dora("keys", "list", DORA_POSTGRES=database)
    assert (done.returncode, done.stdout) == (0, "")
    assert "dora keys create NAME" in done.stderr
    done = dora("keys", "list", DORA_POSTGRES="postgresql://u:hunter2@127.0.0.1:1/x")
    assert done.returncode == 1
    assert "does not answer at 127.0.0.1:1" in done.stderr
    assert "hunter2" not in done.stderr
