"""Orders to handle dead letters again, given on a page: the same as ``dora deadletters redrive`` gives.

An order is a CloudEvent and goes through the ingress, with the proof of whoever gives it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from starlette.datastructures import Headers

from query.correcting import NotCorrected, give
from query.database import Reading, Row
from query.operations import LISTED_LETTERS
from query.problems import Refused
from query.settings import Settings
from schemas.corrections import deadletter_order
from schemas.deadletters import hopeless

PATIENCE, PAUSE = 3.0, 0.3  # seconds to wait for what comes of it, and between two looks


def read_choice(body: bytes) -> tuple[Sequence[int], str | None]:
    """The numbers of the dead letters in a form, and the token. Raises ``Refused``."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
        numbers = [int(value) for name, value in pairs if name == "letter"]
    except ValueError as error:
        raise Refused({"form": "not a form with numbers of dead letters"}) from error
    tokens = [value.strip() for name, value in pairs if name == "token"]
    if len(tokens) > 1 or not {name for name, _ in pairs} <= {"letter", "token"}:
        raise Refused({"form": "has letter, which may be repeated, and token"})
    if not 1 <= len(set(numbers)) <= LISTED_LETTERS or not all(0 < each < 2**63 for each in numbers):
        raise Refused({"letter": f"choose 1 to {LISTED_LETTERS} dead letters"})
    token = tokens[0] if tokens else ""
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Refused({"token": "is no token: it has spaces or letters that no token has"})
    return sorted(set(numbers)), token or None


async def chosen(reading: Reading, numbers: Sequence[int]) -> Sequence[Row]:
    """Those of the dead letters that can be redriven now."""
    rows = await reading.rows("redrivable", numbers)
    return [row for row in rows if row["state"] == "open" and not hopeless(row["stage"], row["reason"])]


async def order(
    settings: Settings, headers: Headers, letters: Sequence[Row], token: str | None, now: str
) -> int:
    """Have the ingress take the orders; how many. Raises ``NotCorrected``, and says how many it has."""
    given = 0
    for letter in letters:
        said: Mapping[str, int] = {"attempts": letter["attempts"]}
        try:
            await give(settings, headers, deadletter_order("redrive", letter["identity"], said, now), token)
        except NotCorrected as error:
            told = f"{error} {given} of {len(letters)} were ordered before." if given else str(error)
            raise NotCorrected(error.status, told) from error
        given += 1
    return given


async def pause() -> None:
    """Before another look at what came of an order."""
    await asyncio.sleep(PAUSE)
