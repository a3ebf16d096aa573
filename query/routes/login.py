"""``/login`` and ``/logout``: a browser keeps the key or token that a program would send as a header.

It is kept in a cookie that no script can read and that is sent to nobody else; nothing is kept here. The
browser forgets it when it is closed, and it counts for nothing as soon as the key is revoked or the token
over.
"""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from query.authentication import Method, NotAuthenticated, caller_of
from query.context import Here
from query.forms import LARGEST_FORM, NO_STORE, read_body
from query.pages import COOKIE, page
from query.problems import Forbidden, Refused

router = APIRouter(include_in_schema=False)

TOO_LONG = {"credential": f"the form is longer than {LARGEST_FORM} bytes"}
WRONG = "This is not a valid key or token. Was all of it copied? It may also be revoked or over."


@router.get("/login")
async def form(request: Request) -> Response:
    """The form."""
    return _form(request, request.query_params.get("next", "/"))


@router.post("/login")
async def enter(request: Request, here: Here) -> Response:
    """Keep what proves who it is, and go on to where they wanted to be."""
    told = await _told(request)
    credential, onward = told.get("credential", "").strip(), told.get("next", "/")
    methods: list[Method] = request.app.state.methods
    try:
        await caller_of(credential, methods)
    except (NotAuthenticated, Forbidden) as error:
        here.measures.unauthenticated.labels(getattr(error, "reason", "forbidden")).inc()
        return _form(request, onward, wrong=WRONG, status=401)
    response = RedirectResponse(_own(onward), 303, NO_STORE)
    response.set_cookie(
        COOKIE, credential, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )
    return response


@router.post("/logout")
async def leave(request: Request) -> Response:
    """Forget it."""
    response = RedirectResponse("/login", 303, NO_STORE)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return response


def _form(request: Request, onward: str, *, wrong: str = "", status: int = 200) -> Response:
    response = page(request, "login.html", status=status, next=_own(onward), wrong=wrong, signed_in=False)
    response.headers.update(NO_STORE)
    return response


async def _told(request: Request) -> dict[str, str]:
    body = await read_body(request, TOO_LONG)
    try:
        return {name: values[0] for name, values in parse_qs(body.decode("ascii")).items()}
    except ValueError as error:
        raise Refused({"credential": "the form is not percent-encoded"}) from error


def _own(address: str) -> str:
    """``address`` where it is one of ours, else the first page: a login must not lead to another site."""
    is_ours = address.startswith("/") and not address.startswith("//") and address.isprintable()
    return address if is_ours and "\\" not in address else "/"
