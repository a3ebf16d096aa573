"""Alertmanager's web hooks, and those of what speaks its language, as Grafana.

It signs nothing; authentic is what carries a secret in its ``Authorization`` header (``http_config`` of the
receiver). A notification has no id, and is sent again unchanged when an answer is late.
"""

from collections.abc import Sequence

from ingress.webhooks import authorization
from ingress.webhooks.payload import event_of, object_of, text_at
from ingress.webhooks.provider import Provider, WebhookRequest
from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.syntax import is_uri

STATES = ("firing", "resolved")
UNKNOWN = "unknown"  # a payload that the receiver's configuration has put together otherwise


def authenticate(request: WebhookRequest, secrets: Sequence[bytes]) -> None:
    """By a bearer token or by basic authentication."""
    authorization.verify(request, secrets)


def translate(request: WebhookRequest) -> CloudEvent:
    """``io.prometheus.alertmanager.<status>``, from the Alertmanager's own address."""
    told = object_of(request.body)
    state, address = text_at(told, "status"), text_at(told, "externalURL")
    return event_of(
        request,
        type_=f"io.prometheus.alertmanager.{state if state in STATES else UNKNOWN}",
        source=address if address is not None and is_uri(address) else "/alertmanager",
        subject=text_at(told, "groupKey"),
    )


provider = Provider("alertmanager", authenticate, translate)
