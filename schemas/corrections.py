"""Which events correct what others have told, instead of telling what happened, and how one is written.

The ingress takes them from callers with the right to correct only (docs/ingress.md, "Who may send what").
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

OURS = "dev.dora."
REPORTS = "dev.dora.report."
# The CDEvent that a correction becomes can be sent as well.
AS_CDEVENT = "dev.cdeventsx.dora-attribution."
ATTRIBUTION = "dev.dora.attribution.set.v1"
ORDERED_BY = "/dora/deadletters"


def is_correction(type_: str) -> bool:
    """Whether an event of this type is a correction: all of our own types, but for reports.

    A type that is added later is one until somebody says otherwise here.
    """
    return type_.startswith((OURS, AS_CDEVENT)) and not type_.startswith(REPORTS)


def attribution(source: str, deploy_id: str, said: Mapping[str, Any], now: str) -> dict[str, Any]:
    """The CloudEvent that says ``said`` of a deployment, as of ``now`` (RFC 3339).

    ``said`` may hold ``failed``, ``unplanned``, ``cause`` and ``reason``; what is ``None`` is not said. Made
    again of the same, it is the same event.
    """
    data = {"deploy_id": deploy_id} | {name: value for name, value in said.items() if value is not None}
    return {
        "specversion": "1.0",
        "id": hashlib.sha256(orjson.dumps([now, data])).hexdigest(),
        "source": source,
        "type": ATTRIBUTION,
        "subject": deploy_id,
        "time": now,
        "datacontenttype": "application/json",
        "data": data,
    }


def deadletter_order(kind: str, identity: bytes, said: Mapping[str, Any], now: str) -> dict[str, Any]:
    """The CloudEvent that orders what becomes of a dead letter; equal orders are one event.

    ``redrive`` says the ``attempts`` that its sender knows of, ``drop`` the reason as ``because``. ``now`` is
    RFC 3339.
    """
    data = {"deadletter": identity.hex(), **said}
    return {
        "specversion": "1.0",
        "id": hashlib.sha256(orjson.dumps([kind, data])).hexdigest(),
        "source": ORDERED_BY,
        "type": f"dev.dora.deadletter.{kind}.v1",
        "subject": identity.hex(),
        "time": now,
        "datacontenttype": "application/json",
        "data": data,
    }
