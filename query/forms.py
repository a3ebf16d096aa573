"""What browsers post to pages: read up to a limit, and answered by what nobody keeps."""

from collections.abc import Mapping

from fastapi import Request

from query.problems import Refused

LARGEST_FORM = 16 * 1024  # bytes; a token with many claims has a few thousand
TOO_LONG = {"form": f"longer than {LARGEST_FORM} bytes"}
NO_STORE = {"Cache-Control": "no-store"}


async def read_body(request: Request, too_long: Mapping[str, str] = TOO_LONG) -> bytes:
    """The body of a form. Raises ``Refused`` with ``too_long`` as soon as it is too long."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            raise Refused(dict(too_long))
    return bytes(body)
