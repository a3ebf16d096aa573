"""Which issuers of tokens are trusted, and how they are asked: settings, checked when they are made."""

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit


class MisconfiguredIssuer(ValueError):
    """The settings name an issuer that must not be trusted; the message says what to set."""


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer, and what its tokens have to say to count here.

    ``url`` is compared with ``iss`` as it stands, ``audiences`` with ``aud``: one of them has to be in it.
    ``keys_url`` is where the key set is; without it the issuer's discovery document says so. ``ca_file``
    holds the authorities that its certificate is checked with, in the place of the public ones.
    ``token_file`` holds a token of our own to ask with: the API server of a cluster tells its keys to service
    accounts only.

    Raises ``MisconfiguredIssuer``.
    """

    url: str
    audiences: tuple[str, ...]
    keys_url: str | None = None
    ca_file: Path | None = None
    token_file: Path | None = None

    def __post_init__(self) -> None:
        check_url(self.url)
        if self.keys_url is not None:
            check_url(self.keys_url)
        if not self.audiences or not all(self.audiences):
            raise MisconfiguredIssuer("name the audience that tokens have to be made for")
        for file in (self.ca_file, self.token_file):
            _check_readable(file)
        if self.ca_file is not None:
            authorities(self.ca_file)


def check_url(url: Any) -> None:
    """Raise ``MisconfiguredIssuer`` unless keys from ``url`` can be trusted.

    Over plain HTTP whoever is between could put in keys of their own; on this machine nobody is.
    """
    parts = _split(url)
    if parts is None or not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise MisconfiguredIssuer("an issuer is an address such as https://login.example.com")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url)):
        raise MisconfiguredIssuer("an issuer has to be asked over https; http is for 127.0.0.1 only")


def is_loopback(url: str) -> bool:
    """Whether ``url`` leads to this machine."""
    parts = _split(url)
    return parts is not None and is_local(parts.hostname or "")


def is_local(host: str) -> bool:
    """Whether ``host``, in lower case, is this machine alone. Of names only localhost is for certain."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: Any) -> SplitResult | None:
    try:
        return urlsplit(url) if isinstance(url, str) else None
    except ValueError:
        return None


def authorities(file: Path) -> ssl.SSLContext:
    """The verification of certificates by those in ``file`` alone. Raises ``OSError`` too."""
    try:
        return ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        raise MisconfiguredIssuer(f"{file}: it holds no certificate in PEM") from None


def _check_readable(file: Path | None) -> None:
    try:
        if file is not None and not file.read_bytes().strip():
            raise MisconfiguredIssuer(f"{file}: it is empty")
    except OSError as error:
        raise MisconfiguredIssuer(f"{file}: it cannot be read ({error.strerror})") from None


def own_token(file: Path | None) -> dict[str, str]:
    """The header to ask with. The file is read each time: a projected token is replaced every hour."""
    if file is None:
        return {}
    return {"authorization": f"Bearer {file.read_text(encoding='ascii').strip()}"}
