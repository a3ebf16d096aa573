"""Follows what the workers record, once for all who listen: the live stream's one reader of PostgreSQL.

It reads in the order of (``recorded_in``, ``event_id``), and only as far as no transaction that is still
under way can come between (0010_stream.sql): a row that commits late comes late, and never too late. So the
position of the last message is all that a listener needs to go on without a gap, here or at another process.
"""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import structlog

from query.database import Database, Reading, Row
from query.lanes import Lane, Readiness
from query.listeners import Listener
from query.observation import Measures
from query.positions import LAST_ROW, Position
from query.problems import Unavailable
from query.recordings import Wish, message

log = structlog.get_logger("query")

POLL = 0.25  # seconds between two looks
PATIENCE = 1.0  # seconds between two looks while PostgreSQL is away
MOST_LISTENERS = 100  # of one process
KEEP_ALIVE = 10.0  # seconds without a message after which one says that there is none
HELD = 10.0  # seconds that something recorded waits for an older transaction before that is said
CATCHING_UP = 2  # listeners that read for themselves at once: answers need the connections, too

FULL = "This process has as many listeners as it takes; try again later."
AWAY = "PostgreSQL cannot be asked now; what is recorded meanwhile is told afterwards."
HOLDING = (
    "A transaction in PostgreSQL has been open since before the newest events; they are told when it ends. "
    "pg_stat_activity shows it."
)
UNKNOWN = "The position is none of this database, which may have been restored; this begins with what is new."
SLOW = "This listener reads more slowly than events arrive. Connect again; nothing is left out."


class Follower:
    """The reader and its listeners. It reads while there is somebody who listens, and not otherwise."""

    def __init__(self, database: Database, measures: Measures) -> None:
        self._database = database
        self._measures = measures
        self._lanes = {False: Lane(with_services=False), True: Lane(with_services=True)}
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._reading = asyncio.Event()
        self._catching_up = asyncio.Semaphore(CATCHING_UP)
        self._generation = 0
        self._trouble: str | None = None
        self._stuck_at, self._stuck_since = 0, 0.0

    def close_soon(self) -> None:
        """Let all listeners go at the next look. May be called from a signal's handler."""
        self._closing = True

    async def close(self) -> None:
        """End the reader."""
        self._closing = True
        if self._task is not None:
            await self._task

    async def begin(self, since: Position | None, recent: int) -> tuple[Position, bytes]:
        """Where a listener begins, and what it is told first. Raises ``Unavailable``."""
        if self._opened >= MOST_LISTENERS or self._closing:
            raise Unavailable(FULL)
        async with self._database.reading() as reading:
            state = await _state(reading)
            generation = state["generation"]
            now = Position(state["settled"] - 1, LAST_ROW, generation)
            if since is not None and since.recorded > state["newest"]:
                return now, message("gap", {"detail": UNKNOWN}, now)
            if since is not None:
                place = Position(*since.place, generation)
                same = since.generation == generation
                return place, b"" if same else message("recomputed", {"generation": generation}, place)
            if not recent:
                return now, b""
            row = await reading.row("stream_start", recent)
            place = Position(0, 0, generation)
            return place if row is None else Position(row["recorded"], row["event_id"], generation), b""

    async def follow(self, wish: Wish, begin: Position, first: bytes, seconds: float) -> AsyncIterator[bytes]:
        """Messages from ``begin`` on, for so many seconds: then whoever listens proves again who they are."""
        listener, lane = Listener(wish, begin), self._lanes[wish.needs_services]
        self._count(lane, 1)
        try:
            yield b"retry: 1000\n\n" + first
            await self._is_reading()
            async for earlier in self._catch_up(listener, lane):
                yield earlier
            async for told in self._listen(listener, monotonic() + seconds):
                yield told
        except Unavailable:
            log.info("stream.interrupted")  # they come again, and are told then what the matter is
        finally:
            lane.listeners.discard(listener)
            self._count(lane, -1)

    @property
    def _opened(self) -> int:
        return sum(lane.opened for lane in self._lanes.values())

    def _count(self, lane: Lane, change: int) -> None:
        lane.opened += change
        self._measures.listeners.set(self._opened)

    async def _is_reading(self) -> None:
        """Begin to read if nobody has listened until now, and wait until it is known how far things are."""
        if self._task is None or self._task.done():
            self._reading.clear()
            self._task = asyncio.create_task(self._read())
        await self._reading.wait()

    async def _catch_up(self, listener: Listener, lane: Lane) -> AsyncIterator[bytes]:
        """What the lane has told before. At its end the listener is in the lane, and nothing is between."""
        readiness = Readiness()
        while listener.position.place < lane.position.place and not self._closing:
            async with self._catching_up, self._database.reading() as reading:
                told, waits = await lane.ready(
                    reading, listener.position, self._generation, readiness, monotonic()
                )
            up_to = lane.position
            before = [each for each in told if each.position.place <= up_to.place]
            heard = listener.heard(before)
            if len(before) < len(told) or not (told or waits):
                listener.position = up_to  # what comes next is for the lane to tell
            if told:
                yield heard or self._where(listener)
            elif waits:
                await asyncio.sleep(POLL)
        lane.listeners.add(listener)

    async def _listen(self, listener: Listener, until: float) -> AsyncIterator[bytes]:
        yield self._where(listener)
        while (left := until - monotonic()) > 0:
            told = await listener.next(min(KEEP_ALIVE, left))
            if listener.ending == "slow":
                self._measures.listeners_cut.inc()
                yield message("slow", {"detail": SLOW})
            if listener.ending is not None:
                return
            yield told or self._where(listener)

    def _where(self, listener: Listener) -> bytes:
        """How far the listener is, whatever it wants to hear of, and whether the reader gets on."""
        return message("position", {"trouble": self._trouble}, listener.position)

    async def _read(self) -> None:
        begun = False
        while self._opened and not self._closing:
            try:
                async with self._database.reading() as reading:
                    more = await self._look(reading, begun=begun)
                begun = True
            except Unavailable:
                more = False
                self._say(AWAY)
            if not more:
                await asyncio.sleep(PATIENCE if self._trouble == AWAY else POLL)
        for listener in self._everybody():
            listener.end("closing")
        self._reading.set()

    async def _look(self, reading: Reading, *, begun: bool) -> bool:
        """Tell of what is new; whether there is more at once."""
        state, now = await _state(reading), monotonic()
        if begun and state["generation"] != self._generation:
            self._notify(message("recomputed", {"generation": state["generation"]}))
        self._generation = state["generation"]
        more = False
        for lane in self._lanes.values():
            if not begun or not lane.opened:
                lane.skip_to(state["settled"], self._generation)
            else:
                more |= await lane.advance(reading, self._generation, now)
        self._reading.set()
        self._say(HOLDING if self._is_held(state, now) else None)
        return more

    def _is_held(self, state: Row, now: float) -> bool:
        """Whether the same old transaction has held back what is new for a while."""
        if not state["held"] or state["settled"] != self._stuck_at:
            self._stuck_at, self._stuck_since = state["settled"], now
        return now - self._stuck_since > HELD

    def _say(self, trouble: str | None) -> None:
        """Tell everybody what the matter is, and that it is over, once."""
        if trouble != self._trouble:
            self._trouble = trouble
            self._notify(message("trouble", {"trouble": trouble}))

    def _notify(self, notice: bytes) -> None:
        for listener in self._everybody():
            listener.notify(notice)

    def _everybody(self) -> list[Listener]:
        return [listener for lane in self._lanes.values() for listener in lane.listeners]


async def _state(reading: Reading) -> Row:
    (row,) = await reading.rows("stream_state")
    return row
