"""Problem documents (RFC 9457): how both HTTP rooms say what went wrong and what to do about it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"


def problem(
    status: int,
    detail: str | None = None,
    *,
    kind: str | None = None,
    title: str | None = None,
    **members: Any,
) -> dict[str, Any]:
    """A problem document.

    ``kind`` names a fault that the status alone does not, as a short word with dashes; programs may rely on
    it. ``detail`` is for people. ``members`` are extension members; those that are ``None`` are left out.
    """
    document: dict[str, Any] = {
        "type": "about:blank" if kind is None else f"urn:dora:problem:{kind}",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
    }
    return document | {
        name: value for name, value in {"detail": detail, **members}.items() if value is not None
    }


# The schema of the document, for OpenAPI.
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "trace_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"parameter": {"type": "string"}, "reason": {"type": "string"}},
                "required": ["parameter", "reason"],
            },
        },
    },
    "required": ["type", "title", "status"],
}
