"""``POST /`` and ``POST /cloudevents``: any CloudEvents, in binary, structured or batch mode.

CloudEvents 1.0.2, http-protocol-binding.md.
"""

from fastapi import FastAPI, Request
from starlette.responses import Response

from ingress.delivery import Delivery
from ingress.gate import Gate
from ingress.routes.event_route import add_event_route


def add_routes(app: FastAPI, gate: Gate, delivery: Delivery) -> None:
    """The endpoints that take any CloudEvent."""

    async def receive(request: Request) -> Response:
        """Take events; 202 when Kafka has confirmed all of them."""
        caller = await gate.admit(request)
        return await delivery.publish(request, await delivery.read(request), caller)

    for path in ("/", "/cloudevents"):
        add_event_route(app, path, receive, "CloudEvents")
