"""``POST /webhooks/{provider}``: native web hooks, authenticated before anything of them is read.

A provider without secrets is not there: the answer is that of any endpoint that does not exist. Who is not
authentic learns nothing but that. What is authentic and well formed is taken, whether or not anybody maps it:
some providers switch a web hook off that refuses.
"""

import time
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response

from ingress import problems
from ingress.callers import WEBHOOK_SENDER
from ingress.delivery import Delivery
from ingress.metrics import WEBHOOK, Metrics
from ingress.problems import Problem, retry
from ingress.providers import Webhook
from ingress.routes.event_route import PROBLEMS, EventRoute
from ingress.secrets import SecretsUnavailable
from ingress.sparse_log import SparseLog
from ingress.webhooks.provider import Unauthenticated, WebhookRequest
from schemas.cloudevents.event import InvalidCloudEvent

log = SparseLog()

REASONS = frozenset({"missing", "malformed", "mismatch", "stale"})
BODILESS = REASONS - {"mismatch"}  # what is wrong whatever the body is: it is not even read
LATER = 30  # seconds; somebody has to repair the file of secrets

DESCRIPTION: dict[str, Any] = {
    "parameters": [
        {
            "name": "provider",
            "in": "path",
            "required": True,
            "description": "Who sends; one that has secrets here (docs/webhooks.md)",
            "schema": {"type": "string"},
        }
    ],
    "requestBody": {"description": "As the provider sends it", "content": {"*/*": {"schema": {}}}},
}


def add_routes(app: FastAPI, delivery: Delivery, webhooks: Mapping[str, Webhook], metrics: Metrics) -> None:
    """The endpoint of all providers."""

    async def receive(request: Request) -> Response:
        """Take a delivery; 202 when Kafka has confirmed it."""
        name = request.path_params["provider"]
        webhook = webhooks.get(name)
        if webhook is None:
            raise Problem(problems.NOT_FOUND, problems.NO_ENDPOINT)
        secrets = _current(webhook, metrics)
        announced = WebhookRequest(once_each(request.scope["headers"]), b"", time.time())
        _authenticate(webhook, announced, secrets, metrics, refused=BODILESS)
        delivered = replace(announced, body=await delivery.body(request))
        _authenticate(webhook, delivered, secrets, metrics, refused=REASONS)
        if not webhook.provider.reads(delivered.headers.get("content-type")):
            metrics.webhooks.labels(name, "invalid").inc()
            raise Problem(problems.UNSUPPORTED_FORMAT, "Send application/json in UTF-8, and say so")
        try:
            event = webhook.provider.translate(delivered)
        except InvalidCloudEvent:
            metrics.webhooks.labels(name, "invalid").inc()
            raise
        response = await delivery.publish_events(request, [event], WEBHOOK, WEBHOOK_SENDER)
        metrics.webhooks.labels(name, "accepted").inc()
        return response

    route = EventRoute(
        "/webhooks/{provider}",
        receive,
        methods=["POST"],
        status_code=202,
        response_class=Response,
        response_description="Kafka has confirmed the event",
        responses=PROBLEMS | problems.documented(problems.NOT_FOUND),
        openapi_extra=DESCRIPTION,
        operation_id="receive_webhook",
        summary="Receive a web hook",
        tags=["events"],
    )
    app.router.routes.append(route)


def once_each(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name, without those that were sent twice: of two signatures none is the right one."""
    found: dict[str, str] = {}
    repeated = set()
    for name, value in headers:
        key = name.decode("latin-1").lower()
        if key in found:
            repeated.add(key)
        found[key] = value.decode("latin-1")
    return {name: value for name, value in found.items() if name not in repeated}


def _current(webhook: Webhook, metrics: Metrics) -> Sequence[bytes]:
    name = webhook.provider.name
    try:
        return webhook.secrets.current()
    except SecretsUnavailable as error:
        metrics.webhooks.labels(name, "unavailable").inc()
        log.warning("webhook.secrets_unavailable", provider=name, reason=str(error))
        raise retry(problems.UNCHECKABLE, "The ingress cannot check who sends this", LATER) from None


def _authenticate(
    webhook: Webhook, told: WebhookRequest, secrets: Sequence[bytes], metrics: Metrics, *, refused: Set[str]
) -> None:
    """Raise ``Problem`` when ``told`` is not authentic for one of the reasons in ``refused``."""
    try:
        webhook.provider.authenticate(told, secrets)
    except Unauthenticated as error:
        reason = error.reason if error.reason in REASONS else "malformed"
        if reason in refused:
            raise _refused(webhook.provider.name, reason, metrics) from None


def _refused(name: str, reason: str, metrics: Metrics) -> Problem:
    metrics.webhooks.labels(name, reason).inc()
    log.info("webhook.refused", provider=name, reason=reason)
    # RFC 9110 asks for a challenge; one for all providers, so that it tells nothing either.
    headers = {"www-authenticate": "Webhook"}
    return Problem(problems.UNAUTHENTICATED, "Both sides need the same secret", headers=headers)
