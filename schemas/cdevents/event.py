"""A CDEvent, first as a transformer drafts it, then complete with its identity.

Spec: CDEvents 0.5.1, spec.md and cloudevents-binding.md. What DORA needs and CDEvents has no field for
travels in ``customData.dora`` (docs/cdevents.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

import orjson

SPECVERSION = "0.5.1"

# Every id that this project derives is a UUIDv5 in this namespace, so that every replay yields the same ids.
NAMESPACE = UUID("5c9f2b1e-6d0e-5f43-9a35-0a4c6c1f7d11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a transformer says happened. The router adds the id and the cause, and validates.

    ``type`` is the full CDEvents type, as ``dev.cdevents.service.deployed.0.3.0``; ``timestamp`` is RFC 3339
    text; ``content`` is ``subject.content``; ``dora`` becomes ``customData.dora``. ``fact`` is what makes it
    the same fact when the source tells of it again under a new event id (Kubernetes, Tekton); without it the
    id comes from the causing event's source and id and the draft's position among its outputs. ``document``
    is a native CDEvent, passed on whole with its own id and source.
    """

    type: str
    source: str
    subject_id: str
    timestamp: str
    content: Mapping[str, Any] = field(default_factory=dict)
    dora: Mapping[str, Any] = field(default_factory=dict)
    subject_source: str | None = None
    fact: str | None = None
    document: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CDEvent:
    """A complete CDEvent. ``document`` is its JSON; ``cause`` the (source, id) of the CloudEvent behind it.

    ``rule`` names the transformer, or is the URL of the function, that made it.
    """

    document: Mapping[str, Any]
    cause: tuple[str, str]
    rule: str = ""

    @property
    def id(self) -> str:
        """``context.id``."""
        return str(self.document["context"]["id"])

    @property
    def source(self) -> str:
        """``context.source``."""
        return str(self.document["context"]["source"])

    @property
    def type(self) -> str:
        """``context.type``, with its version."""
        return str(self.document["context"]["type"])

    @property
    def timestamp(self) -> str:
        """``context.timestamp``, RFC 3339 text."""
        return str(self.document["context"]["timestamp"])

    @property
    def subject_id(self) -> str:
        """``subject.id``."""
        return str(self.document["subject"]["id"])

    @property
    def dora(self) -> Mapping[str, Any]:
        """``customData.dora``, empty for an event that carries none."""
        custom = self.document.get("customData")
        dora = custom.get("dora") if isinstance(custom, Mapping) else None
        return dora if isinstance(dora, Mapping) else {}

    def to_json(self) -> bytes:
        """The CDEvent as the bytes that go onto the ``cdevents`` topic."""
        return orjson.dumps(self.document)


def derive_id(*parts: str) -> str:
    """A UUIDv5 over ``parts``; equal parts give equal ids on every machine and at every replay."""
    return str(uuid5(NAMESPACE, "\x1f".join(parts)))


def complete(draft: Draft, *, rule: str, cause: tuple[str, str], ordinal: int) -> CDEvent:
    """Give ``draft`` its identity. ``rule`` names the transformer; ``ordinal`` counts its outputs."""
    if draft.document is not None:
        return CDEvent(draft.document, cause, rule)
    if draft.fact is not None:
        identity = derive_id(rule, draft.fact, draft.type.rsplit(".", 3)[0])
    else:
        identity = derive_id(rule, *cause, str(ordinal))
    context = {
        "specversion": SPECVERSION,
        "id": identity,
        "source": draft.source,
        "type": draft.type,
        "timestamp": draft.timestamp,
    }
    subject: dict[str, Any] = {"id": draft.subject_id, "content": dict(draft.content)}
    if draft.subject_source is not None:
        subject["source"] = draft.subject_source
    document: dict[str, Any] = {"context": context, "subject": subject}
    if draft.dora:
        document["customData"] = {"dora": dict(draft.dora)}
        document["customDataContentType"] = "application/json"
    return CDEvent(document, cause, rule)
