"""Asks an issuer for its public keys, over HTTP, within bounds of time and size."""

from typing import Any

import httpx
import orjson

from access.tokens import KeySet, NoUsableKeys, read_keys
from access.trust import MisconfiguredIssuer, TrustedIssuer, authorities, check_url, is_loopback, own_token

PATH = "/.well-known/openid-configuration"
TIMEOUT = 5.0  # seconds for each step of a request
LARGEST = 256 * 1024  # bytes of one document


class Unanswered(Exception):
    """Why an attempt brought no keys, in constant words."""


async def fetch_keys(trusted: TrustedIssuer) -> KeySet:
    """The keys that ``trusted`` publishes now. Raises an error in constant words."""
    try:
        verification = True if trusted.ca_file is None else authorities(trusted.ca_file)
        headers = {"accept": "application/json", **own_token(trusted.token_file)}
    except (OSError, ValueError):
        raise Unanswered("the file of its authorities or of our own token cannot be read") from None
    # Redirects are not followed: they could lead to where nobody vouches for the keys.
    async with httpx.AsyncClient(
        verify=verification, headers=headers, timeout=TIMEOUT, trust_env=not is_loopback(trusted.url)
    ) as client:
        url = trusted.keys_url or await _discovered(client, trusted.url)
        try:
            return read_keys(await _document(client, url))
        except NoUsableKeys:
            raise Unanswered("its key set holds no key that can be used") from None


async def _discovered(client: httpx.AsyncClient, issuer: str) -> str:
    """Where the key set is (OpenID Connect Discovery 1.0, 4.3: the document has to name this very issuer)."""
    document = await _document(client, issuer.rstrip("/") + PATH)
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        raise Unanswered("its discovery document names another issuer")
    url = str(document.get("jwks_uri"))
    try:
        check_url(url)
    except MisconfiguredIssuer:
        raise Unanswered("its discovery document names keys at an address without https") from None
    if is_loopback(url) and not is_loopback(issuer):
        raise Unanswered("its discovery document names keys on this machine")
    return url


async def _document(client: httpx.AsyncClient, url: str) -> Any:
    try:
        async with client.stream("GET", url) as response:
            if response.status_code != httpx.codes.OK:
                raise Unanswered(f"it answered {response.status_code}")
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > LARGEST:
                    raise Unanswered("its answer is too large")
            return orjson.loads(bytes(body))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unanswered(f"it cannot be reached ({type(error).__name__})") from None
    except orjson.JSONDecodeError:
        raise Unanswered("its answer is no JSON") from None
