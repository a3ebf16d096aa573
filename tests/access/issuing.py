"""A real issuer of tokens on this machine: keys, a discovery document and a key set over HTTP."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from jwt.algorithms import get_default_algorithms

AUDIENCE = "dora"
SUBJECT = "system:serviceaccount:dora-cloudevents:workloads"
LIFETIME = 3600


def private_key(algorithm: str, number: int = 0) -> PrivateKeyTypes:
    """A key for ``algorithm``; another one for each ``number``."""
    return _made(algorithm, number)


@cache
def _made(algorithm: str, _: int) -> PrivateKeyTypes:
    if algorithm.startswith(("RS", "PS")):
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if algorithm.startswith("ES"):
        curves = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
        return ec.generate_private_key(curves[algorithm])
    return ed25519.Ed25519PrivateKey.generate()


def public_jwk(algorithm: str, number: int = 0, **members: Any) -> dict[str, Any]:
    """What an issuer publishes of that key."""
    made = get_default_algorithms()[algorithm].to_jwk(
        private_key(algorithm, number).public_key(), as_dict=True
    )
    return made | {"kid": f"{algorithm}-{number}", "use": "sig", "alg": algorithm} | members


def claims_of(issuer: str, **changed: Any) -> dict[str, Any]:
    """Claims that are good now; ``None`` leaves one out."""
    now = int(time.time())
    claims = {"iss": issuer, "aud": AUDIENCE, "sub": SUBJECT, "iat": now, "nbf": now, "exp": now + LIFETIME}
    return {name: value for name, value in (claims | changed).items() if value is not None}


def sign(claims: dict[str, Any], algorithm: str = "RS256", number: int = 0, **headers: Any) -> str:
    """``claims`` as a token."""
    named = {"kid": f"{algorithm}-{number}"} | headers
    named = {name: value for name, value in named.items() if value is not None}
    payload = json.dumps(claims).encode()  # not jwt.encode(), which checks claims
    return jwt.PyJWS().encode(payload, private_key(algorithm, number), algorithm=algorithm, headers=named)


@dataclass
class Answering:
    """An issuer that listens; what it answers can be changed, and what it was asked is counted."""

    url: str = ""
    keys: list[dict[str, Any]] = field(default_factory=lambda: [public_jwk("RS256")])
    status: int = 200
    delay: float = 0.0
    discovery: dict[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    bearer: str | None = None
    asked: list[str] = field(default_factory=list)

    @property
    def asked_for_keys(self) -> int:
        return self.asked.count("/keys")

    def token(self, algorithm: str = "RS256", number: int = 0, **changed: Any) -> str:
        return sign(claims_of(self.url, **changed), algorithm, number)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        await asyncio.sleep(self.delay)
        if self.status != 200:
            return web.Response(status=self.status, headers={"location": f"{self.url}/keys"})
        if self.bearer is not None and request.headers.get("authorization") != f"Bearer {self.bearer}":
            return web.Response(status=403)
        if request.path != "/keys":
            return web.json_response({"issuer": self.url, "jwks_uri": f"{self.url}/keys"} | self.discovery)
        return web.Response(body=self.body or json.dumps({"keys": self.keys}).encode())


@asynccontextmanager
async def answering(ssl_context: Any = None) -> AsyncIterator[Answering]:
    """An issuer until the end of the block."""
    issuer = Answering()
    app = web.Application()
    app.router.add_get("/{path:.*}", issuer.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=ssl_context)
    await site.start()
    scheme = "http" if ssl_context is None else "https"
    issuer.url = f"{scheme}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield issuer
    finally:
        await runner.cleanup()
