"""Clients that post until they are acknowledged, and post some events twice, as clients do."""

import asyncio
import random
import time
from collections.abc import Callable
from itertools import count

import httpx

from tests.faults.journal import LOST, Journal
from tests.faults.workload import Event, Workload, encode

BEARER = "canary-of-the-bearer-71ab"
RETRY = {"503", "429", LOST}
PAUSE = 0.2  # seconds before the next attempt
BEHIND = 2.0  # seconds of delay that the clients make up for by posting faster


class Client:
    """Posts a workload to whichever of ``urls()`` and writes the journal."""

    def __init__(self, urls: Callable[[], list[str]], workload: Workload, journal: Journal) -> None:
        self._urls = urls
        self._workload = workload
        self._journal = journal
        self._chance = random.Random(workload.seed)
        self._postings = count(0, 2)

    async def post(self, numbers: range, *, a_second: float, at_once: int = 32) -> None:
        """Post these events, about ``a_second`` in a second and at most ``at_once`` requests at a time."""
        slots = asyncio.Semaphore(at_once)
        limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
        due = time.monotonic()
        async with httpx.AsyncClient(timeout=12, limits=limits) as http, asyncio.TaskGroup() as tasks:
            first = numbers.start
            while first < numbers.stop:
                group = tuple(range(first, min(first + self._chance.choice([1] * 6 + [20]), numbers.stop)))
                first = group[-1] + 1
                for posting, twin in self._postings_of(group):
                    await slots.acquire()
                    task = tasks.create_task(self._until_accepted(http, group, posting, twin=twin))
                    task.add_done_callback(lambda _: slots.release())
                due = max(due + len(group) / a_second, time.monotonic() - BEHIND)
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _postings_of(self, group: tuple[int, ...]) -> list[tuple[int, bool]]:
        posting = next(self._postings)
        postings = [(posting, False)]
        if self._chance.random() < 0.1:
            postings.append((posting + 1, False))
        if len(group) == 1 and self._workload.has_twin(group[0]):
            postings.append((next(self._postings), True))
        return postings

    async def _until_accepted(
        self, http: httpx.AsyncClient, numbers: tuple[int, ...], posting: int, *, twin: bool
    ) -> None:
        events = self._build(numbers, twin=twin)
        self._journal.sent.update(numbers)
        headers, body = encode(events, structured=posting % 10 < 3)
        headers["authorization"] = f"Bearer {BEARER}"
        for attempt in count(1):
            status, url = await self._try(http, headers, body)
            self._journal.note(numbers, status, posting, attempt, url, twin=twin)
            if status == "202":
                return
            assert status in RETRY, f"{numbers} was answered {status}"
            await asyncio.sleep(PAUSE)

    def _build(self, numbers: tuple[int, ...], *, twin: bool) -> list[Event]:
        return [(self._workload.twin if twin else self._workload.build)(number) for number in numbers]

    async def _try(self, http: httpx.AsyncClient, headers: dict[str, str], body: bytes) -> tuple[str, str]:
        url = ""
        try:
            url = self._chance.choice(self._urls())
            response = await http.post(url + "/cloudevents", headers=headers, content=body)
        except (httpx.HTTPError, OSError, IndexError):
            return LOST, url
        return str(response.status_code), url
