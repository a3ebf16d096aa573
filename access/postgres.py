"""How every process enters PostgreSQL: what its URL says of TLS, and what to say when it is not let in.

asyncpg reads ``sslmode``, ``sslrootcert``, ``sslcert`` and ``sslkey`` from the URL as libpq does, so that one
setting is enough for every connection. Here is what it leaves out: to find mistakes at the start, to warn of
a password that goes through a network in the clear, and to say in words why a server was not trusted.
"""

import os
import ssl
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, urlsplit

from access.trust import is_local

SCHEMES = ("postgresql", "postgres")
MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
PROTECTING = MODES[3:]
FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
HOST_MISMATCH = (62, 64)  # OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and ..._IP_ADDRESS_MISMATCH
EXPIRED = 10


def check(url: str) -> None:
    """Raise ``ValueError`` for a URL that no connection can be made with; it does not repeat the URL."""
    parts = _split(url)
    if parts is None or parts.scheme not in SCHEMES:
        raise ValueError("give a PostgreSQL URL: postgresql://user@host:5432/database")
    told = _parameters(parts)
    mode = told.get("sslmode")
    if mode is not None and mode not in MODES:
        raise ValueError(f"sslmode is none of {', '.join(MODES)}")
    for name in FILES:
        _check_readable(name, told.get(name))


def without_tls(url: str) -> str | None:
    """The host that ``url`` speaks to over a network without insisting on TLS, else ``None``.

    ``prefer``, which holds when nothing is said, takes TLS from a server that offers it, and lets whoever is
    between say that it does not.
    """
    parts = _split(url)
    told = _parameters(parts) if parts else {}
    mode = told.get("sslmode") or os.environ.get("PGSSLMODE") or "prefer"
    if parts is None or mode in PROTECTING:
        return None
    hosts = told.get("host") or parts.netloc.rpartition("@")[2]
    return next((host for host in map(_name, hosts.split(",")) if not _is_here(host)), None)


def trouble(error: BaseException, url: str) -> str:
    """Why ``url`` could not be connected to, and what to do about it, without its password."""
    parts = _split(url)
    place = parts.netloc.rpartition("@")[2] if parts else "PostgreSQL"
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrust(error, place)
    if isinstance(error, ssl.SSLError):
        told = getattr(error, "reason", None) or "unknown"
        return f"PostgreSQL at {place} ended TLS ({told}): does it ask for a client certificate? See sslcert"
    told = " ".join(str(error).split())
    if "rejected SSL upgrade" in told:
        return f"PostgreSQL at {place} does not offer TLS, and sslmode in DORA_POSTGRES asks for it"
    if "no encryption" in told:
        return f"PostgreSQL at {place} lets nobody in without TLS: add ?sslmode=verify-full to DORA_POSTGRES"
    if isinstance(error, OSError):
        return (
            f"PostgreSQL does not answer at {place} ({told or 'timeout'}): is it running, and is "
            "DORA_POSTGRES right?"
        )
    return f"PostgreSQL refused the connection: {told}. Check DORA_POSTGRES"


def is_lasting(error: BaseException) -> bool:
    """Whether waiting cannot help: the server is there, and is not trusted, or does not trust us."""
    return isinstance(error, ssl.SSLError) or "rejected SSL upgrade" in str(error)


def _distrust(error: ssl.SSLCertVerificationError, place: str) -> str:
    if error.verify_code in HOST_MISMATCH:
        told = "is for another host: connect by the name that it is for"
        return f"the certificate of PostgreSQL at {place} {told}"
    if error.verify_code == EXPIRED:
        return f"the certificate of PostgreSQL at {place} has expired: renew it"
    return (
        f"the certificate of PostgreSQL at {place} is not signed by an authority in sslrootcert "
        f"({error.verify_message}): give the right file in DORA_POSTGRES"
    )


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _parameters(parts: SplitResult) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(parts.query).items()}


def _check_readable(name: str, file: str | None) -> None:
    if file is None:
        return
    try:
        Path(file).read_bytes()
    except OSError as error:
        raise ValueError(f"{name}: {file} cannot be read ({error.strerror})") from None


def _name(host: str) -> str:
    """The host of ``host:port``, which may be an address in brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_here(host: str) -> bool:
    """Whether the way to ``host`` leaves this machine nowhere; a path is a socket."""
    return not host or host.startswith(("/", "%2F")) or is_local(host)
