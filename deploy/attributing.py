"""Makes the CloudEvent of a correction (docs/operating.md, "Correct an attribution")."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from deploy.messages import STRUCTURED, Message

TYPE, SOURCE = "dev.dora.attribution.set.v1", "/dora/attribute"


def message_of(deploy_id: str, said: Mapping[str, Any], now: str) -> Message:
    """The request that says ``said`` of a deployment, as of ``now``; sent again it is the same event."""
    data = {"deploy_id": deploy_id} | {name: value for name, value in said.items() if value is not None}
    identity = hashlib.sha256(orjson.dumps([now, data])).hexdigest()
    event = {
        "specversion": "1.0",
        "id": identity,
        "source": SOURCE,
        "type": TYPE,
        "subject": deploy_id,
        "time": now,
        "datacontenttype": "application/json",
        "data": data,
    }
    return Message("attribution", "/", STRUCTURED, orjson.dumps(event))
