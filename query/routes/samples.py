"""``/samples``: plays the sample events into an installation that has none of its own."""

from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from query.callers import EVENTS
from query.context import Context, Here
from query.problems import Forbidden, Refused
from query.samples import Samples

router = APIRouter(include_in_schema=False)

NO_INGRESS = (
    "this process is not told where the ingress is; set DORA_INGRESS_URL and start it again, "
    "or run ./dora demo in a new folder"
)


@router.post("/samples")
async def play(request: Request, here: Here) -> Response:
    """Begin to play them, and go back to the page that shows how far it is.

    Nobody may who sees only some teams, and nothing is played beside what is real: raises ``Forbidden`` and
    ``Refused``.
    """
    _check(here)
    if await _deployments(here):
        raise Refused(
            {"samples": "there are deployments already; the samples are only for an empty database"}
        )
    samples: Samples = request.app.state.samples
    if not samples.can_be_played:
        raise Refused({"samples": NO_INGRESS})
    samples.start(here.now())
    return RedirectResponse("/", 303)


@router.get("/samples")
async def state(request: Request, here: Here) -> Response:
    """How far it is, for the page's script."""
    _check(here)
    samples: Samples = request.app.state.samples
    told: dict[str, Any] = {
        "playing": samples.is_playing,
        "sent": samples.sent,
        "failure": samples.failure,
        "deployments": await _deployments(here),
    }
    return Response(orjson.dumps(told), media_type="application/json")


async def _deployments(here: Context) -> int:
    row = await here.database.lookup("deployments_up_to")
    return 0 if row is None else int(row["number"])


def _check(here: Context) -> None:
    if here.caller.is_scoped or EVENTS not in here.caller.rights:
        raise Forbidden
