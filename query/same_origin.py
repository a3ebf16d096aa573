"""Whether a request that changes something comes from one of our own pages. Pure.

Browsers send what they know of a site to that site, whoever asks them to: a page elsewhere could make them
post here. They also say where a request comes from, and that no page can change.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OURS = frozenset({"same-origin", "none"})  # none: typed, or from a bookmark


def is_foreign(method: str, headers: Headers) -> bool:
    """Whether a browser says that another site wants this. Programs say nothing, and are believed."""
    if method in SAFE:
        return False
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site not in OURS
    return origin is not None and _host(origin) != headers.get("host")


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
