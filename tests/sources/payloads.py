"""Recorded payloads of other systems: each is made the CloudEvent that the pipeline would get of it.

``tests/fixtures/payloads/<tool>/manifest.jsonl`` has one line a file: ``path`` below the tool's folder,
``event``, and the ``headers`` to send with it. A payload that is no CloudEvent goes through the web hook of
its provider, as it would in the ingress; a KafkaSink's record is read as a record.
"""

import json
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson

import ingress.webhooks
from ingress.webhooks.provider import Provider, WebhookRequest
from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.http import read_message
from schemas.cloudevents.kafka import read_record
from streams.outcome import Observed
from streams.router import Fate, settle
from streams.source import Source
from streams.sources import find_sources

ROOT = Path(__file__).parents[1] / "fixtures" / "payloads"
RECORDS = "knative-kafkasink-records"

# 2026-01-01: when the ingress gets every recorded request. Real ones are long over.
RECEIVED = 1_767_225_600.0

# Where a provider says which delivery this is; recordings lack it.
DELIVERY_HEADERS = {"github": "x-github-delivery", "gitlab": "x-gitlab-event-uuid"}


@dataclass(frozen=True)
class Payload:
    """One recorded payload. ``path`` is below ``tests/fixtures/payloads``."""

    path: str
    event: str
    headers: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return self.path

    @property
    def tool(self) -> str:
        """The name of the folder."""
        return self.path.partition("/")[0]

    @property
    def body(self) -> bytes:
        """The bytes that are sent."""
        return (ROOT / self.path).read_bytes()


@cache
def payloads() -> tuple[Payload, ...]:
    """Every recorded payload, in the order of their paths."""
    return tuple(sorted(_listed(), key=str))


def _listed() -> Iterator[Payload]:
    for manifest in ROOT.glob("*/manifest.jsonl"):
        tool = manifest.parent.name
        for line in manifest.read_text().splitlines():
            told = json.loads(line)
            yield Payload(f"{tool}/{told['path']}", told["event"], tuple(told["headers"].items()))
    for record in (ROOT / RECORDS).glob("*.json"):
        yield Payload(f"{RECORDS}/{record.name}", "record", ())


@cache
def sources() -> dict[str, Source]:
    """All sources by name. Finding them reads the metadata of every installed package."""
    return find_sources()


@cache
def providers() -> dict[str, Provider]:
    """The web hooks' providers by name."""
    names = (info.name for info in pkgutil.iter_modules(ingress.webhooks.__path__))
    modules = (import_module(f"ingress.webhooks.{name}") for name in names)
    found = (getattr(module, "provider", None) for module in modules)
    return {provider.name: provider for provider in found if isinstance(provider, Provider)}


def event_of(payload: Payload, body: bytes | None = None) -> CloudEvent:
    """The CloudEvent of a payload; of another ``body``, if given, sent in its place."""
    if payload.tool == RECORDS:
        return _event_of_record(payload, body)
    sent = payload.body if body is None else body
    headers = {name.lower(): value for name, value in payload.headers}
    if "ce-id" in headers or headers.get("content-type", "").startswith("application/cloudevents"):
        fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        (event,) = read_message(fields, sent).events
        return event
    provider = provider_of(payload.tool)
    if provider is None:
        raise LookupError(f"{payload}: ingress/webhooks has no provider for {payload.tool}")
    return provider.translate(request_of(payload, provider, sent))


def provider_of(tool: str) -> Provider | None:
    """The provider of a tool's web hook: of the tool's name, or of its first word."""
    return providers().get(tool) or providers().get(tool.partition("-")[0])


def request_of(payload: Payload, provider: Provider, body: bytes) -> WebhookRequest:
    """The request as the ingress would get it."""
    headers = {name.lower(): value for name, value in payload.headers}
    if provider.name in DELIVERY_HEADERS:
        headers.setdefault(DELIVERY_HEADERS[provider.name], str(uuid5(NAMESPACE_URL, payload.path)))
    return WebhookRequest(headers, body, RECEIVED)


def _event_of_record(payload: Payload, body: bytes | None) -> CloudEvent:
    record = json.loads(payload.body)
    headers = [(name, value.encode()) for name, value in record["headers"]]
    event = read_record(headers, record["value"].encode())
    return event if body is None else CloudEvent(event.attributes, body)


def claimants(event: CloudEvent) -> list[Source]:
    """The sources that claim the type of ``event``, which a routes map need not name."""
    return [source for source in sources().values() if source.claims(event.type)]


def fate_of(event: CloudEvent, source: Source, catalog: Catalog | None = None) -> Fate:
    """What ``source`` makes of ``event``; a stateful source, as of the first that it hears of the object."""
    known = catalog or Catalog.empty()
    outcome = source.transform(event, known)
    if isinstance(outcome, Observed):
        assert source.fold is not None, f"{source.name} observes, and has no fold"
        facts = orjson.loads(orjson.dumps(outcome.facts))  # on its way to the fold it is JSON
        state, outcome = source.fold(None, Observed(outcome.key, facts), known)
        orjson.dumps(state)
    return settle(outcome, rule=source.name, event=event)


def summary(fate: Fate) -> dict[str, Any]:
    """A fate as it stands in a golden file, short enough to be read by a person."""
    told: dict[str, Any] = {"outcome": fate.fate}
    if fate.reason is not None:
        told["reason"] = fate.reason
    if fate.cdevents:
        told["cdevents"] = [[e.type, e.subject_id, e.timestamp, dict(e.dora)] for e in fate.cdevents]
    return orjson.loads(orjson.dumps(told))
