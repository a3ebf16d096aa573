"""``POST /cdevents``: CDEvents as CloudEvents, in any mode, validated before they are taken.

What is published is what was sent: the workers upgrade older versions, so that the log keeps the original.
"""

from fastapi import FastAPI, Request
from starlette.responses import Response

from ingress.delivery import Delivery
from ingress.gate import Gate
from ingress.problems import INVALID_CDEVENT, Problem
from ingress.routes.event_route import add_event_route
from schemas.cdevents.native import read_native
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.http import Mode
from schemas.cloudevents.syntax import declares_json


def add_routes(app: FastAPI, gate: Gate, delivery: Delivery) -> None:
    """The endpoint that takes CDEvents only."""

    async def receive(request: Request) -> Response:
        """Take CDEvents of 0.5.1, or of an older version that can be upgraded to it."""
        caller = await gate.admit(request)
        message = await delivery.read(request)
        for index, event in enumerate(message.events):
            fault = fault_in(event)
            if fault is not None:
                raise Problem(
                    INVALID_CDEVENT,
                    fault,
                    errors=[fault],
                    index=index if message.mode is Mode.BATCH else None,
                )
        return await delivery.publish(request, message, caller)

    add_event_route(app, "/cdevents", receive, "CDEvents")


def fault_in(event: CloudEvent) -> str | None:
    """What keeps ``event`` from being a CDEvent that the workers take; ``None`` when nothing does."""
    if event.body is None or not declares_json(event.content_type):
        return "a CDEvent is JSON: send it as the data, with the content type application/json"
    try:
        read_native(event)
    except InvalidCloudEvent as error:
        return error.reason
    return None
