"""The OpenAPI description: what FastAPI makes of the routes, and how to prove who asks."""

from typing import Any

from fastapi import FastAPI

from query.authentication import OPEN
from query.problems import described
from query.settings import KEYS, OIDC, Settings

SCHEMES: dict[str, dict[str, Any]] = {
    KEYS: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "dora_<id>_<secret>",
        "description": "An API key, made with `dora keys create`.",
    },
    OIDC: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of the OpenID Connect issuer that this installation trusts.",
    },
}
REFUSALS = {
    "401": "No valid key or token came with the request",
    "403": "The key or token does not let its holder ask for this",
}


def describe(app: FastAPI, settings: Settings) -> None:
    """Make ``app`` describe itself so. While everybody may ask, nothing is said of keys and tokens."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        made, document = app.openapi_schema is None, plain()  # which keeps what it returns
        if made and settings.methods:
            _secure(document, sorted(settings.methods))
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _secure(document: dict[str, Any], methods: list[str]) -> None:
    schemes = {name: SCHEMES[name] for name in methods}
    document.setdefault("components", {})["securitySchemes"] = schemes
    for path, item in document["paths"].items():
        for operation in item.values():
            if path in OPEN:
                continue
            operation["security"] = [{name: []} for name in methods]
            for status, told in REFUSALS.items():
                operation["responses"][status] = described(told)
            operation["responses"].setdefault("503", described("Nobody can be recognised now; try again"))
