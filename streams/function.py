"""A built-in source as an HTTP function: a CloudEvent comes in by POST, its CDEvents go back.

What `dora function NAME` serves, for Knative and for routes maps. Any path takes events, as with the
functions that this project replaces. Nothing is published and nothing remembered: who calls does that. The
ids are those that the built-in source gives; the worker's call stage puts its own in their place.

A stateful source folds each event on an empty state, as if it were the first that is known of its object.
What only its past can tell is missing then: a restart and a rollback look like any rollout, and a rollout
whose beginning was told by an earlier message is ignored. Every report of one revision has one ``deploy_id``,
so that it counts once. To have it right, route these events to the worker's own source.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import orjson
from fastapi import FastAPI, Request, Response

from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent, UnsupportedFormat
from schemas.cloudevents.format import BATCH_MEDIA_TYPE
from schemas.cloudevents.http import read_message, write_binary
from schemas.problems import MEDIA_TYPE, problem
from streams.functions import LARGEST_ANSWER, OUTCOME, REASON
from streams.outcome import Observed
from streams.router import Fate, settle
from streams.source import Source
from streams.sources import find_sources

LARGEST_EVENT = LARGEST_ANSWER  # bytes
LONGEST_REASON = 1000  # characters of the percent-encoded header; servers allow 8 KiB for all headers


class UnknownFunction(ValueError):
    """There is no source of this name; the message says which there are."""


class Refused(Exception):
    """A request that holds no event to transform."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def create_function(name: str, catalog: Catalog, sources: Mapping[str, Source] | None = None) -> FastAPI:
    """The source ``name`` as an application. Raises ``UnknownFunction``."""
    sources = find_sources() if sources is None else sources
    if name not in sources:
        raise UnknownFunction(f"there is no transformer {name!r}; there are: {', '.join(sorted(sources))}")
    source = sources[name]
    app = FastAPI(
        title=f"DORA function {name}", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )

    @app.get("/readyz")
    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok", "function": name}

    @app.post("/{path:path}")
    async def transform(request: Request) -> Response:
        try:
            event = await read_event(request)
        except Refused as error:
            return _problem(error.status, str(error))
        return respond(fate_of(source, event, catalog))

    return app


async def read_event(request: Request) -> CloudEvent:
    """The one CloudEvent in a request. Raises ``Refused``."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_EVENT:
            raise Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"an event may have at most {LARGEST_EVENT} bytes"
            )
    try:
        events = read_message(request.headers.raw, bytes(body)).events
    except UnsupportedFormat as error:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, error.reason) from error
    except InvalidCloudEvent as error:
        raise Refused(HTTPStatus.BAD_REQUEST, error.reason) from error
    if len(events) != 1:
        raise Refused(HTTPStatus.BAD_REQUEST, f"a batch of {len(events)} events; send one event at a time")
    return events[0]


def fate_of(source: Source, event: CloudEvent, catalog: Catalog) -> Fate:
    """What ``source`` makes of ``event``; an event that does not say when it happened happened now."""
    outcome = source.transform(event.with_time(datetime.now(UTC)), catalog)
    if isinstance(outcome, Observed):
        if source.fold is None:
            return Fate("dead", f"transformer {source.name} observes, but has no fold", source.name)
        _, outcome = source.fold(None, outcome, catalog)
    return settle(outcome, rule=source.name, event=event)


def respond(fate: Fate) -> Response:
    """``fate`` over HTTP: the CDEvents, or 204 and why there are none, or a refusal."""
    if fate.fate == "dead":
        return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, fate.reason or "not transformed")
    if not fate.cdevents:
        outcome = "ignored" if fate.fate == "mapped" else fate.fate
        return Response(
            status_code=HTTPStatus.NO_CONTENT,
            headers={OUTCOME: outcome, REASON: header_text(fate.reason or "nothing to tell")},
        )
    if len(fate.cdevents) > 1:
        batch = [to_structured(cdevent) for cdevent in fate.cdevents]
        return Response(orjson.dumps(batch), media_type=BATCH_MEDIA_TYPE)
    cdevent = fate.cdevents[0]
    headers, body = write_binary(CloudEvent(attributes_of(cdevent), cdevent.to_json()))
    return Response(body, headers=dict(headers))


def attributes_of(cdevent: CDEvent) -> dict[str, str]:
    """The context attributes of the CloudEvent that carries ``cdevent`` (cloudevents-binding.md)."""
    return {
        "specversion": "1.0",
        "id": cdevent.id,
        "source": cdevent.source,
        "type": cdevent.type,
        "subject": cdevent.subject_id,
        "time": cdevent.timestamp,
        "datacontenttype": "application/json",
    }


def to_structured(cdevent: CDEvent) -> dict[str, Any]:
    """The same as a JSON envelope."""
    return {**attributes_of(cdevent), "data": cdevent.document}


def header_text(reason: str) -> str:
    """``reason`` percent-encoded, and so ASCII, and not too long for a header."""
    encoded = quote(reason, safe=" !'()*,/:;=?@[]{}+&#$<>|~`^")
    while len(encoded) > LONGEST_REASON:
        reason = reason[: len(reason) * LONGEST_REASON // len(encoded)]
        encoded = quote(reason, safe=" !'()*,/:;=?@[]{}+&#$<>|~`^")
    return encoded


def _problem(status: HTTPStatus, detail: str) -> Response:
    return Response(orjson.dumps(problem(status, detail)), status, media_type=MEDIA_TYPE)
