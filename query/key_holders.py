"""Holders of API keys: who they are, says PostgreSQL, and a short memory."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from time import monotonic

import structlog

from access.keys import Key, looks_like_key, read_key
from query.authentication import NotAuthenticated
from query.callers import Caller
from query.database import Database

log = structlog.get_logger("query")

MEMORY = 5.0  # seconds that a key is taken for valid without asking again; a revoked one counts no longer
REMEMBERED = 1024
# Of the pool's connections: made-up keys must not keep those who have asked for something from an answer.
LOOKUPS = 2


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    expires_at: datetime | None
    until: float


class KeyHolders:
    """The method of API keys. ``now`` is the clock of the keys' ends."""

    def __init__(
        self, database: Database, now: Callable[[], datetime], *, elapsed: Callable[[], float] = monotonic
    ) -> None:
        self._database = database
        self._now, self._elapsed = now, elapsed
        self._known: OrderedDict[Key, _Known] = OrderedDict()
        self._used: dict[str, date] = {}
        self._lookups = asyncio.Semaphore(LOOKUPS)

    def accepts(self, credential: str) -> bool:
        """Whether ``credential`` means to be a key."""
        return looks_like_key(credential)

    async def caller(self, credential: str) -> Caller:
        """Who has the key. Raises ``NotAuthenticated`` and ``Unavailable``."""
        key = read_key(credential)
        if key is None:
            raise NotAuthenticated("malformed")
        known = self._known.get(key)
        if known is None or self._elapsed() >= known.until:
            known = await self._look_up(key)
        if known.expires_at is not None and known.expires_at <= self._now():
            raise NotAuthenticated("key")
        return known.caller

    async def _look_up(self, key: Key) -> _Known:
        async with self._lookups:
            row = await self._database.lookup("authenticate_key", key.id, key.digest)
        self._known.pop(key, None)
        if row is None:
            log.info("key.refused", key=key.id)
            raise NotAuthenticated("key")
        self._tell_use(key.id, row["name"])
        teams = None if row["teams"] is None else frozenset(row["teams"])
        caller = Caller(teams, frozenset(row["rights"]))
        known = _Known(caller, row["expires_at"], self._elapsed() + MEMORY)
        self._known[key] = known
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return known

    def _tell_use(self, key_id: str, name: str) -> None:
        """Once a day: this process cannot write into the table of keys, so its log tells of their use."""
        today = self._now().date()
        if self._used.get(key_id) != today:
            self._used[key_id] = today
            log.info("key.used", key=key_id, name=name)
