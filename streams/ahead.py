"""Two batches of a stage in hand: while Kafka and PostgreSQL have one, the next is already looked at.

Looking at a batch (reading, routing, transforming) has no effect. Before its first effect a batch waits for
its turn, and by then every effect of the batch before is confirmed and that batch is finished: the effects,
and the frontier, are those of one batch after the other. So nothing that holds for a stage with one batch in
hand needs to be thought over again; what overlaps is our processor time with the others' work.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from faust.types import EventT

from streams.batches import Batch, Stream
from streams.progress import Abandoned

Handle = Callable[[Sequence[EventT]], Awaitable[None]]
Turn = Callable[[], Awaitable[None]]
HandleInTurn = Callable[[Sequence[EventT], Turn], Awaitable[None]]
Complete = Callable[[Batch, Handle], Awaitable[bool]]


async def drain_ahead(
    stream: Stream, stage: str, size: int, handle: HandleInTurn, complete: Complete
) -> None:
    """Every batch of a stage, and one more than is being finished as long as a full one is waiting.

    With fewer records waiting they are left to become more: small batches cost more, and are not sooner done.
    """
    last: InHand | None = None
    try:
        async for batch in stream.batches(stage, size):
            earlier, last = last, InHand(batch, handle, last, complete)
            if earlier is not None:
                await earlier.task
            if not stream.has_waiting(size):
                await last.task
        if last is not None:
            await last.task
    except BaseException:
        if last is not None:
            last.task.cancel()
        raise


class InHand:
    """A batch that is worked on by ``task``.

    ``complete`` says whether the batch was finished, which is what the task comes to; else it was abandoned.
    """

    def __init__(
        self, batch: Batch, handle: HandleInTurn, before: "InHand | None", complete: Complete
    ) -> None:
        self.batch = batch
        self._handle = handle
        # One that has ended has nothing more to say: what was abandoned is read again by its next owner.
        self._before = before if before is not None and not before.task.done() else None
        self.task: asyncio.Task[bool] = asyncio.create_task(self._completed(complete))

    @property
    def was_finished(self) -> bool:
        """Of one whose task has ended: whether all of its effects are confirmed."""
        return not self.task.cancelled() and self.task.exception() is None and self.task.result()

    async def _completed(self, complete: Complete) -> bool:
        return await complete(self.batch, self._handle_in_turn)

    async def _handle_in_turn(self, events: Sequence[EventT]) -> None:
        try:
            await self._handle(events, self._turn)
        except Exception:
            await self._turn()  # what is wrong with it is looked for when all before it is done
            raise
        await self._turn()

    async def _turn(self) -> None:
        """Wait until the batch before is finished. Raises ``Abandoned`` when it never will be.

        Also when partitions are given up meanwhile: nothing of this one is done, and others wait for it.
        """
        before = self._before
        if before is None:
            return
        await asyncio.wait((before.task,))
        if not before.was_finished and before.batch.generation == self.batch.generation:
            raise Abandoned
        if self.batch.app.progress.leaving.is_set():
            raise Abandoned
        self._before = None  # or each batch would keep all batches before it
