"""``/v1/stream``: CloudEvents as they are recorded, each with what became of it, as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

import structlog
from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Send

from query.context import Here
from query.follower import Follower
from query.parameters import StreamAsked, only
from query.positions import Position, read_position
from query.problems import DOCUMENTED, Refused
from query.recordings import Wish

log = structlog.get_logger("query")

router = APIRouter(tags=["facts"])
PATH = "/v1/stream"
LIFETIME = 24 * 3600.0  # seconds until a listener has to connect again; those who prove who they are:
PROVEN_LIFETIME = 60.0  # because a key may be revoked meanwhile
STALLED = 30.0  # seconds that a listener may take nothing at all
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would wait for a full buffer
STREAM = {
    "content": {
        "text/event-stream": {
            "schema": {
                "description": "Each event of the stream; data is JSON, by the kind of event",
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("event", "id", "data")},
                "required": ["event", "data"],
            }
        }
    },
    "description": "Server-sent events without end: `cloudevent`, and `position` when there is none",
}

LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", description="Go on behind this message; browsers send it by themselves."),
]


class EventStream(StreamingResponse):
    """A stream that ends when its listener is gone, or takes nothing any more."""

    media_type = "text/event-stream"

    def __init__(self, messages: AsyncIterator[bytes]) -> None:
        super().__init__(messages, headers=HEADERS)
        self._messages = messages

    async def stream_response(self, send: Send) -> None:
        """As everywhere, with a limit to the patience, and the messages closed whatever happens."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(STALLED):
                await send(message)

        async with aclosing(self._messages):  # type: ignore[type-var]
            try:
                await super().stream_response(send_in_time)
            except TimeoutError:
                log.info("stream.stalled")


@router.get(
    PATH,
    dependencies=[only(StreamAsked)],
    response_class=Response,
    responses={**DOCUMENTED, 200: STREAM},
)
async def stream(
    asked: Annotated[StreamAsked, Query()], here: Here, request: Request, last_event_id: LastEventId = None
) -> Response:
    """CloudEvents as they are recorded, without a gap: each with the CDEvents that it became, or why not."""
    follower: Follower = request.app.state.follower
    begin, first = await follower.begin(_since(asked, last_event_id), asked.recent)
    wish = Wish(asked.source, asked.type, asked.fate, asked.service, here.sees)
    lifetime = PROVEN_LIFETIME if here.settings.methods else LIFETIME
    return EventStream(follower.follow(wish, begin, first, lifetime))


def _since(asked: StreamAsked, last_event_id: str | None) -> Position | None:
    """The header's position before the parameter's: a browser that connects again keeps the address."""
    told = last_event_id or asked.after
    if told is None:
        return None
    try:
        return read_position(told)
    except ValueError as error:
        raise Refused({"Last-Event-ID" if last_event_id else "after": str(error)}) from error
