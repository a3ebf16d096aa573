"""The two ways in which recordings are told: at once, and as soon as it is known whose they are."""

from query.database import Reading
from query.listeners import Listener
from query.positions import LAST_ROW, Position
from query.recordings import PAGE, Recording, recordings

UNRECORDED = 60.0  # seconds that an event waits for its CDEvents before it belongs to nobody


class Readiness:
    """Which recordings can be told: those before the first that still waits for its CDEvents.

    None is told before it, because the order is what a position stands on.
    """

    def __init__(self) -> None:
        self._first_seen: dict[int, float] = {}

    def of(self, read: list[Recording], now: float) -> list[Recording]:
        """Those of ``read`` that are ready; ``now`` in seconds."""
        waiting = {each.position.event_id for each in read if not each.is_whole}
        self._first_seen = {number: self._first_seen.get(number, now) for number in waiting}
        for place, each in enumerate(read):
            if not each.is_whole and now - self._first_seen[each.position.event_id] < UNRECORDED:
                return read[:place]
        return read


class Lane:
    """How far the listeners of one kind have been told. ``opened`` counts those that catch up, too."""

    def __init__(self, *, with_services: bool) -> None:
        self.with_services = with_services
        self.position = Position(0, 0)
        self.listeners: set[Listener] = set()
        self.opened = 0
        self._readiness = Readiness()

    def skip_to(self, settled: int, generation: int) -> None:
        """Nobody waits for what is before the transaction ``settled``."""
        self.position = Position(settled - 1, LAST_ROW, generation)

    async def advance(self, reading: Reading, generation: int, now: float) -> bool:
        """Tell of the next page; whether there may be another at once."""
        told, _ = await self.ready(reading, self.position, generation, self._readiness, now)
        if told:
            self.position = told[-1].position
            for listener in self.listeners:
                listener.tell(told)
        return len(told) == PAGE

    async def ready(
        self, reading: Reading, behind: Position, generation: int, readiness: Readiness, now: float
    ) -> tuple[list[Recording], bool]:
        """What can be told behind a position, a page of it at most; and whether what follows has to wait."""
        read = await recordings(reading, behind, generation, with_services=self.with_services)
        told = readiness.of(read, now) if self.with_services else read
        return told, len(told) < len(read)
