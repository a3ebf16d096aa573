"""``/assets``: what the pages are made of beside their HTML."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from query.assets import assets, digest
from query.conditional import entity_tag
from query.pages import takes_gzip
from query.problems import Unknown

router = APIRouter(include_in_schema=False)

FOR_EVER = "public, max-age=31536000, immutable"


@router.get("/assets/{version}/{name:path}")
async def asset(version: str, name: str, request: Request) -> Response:
    """An asset. Under an address of its content it may be kept for ever; under an outdated one it may not."""
    found = assets().get(name)
    if found is None:
        raise Unknown("There is no such asset; reload the page.")
    compressed = found.compressed if takes_gzip(request) else None
    body, current = compressed or found.body, digest()
    headers = {
        "Content-Type": found.media_type,
        "ETag": entity_tag(body),
        "Cache-Control": FOR_EVER if version == current else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if compressed:
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers)
