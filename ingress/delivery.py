"""From a request to confirmed records: what the routes that take events share.

202 is answered when Kafka has confirmed every event of the request, and never before.
"""

import re
from collections.abc import Sequence
from time import perf_counter

from fastapi import Request
from starlette.responses import Response

from ingress.callers import Caller
from ingress.deadline import for_arrival, for_kafka
from ingress.limits import read_body
from ingress.metrics import Metrics
from ingress.problems import (
    FORBIDDEN,
    OVERLOADED,
    TOO_LARGE,
    UNAVAILABLE,
    UNCONFIRMED,
    Problem,
    retry,
)
from ingress.publisher import NotPublished, Overloaded, Publisher, Record, RecordTooLarge, Unavailable
from ingress.settings import Settings
from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.http import Message, read_message
from schemas.cloudevents.kafka import key_of, write_binary

Header = tuple[bytes, bytes]

# W3C Trace Context. Of all headers of a request that belong to no event, these two go on to Kafka, and only
# if they are what they should be; a ce-traceparent is an attribute and stays one.
_TRACE_HEADERS = {
    b"traceparent": re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
    b"tracestate": re.compile(rb"[\x20-\x7e]{1,512}"),
}

# Empty: a broker of Knative takes any other body of a response for an event.
ACCEPTED = Response(status_code=202)


class Delivery:
    """Reads the events of requests, and publishes them."""

    def __init__(self, settings: Settings, publisher: Publisher, metrics: Metrics) -> None:
        self._settings = settings
        self._publisher = publisher
        self._metrics = metrics

    async def read(self, request: Request) -> Message:
        """The events that a request carries. Raises ``Problem`` or ``InvalidCloudEvent``."""
        body = await self.body(request)
        return read_message(request.scope["headers"], body, self._settings.batch_limit)

    async def body(self, request: Request) -> bytes:
        """The bytes of a request's body. Raises ``Problem``."""
        return await read_body(request.receive, for_arrival(request.scope, self._settings.body_timeout))

    async def publish(self, request: Request, message: Message, caller: Caller) -> Response:
        """Publish all events of ``message`` and answer 202.

        Raises ``Problem`` when ``caller`` may not send one of them, or one is not confirmed.
        """
        return await self.publish_events(request, message.events, message.mode, caller)

    async def publish_events(
        self, request: Request, events: Sequence[CloudEvent], mode: str, caller: Caller
    ) -> Response:
        """Publish ``events``, which count as ``mode``, and answer 202. Raises ``Problem`` as ``publish``."""
        if not caller.may_send(events):
            raise Problem(FORBIDDEN, "Corrections need a token with the right to send them")
        trace = trace_headers(request.scope["headers"])
        records = [record_of(event, trace) for event in events]
        began = perf_counter()
        try:
            within = for_kafka(request.scope, self._settings.send_timeout)
            await self._publisher.publish(records, within)
        except NotPublished as error:
            raise _not_published(error) from error
        except RecordTooLarge as error:
            raise Problem(TOO_LARGE, f"An event with its attributes is {error}") from error
        self._metrics.publish_seconds.observe(perf_counter() - began)
        self._metrics.events_by_mode[mode].inc(len(records))
        return ACCEPTED


def record_of(event: CloudEvent, trace: Sequence[tuple[str, bytes]]) -> Record:
    """The Kafka record of an event, in binary mode; its key keeps the events of one subject in order."""
    headers, value = write_binary(event)
    headers += trace
    return Record(key_of(event), value, headers)


def trace_headers(headers: Sequence[Header]) -> list[tuple[str, bytes]]:
    """The trace context of a request; the first of each header, and nothing that is malformed."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        pattern = _TRACE_HEADERS.get(name)
        if pattern is not None and pattern.fullmatch(value):
            found.setdefault(name, value)
    return [(name.decode(), value) for name, value in found.items()]


def _not_published(error: NotPublished) -> Problem:
    if isinstance(error, Overloaded):
        return retry(OVERLOADED, f"{error}; nothing of this request was published. Send it again later.", 1)
    if isinstance(error, Unavailable):
        return retry(UNAVAILABLE, "Nothing of this request was published. Send it again.", 2)
    return retry(
        UNCONFIRMED, "Some of it may be published all the same. Send it again: repeats do no harm.", 2
    )
