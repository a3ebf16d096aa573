"""How every builder of the vocabulary makes its draft: facts that are not known are left out."""

from collections.abc import Mapping
from typing import Any, TypedDict

from schemas.cdevents.event import Draft
from schemas.cdevents.versions import type_of

# The keys of customData.dora, in this order (schemas/cdevents/custom/dora.json).
DORA_KEYS = (
    "deploy_id",
    "service",
    "services",
    "environment",
    "repository",
    "commit",
    "artifact",
    "basis",
    "channel",
    "evidence",
    "reason",
    "branch",
    "head",
    "reverts",
    "hotfix",
    "truncated",
    "detected_at",
)


class Told(TypedDict, total=False):
    """What every builder takes besides its own facts; ``None`` means unknown.

    ``fact`` is what makes it the same fact when the source tells it again (``Draft.fact``); ``basis`` what
    the report rests on, ``channel`` the name of the source that reports, ``evidence`` how much it knew.
    ``head`` is the last commit of a change before it was merged, ``reverts`` the hash of a commit or the id
    of a change that is taken back. ``hotfix`` is true when the source marks it as one, ``truncated`` when the
    source told of fewer commits than there were.
    """

    subject_source: str | None
    fact: str | None
    basis: str | None
    channel: str | None
    evidence: int | None
    head: str | None
    reverts: str | None
    hotfix: bool | None
    truncated: bool | None


def draft(
    name: str, *, source: str, at: str, subject_id: str, content: Mapping[str, Any], dora: Mapping[str, Any]
) -> Draft:
    """Draft the event called ``name``; ``dora`` holds what is ``Told`` and goes into ``customData.dora``."""
    return Draft(
        type=type_of(name),
        source=source,
        subject_id=subject_id,
        timestamp=at,
        content={key: value for key, value in content.items() if value is not None},
        dora={key: dora[key] for key in DORA_KEYS if dora.get(key) is not None},
        subject_source=dora.get("subject_source"),
        fact=dora.get("fact"),
    )


def reference(identity: str | None) -> dict[str, str] | None:
    """Refer to another subject by its id, as ``content`` does; ``None`` when there is none to refer to."""
    return None if identity is None else {"id": identity}
