"""``POST /cdevents``: CDEvents as CloudEvents, in any mode, validated before they are taken.

What is published is what was sent: the workers upgrade older versions, so that the log keeps the original.
"""

from fastapi import FastAPI, Request
from starlette.responses import Response

from ingress.delivery import Delivery
from ingress.problems import INVALID_CDEVENT, Problem
from ingress.routes.event_route import add_event_route
from schemas.cdevents.upgrade import NotUpgradeable, upgrade
from schemas.cdevents.validate import errors_of
from schemas.cloudevents import strict_json
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.http import Mode
from schemas.cloudevents.syntax import declares_json

MOST_ERRORS = 20


def add_routes(app: FastAPI, delivery: Delivery) -> None:
    """The endpoint that takes CDEvents only."""

    async def receive(request: Request) -> Response:
        """Take CDEvents of 0.5.1, or of an older version that can be upgraded to it."""
        message = await delivery.read(request)
        for index, event in enumerate(message.events):
            errors = errors_in(event)
            if errors:
                raise Problem(
                    INVALID_CDEVENT,
                    errors[0],
                    errors=errors[:MOST_ERRORS],
                    index=index if message.mode is Mode.BATCH else None,
                )
        return await delivery.publish(request, message)

    add_event_route(app, "/cdevents", receive, "CDEvents")


def errors_in(event: CloudEvent) -> list[str]:
    """What keeps ``event`` from carrying a CDEvent of its own type; empty when nothing does."""
    if event.body is None or not declares_json(event.content_type):
        return ["a CDEvent is JSON: send it as the data, with the content type application/json"]
    try:
        document = strict_json.parse(event.body)
    except InvalidCloudEvent as error:
        return [error.reason]
    if not isinstance(document, dict):
        return ["a CDEvent is a JSON object with context and subject"]
    try:
        errors = errors_of(upgrade(document))
    except NotUpgradeable as error:
        return [str(error)]
    if not errors and document["context"]["type"] != event.type:
        # cloudevents-binding.md: workers go by the type outside, and would not find this event.
        return ["the CloudEvent's type must be context.type of the CDEvent"]
    return errors
