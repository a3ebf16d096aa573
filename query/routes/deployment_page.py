"""``/deployment``: one deployment down to its events, and the form that corrects whether it failed."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from query.addresses import deployment_address, service_address
from query.context import Context, Here
from query.correcting import (
    Correction,
    NotCorrected,
    has_followed,
    is_by_hand,
    read_form,
    send,
)
from query.deployment_view import deployment_view
from query.filters import read_filters
from query.forms import NO_STORE, read_body
from query.frequency import configured_zone
from query.pages import page
from query.parameters import Identity, Parameters
from query.problems import Refused, Unknown
from schemas.instant import format_instant

router = APIRouter(include_in_schema=False)

UNSEEN = "There is no such deployment, or none that you see; /services leads to those."
NO_INGRESS = "This process is not told where the ingress is (DORA_INGRESS_URL); use the command."
NOT_COUNTED = "Only a deployment that counts can be corrected; this one is in no number."
# A person waits for the page that shows their correction at work; the worker needs a second or two.
PATIENCE = 5.0  # seconds
PAUSE = 0.25


class DeploymentFilters(Parameters):
    """``sent``: the id of a correction that was sent from here."""

    id: Identity
    sent: Identity | None = None


def _chosen(request: Request) -> DeploymentFilters:
    return read_filters(request, DeploymentFilters)


Chosen = Annotated[DeploymentFilters, Depends(_chosen)]


@router.get("/deployment")
async def deployment(request: Request, here: Here, chosen: Chosen) -> Response:
    """One deployment."""
    return await _page(request, here, chosen)


@router.post("/deployment")
async def correct(request: Request, here: Here, chosen: Chosen) -> Response:
    """Have the ingress take a correction, wait until the numbers follow, and show it."""
    view = await _view(here, chosen.id)
    if not view["may_be_corrected"]:
        raise Refused({"id": NOT_COUNTED})
    if here.settings.ingress_url is None:
        raise Refused({"form": NO_INGRESS})
    try:
        said, token = read_form(await read_body(request))
        now = format_instant(here.now())
        sent = await send(here.settings, request.headers, chosen.id, said, token, now)
    except NotCorrected as error:
        return await _page(request, here, chosen, status=error.status, wrong=str(error))
    except Refused as error:
        return await _page(request, here, chosen, status=422, wrong=str(error))
    await _follow(here, view, sent, said)
    address = f"{deployment_address(chosen.id)}&sent={sent}#correction"
    return RedirectResponse(address, 303, NO_STORE)


async def _page(
    request: Request, here: Context, chosen: DeploymentFilters, *, status: int = 200, wrong: str = ""
) -> Response:
    view = await _view(here, chosen.id)
    response = page(
        request,
        "deployment.html",
        status=status,
        **view,
        of_service=service_address(view["row"]["service"]),
        can_send=here.settings.ingress_url is not None,
        needs_token=not is_by_hand(here.settings, request.headers),
        sent=chosen.sent,
        has_arrived=any(each["cause_id"] == chosen.sent for each in view["corrections"]),
        wrong=wrong,
    )
    response.headers.update(NO_STORE)
    return response


async def _view(here: Context, deploy_id: str) -> dict[str, Any]:
    async with here.database.reading() as reading:
        zone = await configured_zone(reading, here.settings)
        view = await deployment_view(reading, here, deploy_id)
    if view is None:
        raise Unknown(UNSEEN)
    return view | {"zone": zone}


async def _follow(here: Context, before: dict[str, Any], sent: str, said: Correction) -> None:
    """Wait until the links of the deployment are what was said; not for longer than a person likes to."""
    for _ in range(round(PATIENCE / PAUSE)):
        await asyncio.sleep(PAUSE)
        async with here.database.reading() as reading:
            view = await deployment_view(reading, here, before["row"]["deploy_id"])
        if view is None:
            return
        arrived = any(each["cause_id"] == sent for each in view["corrections"])
        corrected = before["last"] is not None
        if arrived and has_followed(said, view["row"], before["row"], corrected=corrected):
            return
