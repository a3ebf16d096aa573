"""The id under which the log, the answer and the caller's own traces tell of one request."""

import re
from uuid import uuid4

from starlette.types import Scope

# W3C Trace Context: version, trace id, parent id, flags.
TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def trace_of(scope: Scope) -> str:
    """The trace id of a request: the caller's when it sent one, else a new one; the same at each call."""
    state = scope.setdefault("state", {})
    if "trace_id" not in state:
        match = TRACEPARENT.fullmatch(dict(scope["headers"]).get(b"traceparent", b""))
        state["trace_id"] = match[1].decode() if match else uuid4().hex
    return str(state["trace_id"])
