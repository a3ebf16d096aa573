"""Calling an http function: one CloudEvent out in binary mode, CloudEvents back.

An event that a function returns gets an id derived from the function's URL, the causing event and its
position, so that calling again after a crash yields the same ids. Retried: no answer, 408, 425, 429 and 5xx.

A function that has nothing to return may say so, and why, in the headers ``dora-outcome`` (``ignored`` or
``unmapped``) and ``dora-reason`` (percent-encoded), as `dora function` does.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

import httpx

from schemas.cdevents.event import CDEvent, derive_id
from schemas.cdevents.native import read_native
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.http import read_message, write_binary
from streams.router import Fate

RETRIED = frozenset({408, 425, 429})
FIRST_PAUSE = 0.5  # seconds, doubled for each further attempt
LARGEST_ANSWER = 1_048_576  # bytes; as much as the ingress takes
OUTCOME, REASON = "dora-outcome", "dora-reason"
SILENT_OUTCOMES = frozenset({"ignored", "unmapped"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What one function made of one event, after ``attempts`` calls."""

    fate: Fate
    attempts: int


class Response(NamedTuple):
    """What came back over HTTP. ``body`` may be one chunk longer than the largest answer, and no more."""

    status: int
    headers: httpx.Headers
    body: bytes


class NoAnswer(Exception):
    """The function could not be reached or asks to be called again."""


class Functions:
    """A client for all functions of one worker. ``timeout`` is for a whole call, in seconds."""

    def __init__(self, *, timeout: float, attempts: int) -> None:
        self._attempts = attempts
        self._timeout = timeout
        # httpx's own time-outs are for one read or write: a byte now and then would extend them for ever.
        self._client = httpx.AsyncClient(timeout=None, follow_redirects=False)  # noqa: S113

    async def call(
        self, url: str, event: CloudEvent, traceparent: str | None, beat: Callable[[], None] = lambda: None
    ) -> Answer:
        """Call ``url`` until it answers, or until there are no attempts left; ``beat`` at each attempt."""
        reason = ""
        for attempt in range(1, self._attempts + 1):
            beat()
            try:
                response = await self._post(url, event, traceparent)
                return Answer(read_answer(url, event, response), attempt)
            except NoAnswer as error:
                reason = str(error)
                if attempt < self._attempts:
                    await asyncio.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
        return Answer(Fate("dead", f"function {url}: {reason}", url), self._attempts)

    async def _post(self, url: str, event: CloudEvent, traceparent: str | None) -> Response:
        headers, body = write_binary(event)
        if traceparent is not None:
            headers = [*headers, ("traceparent", traceparent)]
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._exchange(url, headers, body)
        except TimeoutError as error:
            raise NoAnswer(f"no answer within {self._timeout:g} s") from error
        except httpx.HTTPError as error:
            raise NoAnswer(f"no answer ({type(error).__name__})") from error
        if response.status >= httpx.codes.INTERNAL_SERVER_ERROR or response.status in RETRIED:
            raise NoAnswer(f"answered {response.status}")
        return response

    async def _exchange(self, url: str, headers: list[tuple[str, str]], body: bytes) -> Response:
        answer = b""
        async with self._client.stream("POST", url, headers=headers, content=body) as response:
            async for chunk in response.aiter_bytes():
                answer += chunk
                if len(answer) > LARGEST_ANSWER:
                    break
            return Response(response.status_code, response.headers, answer)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def read_answer(url: str, cause: CloudEvent, response: Response) -> Fate:
    """The fate that a function's answer gives to ``cause``."""
    if not httpx.codes.is_success(response.status):
        return Fate("dead", f"function {url}: refused with {response.status}", url)
    if not response.body:
        return _nothing(url, response)
    if len(response.body) > LARGEST_ANSWER:
        return Fate("dead", f"function {url}: the answer is larger than {LARGEST_ANSWER} bytes", url)
    try:
        headers = [(name.lower(), value) for name, value in response.headers.raw]
        returned = read_message(headers, response.body).events
        cdevents = [_output(url, cause, event, ordinal) for ordinal, event in enumerate(returned)]
    except InvalidCloudEvent as error:
        return Fate("dead", f"function {url}: {error}", url)
    if not cdevents:
        return Fate("ignored", f"{url} returned no events", url)
    return Fate("mapped", None, url, tuple(cdevents))


def _nothing(url: str, response: Response) -> Fate:
    outcome, reason = response.headers.get(OUTCOME), response.headers.get(REASON)
    if outcome in SILENT_OUTCOMES and reason:
        return Fate(outcome, unquote(reason), url)
    return Fate("ignored", f"delivered to {url}", url)


def _output(url: str, cause: CloudEvent, returned: CloudEvent, ordinal: int) -> CDEvent:
    document = read_native(returned)
    identity = derive_id(url, cause.source, cause.id, str(ordinal))
    document = {**document, "context": {**document["context"], "id": identity}}
    return CDEvent(document, (cause.source, cause.id), url)
