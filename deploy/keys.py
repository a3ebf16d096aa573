"""API keys of the query process: made, listed, revoked. The secret is never kept."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from access.keys import new_key
from deploy.migrations import connect

INSERT = """
INSERT INTO api_keys (key_id, name, digest, teams, rights, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
RETURNING key_id, name, teams, rights, created_at, expires_at, revoked_at
"""
ALL = """
SELECT key_id, name, teams, rights, created_at, expires_at, revoked_at
  FROM api_keys ORDER BY created_at DESC, key_id
"""
REVOKE = """
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE key_id = $1
RETURNING key_id, name, teams, rights, created_at, expires_at, revoked_at
"""
LONGEST_NAME = 100


class KeysError(Exception):
    """The keys cannot be changed so; the message says what to do."""


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key without its secret. ``teams`` ``None``: it sees everything."""

    key_id: str
    name: str
    teams: Sequence[str] | None
    rights: Sequence[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """``valid``, ``expired`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "valid"


async def create(
    dsn: str, name: str, *, teams: Sequence[str], rights: Sequence[str], expires: timedelta | None
) -> tuple[str, ListedKey]:
    """A new key: its text, which cannot be had again, and what is kept. No ``teams`` is all.

    ``name`` is taken until the key that has it is revoked. Raises ``KeysError``.
    """
    key, text = new_key()
    until = None if expires is None else datetime.now(UTC) + expires
    limits = (sorted(set(teams)) or None, sorted(set(rights)), until)
    async with _table(dsn) as connection:
        try:
            rows = await connection.fetch(INSERT, key.id, name, key.digest, *limits)
        except asyncpg.UniqueViolationError as error:
            told = f"there is a key {name!r} already: revoke it first, or take another name"
            raise KeysError(told) from error
    return text, ListedKey(**rows[0])


async def listed(dsn: str) -> list[ListedKey]:
    """All keys, the newest first."""
    async with _table(dsn) as connection:
        return [ListedKey(**row) for row in await connection.fetch(ALL)]


async def revoke(dsn: str, key_id: str) -> ListedKey:
    """The key, which is over from now on; one that was revoked stays as it was. Raises ``KeysError``."""
    async with _table(dsn) as connection:
        row = await connection.fetchrow(REVOKE, key_id)
    if row is None:
        raise KeysError(f"there is no key {key_id!r}: `dora keys list` shows the ids")
    return ListedKey(**row)


@asynccontextmanager
async def _table(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await connect(dsn)
    try:
        yield connection
    except asyncpg.UndefinedTableError as error:
        raise KeysError("the database has no table of keys yet: run `dora migrate`") from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise KeysError("only the owner of the tables may do this: give its URL as DORA_POSTGRES") from error
    finally:
        await connection.close()
