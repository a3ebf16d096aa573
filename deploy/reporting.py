"""Makes a report of what the user said and what the CI job tells of itself, and sends it."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from deploy.ci import Job
from deploy.messages import STRUCTURED, Message, Unreadable
from deploy.sending import REPORTS, Answer, advice, send
from schemas.report import SOURCE, TYPE, Deployment, Incident, InvalidReport, Report, kind_of, read

PATIENCE = 60.0  # seconds; a deployment is over, and its job can wait


class NotReported(Exception):
    """The report could not be made, or was not taken; the message says why."""


def document_of(kind: str, said: Mapping[str, Any], job: Job, now: str) -> bytes:
    """The report as JSON: what is ``said``, else what ``job`` knows. Raises ``NotReported``."""
    known: dict[str, Any] = {"source": job.source, "repository": job.repository, "commit": job.commit}
    if kind == "deployment":
        known["id"] = job.run
    elif kind == "change":
        known["branch"] = job.branch
    else:
        known = {}  # an incident is not of this job, and another one may end it
    told = known | {name: value for name, value in said.items() if value not in (None, "")}
    told.setdefault("time", now)
    body = orjson.dumps({"kind": kind} | {name: value for name, value in told.items() if value is not None})
    try:
        read(body)
    except InvalidReport as error:
        raise NotReported(str(error)) from None
    return body


def message_of(body: bytes, token: str | None) -> Message:
    """The request that carries a report: to the web hook with a token, else as a CloudEvent."""
    if token is not None:
        headers = (("Authorization", f"Bearer {token}"), ("Content-Type", "application/json"))
        return Message("report", REPORTS, headers, body)
    report = read(body)
    return Message("report", "/", STRUCTURED, orjson.dumps(_cloudevent(report, body)))


def _cloudevent(report: Report, body: bytes) -> dict[str, Any]:
    """The very event that the web hook would have made."""
    return {
        "specversion": "1.0",
        "id": hashlib.sha256(body).hexdigest(),
        "source": report.source or SOURCE,
        "type": TYPE.format(kind=kind_of(report)),
        "time": report.instant,
        "datacontenttype": "application/json",
        "data": orjson.Fragment(body),
    }


def summary(body: bytes) -> str:
    """One line of what was reported; a deployment's id is what an incident may name as its cause."""
    report = read(body)
    if isinstance(report, Deployment):
        return f"reported deployment of {report.service} to {report.environment} deploy_id={report.deploy_id}"
    if isinstance(report, Incident):
        return f"reported incident {report.id} {report.status}"
    return f"reported change {report.identity} {report.status}"


async def deliver(message: Message, url: str, token: str | None = None) -> None:
    """Send until it is taken. Raises ``NotReported``, and ``NoIngressError`` when nothing answers.

    ``token`` is for the ingress's endpoints for events; a web hook's goes with the message.
    """
    answers: list[Answer] = []
    messages: list[Message | Unreadable] = [message]
    await send(messages, url, answers.append, connections=1, patience=PATIENCE, token=token)
    (answer,) = answers
    if answer.accepted:
        return
    raise NotReported(f"{answer.status} {answer.reason}{advice(answer)}")
