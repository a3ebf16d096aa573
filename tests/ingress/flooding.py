"""A flood of strangers, run as a program, so that whoever measures is not slowed by it.

``python -m tests.ingress.flooding PORT SECONDS RATE TOKEN...`` sends ``RATE`` requests a second, answered
or not, and prints how often each status came.
"""

import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator

BODY = b'{"specversion": "1.0", "id": "1", "source": "/flood", "type": "t", "data": "' + b"x" * 16_000 + b'"}'


def requests(tokens: list[str]) -> Iterator[bytes]:
    """A request with each of ``tokens`` in turn; an empty one is none."""
    for token in itertools.cycle(tokens):
        shown = f"authorization: Bearer {token}\r\n" if token else ""
        yield (
            f"POST /cloudevents HTTP/1.1\r\nhost: i\r\n{shown}content-type: application/cloudevents+json\r\n"
            f"content-length: {len(BODY)}\r\n\r\n"
        ).encode() + BODY


async def ask(port: int, request: bytes, statuses: Counter[str]) -> None:
    """One request over a connection of its own: an answer to a stranger ends it anyway."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        line = await asyncio.wait_for(reader.readline(), 10)
        statuses[line.split()[1].decode() if line else "none"] += 1
        writer.close()
    except (OSError, TimeoutError) as error:
        statuses[type(error).__name__] += 1


async def main(port: int, seconds: float, rate: float, tokens: list[str]) -> None:
    """Flood, then tell."""
    statuses: Counter[str] = Counter()
    began, sent = time.monotonic(), requests(tokens)
    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * rate)):
            group.create_task(ask(port, next(sent), statuses))
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
    print(json.dumps(statuses))


if __name__ == "__main__":
    port, seconds, rate, *tokens = sys.argv[1:]
    asyncio.run(main(int(port), float(seconds), float(rate), tokens))
