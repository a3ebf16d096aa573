"""Makes the CloudEvent of a correction (docs/operating.md, "Correct an attribution")."""

from collections.abc import Mapping
from typing import Any

import orjson

from deploy.messages import STRUCTURED, Message
from schemas.corrections import attribution

SOURCE = "/dora/attribute"


def message_of(deploy_id: str, said: Mapping[str, Any], now: str) -> Message:
    """The request that says ``said`` of a deployment, as of ``now``; sent again it is the same event."""
    return Message("attribution", "/", STRUCTURED, orjson.dumps(attribution(SOURCE, deploy_id, said, now)))
