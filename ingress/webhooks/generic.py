"""Reports that anybody can send: ``POST /webhooks/generic`` with a bearer token (docs/reporting.md).

This is our own interface, and its senders are told what is wrong with a report; a provider's web hook is not.
"""

from collections.abc import Sequence

from ingress.webhooks import authorization
from ingress.webhooks.payload import event_of
from ingress.webhooks.provider import Provider, WebhookRequest
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.report import TYPE, InvalidReport, kind_of, read


def authenticate(request: WebhookRequest, secrets: Sequence[bytes]) -> None:
    """By a bearer token, or by basic authentication."""
    authorization.verify(request, secrets)


def translate(request: WebhookRequest) -> CloudEvent:
    """``dev.dora.report.<kind>.v1``; the same bytes sent again are the same event.

    Raises ``InvalidCloudEvent`` saying what is wrong with the report.
    """
    try:
        report = read(request.body)
    except InvalidReport as error:
        raise InvalidCloudEvent(str(error)) from None
    return event_of(
        request,
        type_=TYPE.format(kind=kind_of(report)),
        source=report.source,
        subject=report.service or report.repository,
        time=report.instant,
    )


provider = Provider("generic", authenticate, translate)
