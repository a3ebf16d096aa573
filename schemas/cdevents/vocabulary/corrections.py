"""Corrections: what a person says of a deployment, whose ``deploy_id`` is the subject."""

from typing import Any, Unpack

from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary.draft import Told, draft


def attribution_set(
    *,
    source: str,
    at: str,
    deploy_id: str,
    failed: bool | None = None,
    unplanned: bool | None = None,
    cause: str | None = None,
    reason: str | None = None,
    **told: Unpack[Told],
) -> Draft:
    """Somebody says whether a deployment failed and was planned; ``None`` lets the rules decide again."""
    content = {"failed": failed, "unplanned": unplanned, "cause": cause}
    dora: dict[str, Any] = {"deploy_id": deploy_id, "reason": reason, **told}
    return draft(
        "dora-attribution.set", source=source, at=at, subject_id=deploy_id, content=content, dora=dora
    )
