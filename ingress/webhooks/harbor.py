"""Harbor's web hooks, in each format that a policy can choose: Default, CloudEvents and CDEvents.

It signs nothing; authentic is what carries a secret in the header that a policy calls its auth header. The
default format becomes the CloudEvent that the other format would have sent, but for the id: there is none, so
that what is sent again unchanged is the same event.
Formats: goharbor/harbor, src/pkg/notifier/formats.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ingress.webhooks import authorization
from ingress.webhooks.payload import event_of, object_of, text_at
from ingress.webhooks.provider import Provider, WebhookRequest
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.format import read_event
from schemas.cloudevents.syntax import is_uri_reference

# Words of the default format, of Harbor 2 and 1 -> those of its CloudEvents. Newer ones keep their own.
TYPES: Mapping[str, str] = {
    "PUSH_ARTIFACT": "artifact.pushed",
    "PULL_ARTIFACT": "artifact.pulled",
    "DELETE_ARTIFACT": "artifact.deleted",
    "CREATE_TAG": "tag.created",
    "SCANNING_COMPLETED": "scan.completed",
    "SCANNING_FAILED": "scan.failed",
    "SCANNING_STOPPED": "scan.stopped",
    "QUOTA_EXCEED": "quota.exceeded",
    "QUOTA_WARNING": "quota.warned",
    "REPLICATION": "replication.status.changed",
    "TAG_RETENTION": "tag_retention.finished",
    "UPLOAD_CHART": "chart.uploaded",
    "DOWNLOAD_CHART": "chart.downloaded",
    "DELETE_CHART": "chart.deleted",
    "pushImage": "artifact.pushed",
    "pullImage": "artifact.pulled",
    "deleteImage": "artifact.deleted",
    "scanningCompleted": "scan.completed",
    "scanningFailed": "scan.failed",
}
NOWHERE = "/harbor"
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}", re.ASCII)


def authenticate(request: WebhookRequest, secrets: Sequence[bytes]) -> None:
    """By a bearer token or by basic authentication: Harbor sends its policy's auth header as it stands."""
    authorization.verify(request, secrets)


def translate(request: WebhookRequest) -> CloudEvent:
    """``harbor.<what>.<happened>``, from the registry that the artifacts are in."""
    if request.headers.get("content-type", "").lower().startswith("application/cloudevents"):
        return read_event(request.body)
    told = object_of(request.body)
    happened = text_at(told, "type") or ""
    if WORD.fullmatch(happened) is None:
        raise InvalidCloudEvent("no event in 'type'; choose one of Harbor's payload formats")
    return event_of(
        request,
        type_=f"harbor.{TYPES.get(happened) or happened.lower()}",
        source=_registry(told),
        subject=text_at(told, "event_data.repository.repo_full_name"),
        time=told.get("occur_at"),
    )


provider = Provider("harbor", authenticate, translate)


def _registry(told: Mapping[str, Any]) -> str:
    """The host in the address of the first resource, as a reference without a scheme."""
    data = told.get("event_data")
    resources = data.get("resources") if isinstance(data, dict) else None
    first = resources[0] if isinstance(resources, list) and resources else None
    host = (text_at(first, "resource_url") or "").partition("/")[0]
    source = f"//{host}"
    return source if host and is_uri_reference(source) else NOWHERE
