"""``/``: the deployments of the last days as a plain page, and the ways on."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from query.context import Here
from query.frequency import Row, configured_zone, rows_of_table
from query.problems import DOCUMENTED
from query.selection import selection
from schemas.calendar import local_day, midnight

router = APIRouter(tags=["page"])

SHOWN_DAYS = 30
SHOWN_ROWS = 500


@router.get("/", response_class=HTMLResponse, responses={503: DOCUMENTED[503]})
async def page(here: Here) -> Response:
    """A page for people."""
    async with here.database.reading() as reading:
        zone = await configured_zone(reading, here.settings)
        first = local_day(here.now(), zone) - timedelta(days=SHOWN_DAYS - 1)
        rows = await rows_of_table(
            reading, "day", zone, await selection(reading, here), midnight(first, zone).astimezone(UTC), None
        )
    template, policy = _template()
    text = template.substitute(days=SHOWN_DAYS, zone=escape(zone.key), rows="\n".join(_table(rows, zone)))
    return HTMLResponse(text, headers={"Content-Security-Policy": policy})


def _table(rows: Sequence[Row], zone: ZoneInfo) -> Iterator[str]:
    for row in reversed(rows[-SHOWN_ROWS:]):
        day = local_day(row.start, zone).isoformat()
        yield f"<tr><td>{day}</td><td>{escape(row.service)}</td><td>{row.deployments}</td></tr>"
    if not rows:
        yield '<tr><td colspan="3">No deployments yet.</td></tr>'


@cache
def _template() -> tuple[Template, str]:
    """The page, and a policy that allows its one style sheet and nothing else: no script, no other host."""
    text = files("query").joinpath("web", "page.html").read_text(encoding="utf-8")
    style = text.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return Template(text), policy
