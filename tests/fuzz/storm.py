"""Damaged requests over raw connections: several on each, pipelined, in pieces, with and without patience."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from tests.fuzz.corpus import Request
from tests.fuzz.mutations import broken, damaged

AT_ONCE = 24  # connections
MOST_PIPELINED = 6
PATIENCE = 12.0  # seconds for the next answer, where one is owed; longer than the ingress may take
IMPATIENCE = 0.3  # seconds where none is


@dataclass
class Tally:
    """What was sent and answered. ``silent`` are connections on which an answer was owed and none came."""

    requests: int = 0
    connections: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    silent: list[bytes] = field(default_factory=list)

    def __str__(self) -> str:
        told = ", ".join(f"{status}: {number}" for status, number in sorted(self.answers.items()))
        return f"{self.requests} requests on {self.connections} connections, answers {{{told}}}"


async def storm(port: int, corpus: tuple[Request, ...], number: int, seed: int) -> Tally:
    """Send ``number`` damaged requests out of ``corpus``."""
    tally = Tally()

    async def client(name: int) -> None:
        random = Random(f"{seed} {name}")
        while tally.requests < number:
            await converse(port, corpus, random, tally)

    await asyncio.gather(*(client(name) for name in range(AT_ONCE)))
    return tally


async def converse(port: int, corpus: tuple[Request, ...], random: Random, tally: Tally) -> None:
    """One connection."""
    count = random.randrange(1, MOST_PIPELINED + 1)
    sent = [damaged(random.choice(corpus), corpus, random).to_bytes() for _ in range(count)]
    is_proper = random.random() < 0.75
    if not is_proper:
        # What follows something broken is never looked at, so it comes last, mostly.
        sent.insert(
            random.randrange(count) if random.random() < 0.1 else count, broken(random.choice(corpus), random)
        )
    tally.requests += len(sent)
    tally.connections += 1
    with suppress(ConnectionError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        try:
            whole = b"".join(sent)
            reading = asyncio.create_task(
                read(reader, len(sent), PATIENCE if is_proper else IMPATIENCE, tally)
            )
            await write(writer, whole, random)
            if not await reading and is_proper:
                tally.silent.append(whole)
        finally:
            writer.transport.abort()


async def write(writer: asyncio.StreamWriter, whole: bytes, random: Random) -> None:
    """Send at once, or in pieces; stop when the other side has hung up."""
    with suppress(ConnectionError):
        place = 0
        while place < len(whole):
            piece = len(whole) if random.random() < 0.8 else random.choice((1, 17, 4000))
            writer.write(whole[place : place + piece])
            place += piece
            await writer.drain()


async def read(reader: asyncio.StreamReader, number: int, patience: float, tally: Tally) -> bool:
    """Count the answers. Whether all came that can come: ``number``, or those before the end."""
    answered = 0
    while answered < number:
        try:
            async with asyncio.timeout(patience):
                head = await reader.readuntil(b"\r\n\r\n")
                status = int(head[9:12])
                fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:] if line)
                await reader.readexactly(int(fields.get(b"content-length", 0)))
        except (asyncio.IncompleteReadError, ConnectionError):
            return True
        except TimeoutError:
            return False
        if status >= 200:
            tally.answers[status] += 1
            answered += 1
    return True
