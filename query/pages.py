"""Pages for people: templates of ``query/web/templates`` with everything escaped, and a policy that runs no
script and loads nothing but what this process serves.

A page is complete as HTML: its scripts draw the charts out of the tables that are in it, and add comfort.
"""

import gzip
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import Request
from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from query import readable
from query.assets import address, digest

# Vendored scripts are files of ours too. Nothing may be framed, embedded, or sent to another host.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# What every page offers, in this order.
SECTIONS = (("/", "Overview"), ("/services", "Services"), ("/live", "Live"), ("/ops", "Operations"))
COOKIE = "dora_credential"
SMALLEST_COMPRESSED = 1_000  # bytes; below, compression costs more than it gains


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> Response:
    """The template called ``template``, filled with ``context``.

    Beside it templates know ``asset(name)``, ``sections``, ``path`` and ``signed_in``, and as filters the
    functions of ``query.readable``. A name that is missing in the context is an error and not an empty text.
    """
    given = {
        "path": request.url.path,
        "sections": SECTIONS,
        "signed_in": COOKIE in request.cookies,
        **context,
    }
    body = _templates().get_template(template).render(given).encode()
    headers = {"Content-Security-Policy": POLICY, "Vary": "Accept-Encoding, Cookie"}
    if len(body) >= SMALLEST_COMPRESSED and takes_gzip(request):
        body = gzip.compress(body, 4)
        headers["Content-Encoding"] = "gzip"
    return HTMLResponse(body, status, headers)


def prepare() -> None:
    """Read and compile everything, so that the first visitor need not wait for it."""
    templates = _templates()
    for file in files("query").joinpath("web", "templates").iterdir():
        templates.get_template(file.name)
    digest()


def wants_page(request: Request) -> bool:
    """Whether a person's browser navigates: it asks for HTML by name, and not for an answer of the API."""
    told = request.headers.get("accept", "")
    return "text/html" in told and not request.url.path.startswith(("/v1/", "/deploy-frequency/"))


def takes_gzip(request: Request) -> bool:
    """Whether the answer may be compressed."""
    accepted = request.headers.get("accept-encoding", "").lower().split(",")
    named = {name.strip(): weight.strip() for name, _, weight in (each.partition(";") for each in accepted)}
    return "gzip" in named and named["gzip"] not in ("q=0", "q=0.0")


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_read),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["asset"] = address
    environment.filters.update({name: getattr(readable, name) for name in readable.__all__})
    return environment


def _read(name: str) -> str | None:
    file = files("query").joinpath("web", "templates", name)
    return file.read_text(encoding="utf-8") if file.is_file() else None
