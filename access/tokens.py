"""Signed tokens: JWT (RFC 7519) as OpenID Connect issuers sign them, checked with public keys. Pure.

What decides is fixed here and never taken from a token: the algorithms are a list of asymmetric ones, so that
neither ``none`` nor a public key used as a shared secret (RFC 8725, 2.1) is ever accepted, and a key verifies
only what it was made for.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.types import Options

LONGEST = 16 * 1024  # bytes; nothing of a longer token is looked at
LEEWAY = 30.0  # seconds that the clocks of issuer and server may differ

# Key type and curve -> the algorithms that such a key may verify.
_ALGORITHMS: Mapping[tuple[str, str | None], tuple[str, ...]] = {
    ("RSA", None): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
ALGORITHMS = frozenset(name for names in _ALGORITHMS.values() for name in names)

# The times are checked here, with the caller's clock; PyJWT would ask its own.
_OPTIONS: Options = {
    "require": ["exp", "iss", "aud"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "enforce_minimum_key_length": True,
}
_REASONS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.InvalidAudienceError, "audience"),
    (jwt.InvalidIssuerError, "issuer"),
    (jwt.MissingRequiredClaimError, "claims"),
    (jwt.InvalidSignatureError, "signature"),
    (jwt.InvalidAlgorithmError, "algorithm"),
    (jwt.InvalidKeyError, "key"),
)


class NotAuthentic(Exception):
    """The token proves nothing. Who sent it is told that and no more.

    ``reason`` is one of a few words, for logs and metrics: ``malformed``, ``algorithm``, ``key``,
    ``signature``, ``issuer``, ``audience``, ``expired``, ``early``, ``claims``; who asks for tokens adds
    such as ``missing`` and ``subject``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoUsableKeys(ValueError):
    """What an issuer publishes holds no key that a token can be checked with."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key of an issuer, and the algorithms that it is for."""

    id: str | None
    algorithms: tuple[str, ...]
    material: Any


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token says of itself before anything is proven: which key signed it, and how."""

    key_id: str | None
    algorithm: str


class KeySet:
    """The public keys of an issuer."""

    def __init__(self, keys: Collection[Key]) -> None:
        self._keys = tuple(keys)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def find(self, claim: Claim) -> Key | None:
        """The key that ``claim`` names; without a name the only one that fits, as OpenID Connect allows."""
        fitting = [key for key in self._keys if claim.algorithm in key.algorithms]
        if claim.key_id is not None:
            fitting = [key for key in fitting if key.id == claim.key_id]
        return fitting[0] if len(fitting) == 1 else None


def read_keys(document: Any) -> KeySet:
    """The keys of a JSON Web Key Set (RFC 7517) that can check tokens; the others are passed over.

    Raises ``NoUsableKeys``.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    found = [key for entry in (listed if isinstance(listed, list) else ()) if (key := _key_of(entry))]
    if not found:
        raise NoUsableKeys("it holds no public key of a type that is supported")
    return KeySet(found)


def _key_of(entry: Any) -> Key | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    identity, named = entry.get("kid"), entry.get("alg")
    try:
        possible = _ALGORITHMS.get((str(entry.get("kty")), entry.get("crv")), ())
        algorithms = possible if named is None else tuple(name for name in possible if name == named)
        if not algorithms:
            return None
        material = jwt.PyJWK(entry, algorithms[0]).key
    except (TypeError, ValueError, jwt.PyJWTError):
        return None  # a type that cannot be a name, or numbers that are no key
    if not hasattr(material, "verify"):
        return None  # a private key, which nobody publishes on purpose
    return Key(identity if isinstance(identity, str) else None, algorithms, material)


def claim_of(token: str) -> Claim:
    """Which key and algorithm ``token`` names. Raises ``NotAuthentic``."""
    # Latin-1 as headers are read: a character is a byte.
    if len(token) > LONGEST or not token.isascii():
        raise NotAuthentic("malformed")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise NotAuthentic("malformed") from None
    key_id, algorithm = header.get("kid"), header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise NotAuthentic("algorithm")
    if key_id is not None and not isinstance(key_id, str):
        raise NotAuthentic("malformed")
    return Claim(key_id, algorithm)


def verify(token: str, key: Key, *, issuer: str, audiences: Collection[str], now: float) -> Mapping[str, Any]:
    """The claims of ``token`` if ``key`` signed it for one of ``audiences`` and it is valid at ``now``.

    ``issuer`` is compared as it stands, ``now`` is in seconds since the epoch. Raises ``NotAuthentic``.
    """
    try:
        claims = jwt.decode(
            token, key.material, key.algorithms, _OPTIONS, audience=list(audiences), issuer=issuer
        )
    except jwt.PyJWTError as error:
        raise NotAuthentic(_reason_of(error)) from None
    _check_times(claims, now)
    return claims


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    if now >= _seconds(claims["exp"]) + LEEWAY:
        raise NotAuthentic("expired")
    for name in ("nbf", "iat"):
        if name in claims and now < _seconds(claims[name]) - LEEWAY:
            raise NotAuthentic("early")


def _seconds(value: Any) -> float:
    """A NumericDate (RFC 7519, 2): a number, and nothing that only looks like one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e15:
        raise NotAuthentic("claims")
    if not math.isfinite(value):
        raise NotAuthentic("claims")
    return float(value)


def _reason_of(error: jwt.PyJWTError) -> str:
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), "malformed")
