"""A correction that a person makes on a page: what the form says, and the way to the ingress.

The query process can only read. It passes the correction on, as a browser's request: with the person's own
token, which is kept nowhere, and with the ``Origin`` of the page, so that an ingress that takes everything
from programs of its own machine does not take a page's word for one of them (docs/dashboard.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import orjson
import structlog
from starlette.datastructures import Headers

from access.trust import is_local
from query.database import Row
from query.problems import Refused
from query.settings import Settings
from schemas.corrections import attribution

log = structlog.get_logger("query")

SOURCE = "/dora/dashboard"
MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"
TIMEOUT = 10.0  # seconds; the ingress answers 503 by itself after 7
LONGEST = 256  # characters of a cause and a reason, as the workers take them

FIELDS = ("failed", "unplanned", "cause", "reason", "token")
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "via")
ANSWERS: Mapping[str, bool | None] = {"rules": None, "yes": True, "no": False}

UNPROVEN = "Enter a token with the right to correct: nobody is taken at their word from another machine."
NOT_REACHED = "The ingress did not answer, so it is not certain that it has the correction; send it again."
REFUSALS = {
    401: "The ingress does not know this token; nothing was corrected.",
    403: "This token may not correct: it has to be one of DORA_INGRESS_CORRECTION_TOKENS of the ingress.",
    503: "The ingress cannot take it now; nothing was corrected. Send it again in a moment.",
}
OPEN_REFUSED = "The ingress wants a token with the right to correct; enter one."


class NotCorrected(Exception):
    """Nothing was corrected; the message tells the person why. ``status`` is that of the answer."""

    def __init__(self, status: int, told: str) -> None:
        super().__init__(told)
        self.status = status


@dataclass(frozen=True, slots=True)
class Correction:
    """What a form says. ``None`` leaves it to the rules."""

    failed: bool | None
    unplanned: bool | None
    cause: str | None
    reason: str | None

    @property
    def said(self) -> dict[str, Any]:
        """The data of the event."""
        return {
            "failed": self.failed,
            "unplanned": self.unplanned,
            "cause": self.cause,
            "reason": self.reason,
        }


def read_form(body: bytes) -> tuple[Correction, str | None]:
    """The correction in a form, and the token. Raises ``Refused``."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=10)
    except ValueError as error:
        raise Refused({"form": "not a form in UTF-8"}) from error
    form = dict(pairs)
    if len(form) < len(pairs) or not form.keys() <= set(FIELDS):
        raise Refused({"form": f"has these fields, each once: {', '.join(FIELDS)}"})
    failed, unplanned = (_answer(form, name) for name in ("failed", "unplanned"))
    cause, reason = (_text(form, name) for name in ("cause", "reason"))
    if cause is not None and not failed:
        raise Refused({"cause": "is what made it fail; it goes with failed"})
    token = form.get("token", "").strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Refused({"token": "is no token: it has spaces or letters that no token has"})
    return Correction(failed, unplanned, cause, reason), token or None


def _answer(form: Mapping[str, str], name: str) -> bool | None:
    if form.get(name, "rules") not in ANSWERS:
        raise Refused({name: f"is one of {', '.join(ANSWERS)}"})
    return ANSWERS[form.get(name, "rules")]


def _text(form: Mapping[str, str], name: str) -> str | None:
    text = form.get(name, "").strip()
    if len(text) > LONGEST or (text and not text.isprintable()):
        raise Refused({name: f"is one line of at most {LONGEST} characters"})
    return text or None


def is_by_hand(settings: Settings, headers: Headers) -> bool:
    """Whether whoever sends a form sits at this machine, and so may do there what its programs may.

    Only this machine can reach us then, without a proxy, and the browser asked for it by such a name: a page
    from elsewhere whose name was made to lead here (DNS rebinding) is asked for by that name.
    """
    is_alone = is_local(settings.host) and not settings.methods and settings.open is not False
    return is_alone and is_local(_host(headers)) and not any(name in headers for name in FORWARDED)


def _host(headers: Headers) -> str:
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


async def send(
    settings: Settings, headers: Headers, deploy_id: str, said: Correction, token: str | None, now: str
) -> str:
    """Have the ingress take ``said`` of a deployment, as of ``now``; the id of the event.

    Raises ``NotCorrected``.
    """
    event = attribution(SOURCE, deploy_id, said.said, now)
    await give(settings, headers, event, token)
    return str(event["id"])


async def give(settings: Settings, headers: Headers, event: Mapping[str, Any], token: str | None) -> None:
    """Have the ingress take a correction of any kind. Raises ``NotCorrected``."""
    by_hand = is_by_hand(settings, headers)
    if token is None and not by_hand:
        raise NotCorrected(403, UNPROVEN)
    shown = {"Content-Type": MEDIA_TYPE}
    if token is not None:
        shown["Authorization"] = f"Bearer {token}"
    if not by_hand:
        shown["Origin"] = headers.get("origin", "null")
    status, detail = await _post(str(settings.ingress_url), event, shown)
    log.info("correction.sent", subject=event["subject"], id=event["id"], status=status)
    if not 200 <= status < 300:
        told = OPEN_REFUSED if status in (401, 403) and token is None else REFUSALS.get(status, detail)
        raise NotCorrected(status if status in REFUSALS else 502, told)


async def _post(url: str, event: Mapping[str, Any], headers: Mapping[str, str]) -> tuple[int, str]:
    """The ingress's status, and what it says of a refusal."""
    try:
        # Neither a proxy nor a redirect: the token is for the ingress alone.
        async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
            answer = await client.post(f"{url}/cloudevents", content=orjson.dumps(event), headers=headers)
    except httpx.HTTPError as error:
        log.warning("correction.unsent", error=type(error).__name__)
        raise NotCorrected(503, NOT_REACHED) from None
    try:
        document = orjson.loads(answer.content)
        detail = document.get("detail") if isinstance(document, dict) else None
    except orjson.JSONDecodeError:
        detail = None
    return answer.status_code, f"The ingress answered {answer.status_code}: {detail or 'no reason given'}"


def has_followed(said: Correction, row: Row, before: Row, *, corrected: bool) -> bool:
    """Whether the links of a deployment, as ``row`` has them, are those that ``said`` asks for.

    ``before`` is what they were, and ``corrected`` whether a person had said so. What is left to the rules
    again is only seen to have followed when they say something else.
    """
    failure, rework = row["failure_rule"], row["rework_rule"]
    if corrected and (said.failed is None or said.unplanned is None):
        return (failure, rework) != (before["failure_rule"], before["rework_rule"])
    return _fits(failure, said=said.failed) and _fits(rework, said=said.unplanned)


def _fits(rule: str | None, *, said: bool | None) -> bool:
    if said is None:
        return rule != "correction"
    return rule == "correction" if said else rule is None
