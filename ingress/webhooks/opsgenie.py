"""Opsgenie's web hooks, and those of the alerts of Jira Service Management, which are the same.

It signs nothing; authentic is what carries a secret in its ``Authorization`` header (a custom header of the
integration). A delivery has no id; ``updatedAt`` sets apart what happens to one alert.
"""

import re
from collections.abc import Sequence

from ingress.webhooks import authorization
from ingress.webhooks.payload import at, event_of, object_of, text_at
from ingress.webhooks.provider import Provider, WebhookRequest
from schemas.cloudevents.event import CloudEvent

ACTION = re.compile(r"[A-Za-z]{1,64}", re.ASCII)
CUSTOM = "custom"  # an action that a user has named, with any characters
INTEGRATION = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)


def authenticate(request: WebhookRequest, secrets: Sequence[bytes]) -> None:
    """By a bearer token or by basic authentication."""
    authorization.verify(request, secrets)


def translate(request: WebhookRequest) -> CloudEvent:
    """``com.opsgenie.alert.<action>``, from the integration that has the web hook."""
    told = object_of(request.body)
    action, integration = text_at(told, "action") or "", text_at(told, "integrationId") or ""
    updated, created = at(told, "alert.updatedAt"), at(told, "alert.createdAt")
    return event_of(
        request,
        type_=f"com.opsgenie.alert.{action.lower() if ACTION.fullmatch(action) else CUSTOM}",
        source=f"/opsgenie/{integration}" if INTEGRATION.fullmatch(integration) else "/opsgenie",
        subject=text_at(told, "alert.alertId"),
        time=created if updated is None else updated,
    )


provider = Provider("opsgenie", authenticate, translate)
