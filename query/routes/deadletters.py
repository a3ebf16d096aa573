"""``/v1/deadletters``: what could not be processed, where it came from and why."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from query.answers import DeadLetter, DeadLetters, reply
from query.context import Here
from query.paging import Paging
from query.parameters import DeadLettersAsked, NothingAsked, only
from query.problems import DOCUMENTED, NOT_FOUND, Unknown
from query.shapes import deadletter, whole_deadletter

router = APIRouter(tags=["facts"])
PATH = "/v1/deadletters"
LARGEST_BIGINT = 2**63 - 1

Number = Annotated[int, Path(ge=1, le=LARGEST_BIGINT)]


@router.get(PATH, dependencies=[only(DeadLettersAsked)], response_model=DeadLetters, responses=DOCUMENTED)
async def deadletters(asked: Annotated[DeadLettersAsked, Query()], here: Here) -> Response:
    """Dead letters, the latest first; their bytes are in the view of one."""
    paging = Paging(PATH, asked.filters(), asked.limit)
    (before,) = paging.behind(asked.cursor, int)
    async with here.database.reading() as reading:
        rows = await reading.rows(
            "deadletters", asked.state, asked.stage, asked.reason, asked.since, before, paging.wanted
        )
    if here.caller.is_scoped:
        rows = []  # what could not be processed belongs to nobody's service
    return reply(paging.page(rows, deadletter, lambda row: (row["deadletter_id"],)))


@router.get(
    PATH + "/{deadletter_id}",
    dependencies=[only(NothingAsked)],
    response_model=DeadLetter,
    responses=DOCUMENTED | NOT_FOUND,
)
async def one_deadletter(deadletter_id: Number, here: Here) -> Response:
    """One dead letter with the bytes of the record as they were on the topic."""
    async with here.database.reading() as reading:
        row = await reading.row("deadletter", deadletter_id)
    if row is None or here.caller.is_scoped:
        raise Unknown(f"There is no dead letter {deadletter_id}; {PATH} lists them.")
    return reply(whole_deadletter(row))
