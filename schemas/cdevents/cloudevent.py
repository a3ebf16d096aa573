"""CDEvents on the ``cdevents`` topic: CloudEvents in Kafka's binary content mode, there and back.

Rules: CDEvents 0.5.1, cloudevents-binding.md; CloudEvents 1.0.2, kafka-protocol-binding.md. Two extension
attributes name the CloudEvent behind the CDEvent: ``causesource`` and ``causeid``.
"""

from datetime import UTC, datetime

from cloudevents.core.bindings.kafka import to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent as OutgoingCloudEvent

from schemas.cdevents.event import CDEvent
from schemas.cdevents.validate import errors_of
from schemas.cdevents.versions import split_type
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent

Record = tuple[bytes, bytes, list[tuple[str, bytes]]]

# Events about a service in an environment share a key, so that they share a partition and stay in order.
PLACED = ("service.", "incident.", "dora-deployment.")

# The SDK takes a datetime and would cut a timestamp to microseconds; ce_time is written from the text.
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_FORMAT = JSONFormat()


def to_record(cdevent: CDEvent, traceparent: str | None) -> Record:
    """Return key, value and headers of the record that carries ``cdevent``.

    ``traceparent``, W3C trace context, goes along twice with the same value: as the Kafka header that
    tracing tools look for, and as the CloudEvents extension (distributed-tracing.md).
    """
    attributes = {
        "specversion": "1.0",
        "id": cdevent.id,
        "source": cdevent.source,
        "type": cdevent.type,
        "subject": cdevent.subject_id,
        "time": _NO_TIME,
        "datacontenttype": "application/json",
        "causesource": cdevent.cause[0],
        "causeid": cdevent.cause[1],
    }
    if traceparent is not None:
        attributes["traceparent"] = traceparent
    message = to_binary(OutgoingCloudEvent(attributes, cdevent.to_json()), _FORMAT)
    headers = {**message.headers, "ce_time": cdevent.timestamp.encode()}
    if traceparent is not None:
        headers["traceparent"] = traceparent.encode()
    return key_of(cdevent), message.value, list(headers.items())


def key_of(cdevent: CDEvent) -> bytes:
    """Return the identity of the event's subject, UTF-8, by which Kafka chooses the partition.

    ``<environment>/<service>`` for ``service.*``, ``incident.*`` and ``dora-deployment.*``: what
    ``customData.dora`` says, else the ids of ``environment`` and ``service`` in ``subject.content``. A
    service that neither names is ``subject.id``; an unknown environment is left out with its slash.
    ``subject.id`` for all other events.
    """
    if not split_type(cdevent.type)[0].startswith(PLACED):
        return cdevent.subject_id.encode()
    environment = cdevent.dora.get("environment") or _content_id(cdevent, "environment")
    service = cdevent.dora.get("service") or _content_id(cdevent, "service") or cdevent.subject_id
    return (f"{environment}/{service}" if environment else str(service)).encode()


def read_cdevent(event: CloudEvent) -> CDEvent:
    """Return the CDEvent that a record of the ``cdevents`` topic carries. Raises ``InvalidCloudEvent``.

    It must be valid, and envelope and context must name the same event. An event without ``causesource`` and
    ``causeid`` is its own cause.
    """
    document = event.data
    if errors := errors_of(document):
        raise InvalidCloudEvent(f"not a valid CDEvent: {errors[0]}")
    attributes = event.attributes
    cause = (str(attributes.get("causesource", event.source)), str(attributes.get("causeid", event.id)))
    cdevent = CDEvent(document, cause)
    if (cdevent.id, cdevent.source, cdevent.type) != (event.id, event.source, event.type):
        raise InvalidCloudEvent("id, source or type of the CloudEvent are not those of the CDEvent in it")
    return cdevent


def _content_id(cdevent: CDEvent, name: str) -> str | None:
    value = cdevent.document["subject"]["content"].get(name)
    return value.get("id") if isinstance(value, dict) else None
