"""Calling an http function: one CloudEvent out in binary mode, CloudEvents back.

An event that a function returns gets an id derived from the function's URL, the causing event and its
position, so that calling again after a crash yields the same ids. Retried: no answer, 408, 425, 429 and 5xx.
"""

import asyncio
from dataclasses import dataclass

import httpx

from schemas.cdevents.event import CDEvent, derive_id
from schemas.cdevents.native import read_native
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.http import read_message, write_binary
from streams.router import Fate

RETRIED = frozenset({408, 425, 429})
FIRST_PAUSE = 0.5  # seconds, doubled for each further attempt
LARGEST_ANSWER = 1_048_576  # bytes; as much as the ingress takes


@dataclass(frozen=True, slots=True)
class Answer:
    """What one function made of one event, after ``attempts`` calls."""

    fate: Fate
    attempts: int


class NoAnswer(Exception):
    """The function could not be reached or asks to be called again."""


class Functions:
    """A client for all functions of one worker."""

    def __init__(self, *, timeout: float, attempts: int) -> None:
        self._attempts = attempts
        self._client = httpx.AsyncClient(timeout=timeout, follow_redirects=False)

    async def call(self, url: str, event: CloudEvent, traceparent: str | None) -> Answer:
        """Call ``url`` until it answers, or until there are no attempts left."""
        reason = ""
        for attempt in range(1, self._attempts + 1):
            try:
                response = await self._post(url, event, traceparent)
                return Answer(read_answer(url, event, response), attempt)
            except NoAnswer as error:
                reason = str(error)
                if attempt < self._attempts:
                    await asyncio.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
        return Answer(Fate("dead", f"function {url}: {reason}", url), self._attempts)

    async def _post(self, url: str, event: CloudEvent, traceparent: str | None) -> httpx.Response:
        headers, body = write_binary(event)
        if traceparent is not None:
            headers = [*headers, ("traceparent", traceparent)]
        try:
            response = await self._client.post(url, headers=headers, content=body)
        except httpx.HTTPError as error:
            raise NoAnswer(f"no answer ({type(error).__name__})") from error
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR or response.status_code in RETRIED:
            raise NoAnswer(f"answered {response.status_code}")
        return response

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def read_answer(url: str, cause: CloudEvent, response: httpx.Response) -> Fate:
    """The fate that a function's answer gives to ``cause``."""
    if not response.is_success:
        return Fate("dead", f"function {url}: refused with {response.status_code}", url)
    if not response.content:
        return Fate("ignored", f"delivered to {url}", url)
    if len(response.content) > LARGEST_ANSWER:
        return Fate("dead", f"function {url}: the answer is larger than {LARGEST_ANSWER} bytes", url)
    try:
        headers = [(name.lower(), value) for name, value in response.headers.raw]
        returned = read_message(headers, response.content).events
        cdevents = [_output(url, cause, event, ordinal) for ordinal, event in enumerate(returned)]
    except InvalidCloudEvent as error:
        return Fate("dead", f"function {url}: {error}", url)
    if not cdevents:
        return Fate("ignored", f"{url} returned no events", url)
    return Fate("mapped", None, url, tuple(cdevents))


def _output(url: str, cause: CloudEvent, returned: CloudEvent, ordinal: int) -> CDEvent:
    document = read_native(returned)
    identity = derive_id(url, cause.source, cause.id, str(ordinal))
    document = {**document, "context": {**document["context"], "id": identity}}
    return CDEvent(document, (cause.source, cause.id), url)
