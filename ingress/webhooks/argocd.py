"""Argo CD's notifications, by its service ``webhook`` and a template that sends the Application.

It signs nothing; authentic is what carries a secret in its ``Authorization`` header. A notification has no
id: what is sent again unchanged, as after a late answer, is the same event.
"""

from collections.abc import Sequence

from ingress.webhooks import authorization
from ingress.webhooks.payload import event_of, object_of, text_at
from ingress.webhooks.provider import Provider, WebhookRequest
from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.syntax import is_uri


def authenticate(request: WebhookRequest, secrets: Sequence[bytes]) -> None:
    """By a bearer token or by basic authentication."""
    authorization.verify(request, secrets)


def translate(request: WebhookRequest) -> CloudEvent:
    """``io.argoproj.application``, from the Argo CD whose address the template sends as its context."""
    told = object_of(request.body)
    application = "app." if isinstance(told.get("app"), dict) else ""
    address = text_at(told, "context.argocdUrl")
    name = text_at(told, f"{application}metadata.name")
    namespace = text_at(told, f"{application}metadata.namespace")
    return event_of(
        request,
        type_="io.argoproj.application",
        source=address if address is not None and is_uri(address) else "/argocd",
        subject=f"{namespace}/{name}" if namespace and name else name,
        time=told.get("timestamp"),
    )


provider = Provider("argocd", authenticate, translate)
