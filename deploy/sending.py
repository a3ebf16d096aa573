"""Sends messages to the HTTP ingress over several connections, and waits where the ingress asks for it."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from deploy.messages import Message, Unreadable

RETRIED = {429, 502, 503, 504}
REPORTS = "/webhooks/generic"  # the web hook that takes reports
PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds before another attempt where the answer names none
TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=5)


class NoIngressError(Exception):
    """Nothing answers at the ingress' address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one message: accepted, or refused with a reason. ``status`` 0 when it was not sent."""

    message: Message | Unreadable
    status: int
    reason: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the ingress has it."""
        return 200 <= self.status < 300


async def send(
    messages: Iterable[Message | Unreadable],
    url: str,
    tell: Callable[[Answer], None],
    *,
    connections: int = 8,
    patience: float = 60.0,
    token: str | None = None,
) -> None:
    """Send every message and ``tell`` each answer; one not taken within ``patience`` seconds is refused.

    ``token`` goes with messages that have no authorization of their own. Raises `NoIngressError` when the
    ingress never answered. With several connections the order is not kept.
    """
    queue = iter(messages)
    headers = {"Authorization": f"Bearer {token}"} if token else None
    async with aiohttp.ClientSession(
        url, headers=headers, timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        contact = Contact()
        senders = (work_off(queue, session, contact, tell, patience) for _ in range(connections))
        try:
            async with asyncio.TaskGroup() as group:
                for sender in senders:
                    group.create_task(sender)
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the senders fail alike; one is told


@dataclass(slots=True)
class Contact:
    """Whether the ingress has ever answered: if not, it is not there, and waiting would help nobody."""

    made: bool = False


async def work_off(
    queue: Iterator[Message | Unreadable],
    session: aiohttp.ClientSession,
    contact: Contact,
    tell: Callable[[Answer], None],
    patience: float,
) -> None:
    """Send from the common queue until it is empty."""
    for message in queue:
        tell(await deliver(message, session, contact, patience))


async def deliver(
    message: Message | Unreadable, session: aiohttp.ClientSession, contact: Contact, patience: float
) -> Answer:
    """One message, again and again while the ingress cannot take it."""
    if isinstance(message, Unreadable):
        return Answer(message, 0, message.reason)
    deadline, pause = time.monotonic() + patience, PAUSE
    while True:
        try:
            answer, asked = await post(message, session)
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
            if not contact.made:
                raise NoIngressError(
                    f"no ingress answers ({error}): run `dora up`, or set DORA_INGRESS_URL"
                ) from error
            answer, asked = Answer(message, 0, f"the ingress does not answer: {error}"), None
        else:
            contact.made = True
        if answer.status not in RETRIED | {0} or time.monotonic() > deadline:
            return answer
        await asyncio.sleep(pause if asked is None else min(asked, LONGEST_PAUSE))
        pause = min(pause * 2, LONGEST_PAUSE)


async def post(message: Message, session: aiohttp.ClientSession) -> tuple[Answer, float | None]:
    """One attempt: the answer, and the seconds after which the ingress wants another."""
    async with session.post(message.path, data=message.body, headers=message.headers) as response:
        if response.ok:
            await response.read()
            return Answer(message, response.status), None
        return Answer(message, response.status, await problem(response)), seconds(
            response.headers.get("Retry-After")
        )


async def problem(response: aiohttp.ClientResponse) -> str:
    """The detail of a problem document, else the beginning of the body."""
    text = await response.text(errors="replace")
    try:
        document = await response.json(content_type=None)
    except ValueError:
        return text[:200] or response.reason or ""
    if not isinstance(document, dict):
        return text[:200]
    return str(document.get("detail") or document.get("title") or text[:200])


def token_of(environment: Mapping[str, str], variable: str = "DORA_TOKEN") -> str | None:
    """The token in ``variable``, or in the file that the variable with ``_FILE`` names; raises `OSError`."""
    if file := environment.get(f"{variable}_FILE"):
        return Path(file).read_text().strip() or None
    return environment.get(variable, "").strip() or None


def advice(answer: Answer) -> str:
    """What helps when the ingress does not know who sends, or does not let them; empty when nothing does."""
    at_reports = isinstance(answer.message, Message) and answer.message.path == REPORTS
    match answer.status:
        case 401 | 404 if at_reports:
            return "; set DORA_REPORT_TOKEN to a secret of DORA_WEBHOOK_GENERIC_SECRETS"
        case 401:
            return "; set DORA_TOKEN to one of the ingress's DORA_INGRESS_TOKENS"
        case 403:
            return "; set DORA_TOKEN to one of the ingress's DORA_INGRESS_CORRECTION_TOKENS"
        case _:
            return ""


def seconds(retry_after: str | None) -> float | None:
    """Retry-After in seconds; ``None`` for none and for a date."""
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else None
