"""How callers prove who they are, for OpenAPI."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from ingress.callers import Callers

SCHEMES: Mapping[str, Any] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "One of the tokens of this installation, or one that the issuer it trusts has signed"
        " (docs/ingress.md). Corrections need a token with the right to send them.",
    },
    "webhook": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "Or as the provider signs: X-Hub-Signature-256, X-Gitlab-Token, Webhook-Signature,"
        " X-PagerDuty-Signature (docs/webhooks.md).",
    },
}
WEBHOOKS = "/webhooks/{provider}"


def describe_security(app: FastAPI, callers: Callers) -> None:
    """Say in the description of ``app`` what each endpoint for events asks of its callers."""
    make = app.openapi
    demanded: list[dict[str, list[str]]] = [*([{}] if callers.anonymous else []), {"token": []}]

    def openapi() -> dict[str, Any]:
        document = make()
        document.setdefault("components", {})["securitySchemes"] = dict(SCHEMES)
        for path, operations in document["paths"].items():
            if "events" in operations.get("post", {}).get("tags", ()):
                operations["post"]["security"] = [{"webhook": []}] if path == WEBHOOKS else demanded
        return document

    app.openapi = openapi  # type: ignore[method-assign]
