"""Kubewatch's CloudEvents, which it sends as plain JSON: nothing in the request says what they are.

It can be made to send a password only as part of its URL: ``https://kubewatch:SECRET@.../webhooks/kubewatch``.
"""

from collections.abc import Sequence

from ingress.webhooks import authorization
from ingress.webhooks.provider import Provider, WebhookRequest
from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.format import read_event


def authenticate(request: WebhookRequest, secrets: Sequence[bytes]) -> None:
    """By basic authentication, or by a bearer token that a proxy adds."""
    authorization.verify(request, secrets)


def translate(request: WebhookRequest) -> CloudEvent:
    """The CloudEvent that the body is; its data are the bytes within it."""
    return read_event(request.body)


provider = Provider("kubewatch", authenticate, translate)
