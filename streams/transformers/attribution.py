"""Corrections of attributions: what people say of a deployment (docs/operating.md, "Correct an attribution").

They are CloudEvents like all others, made by ``dora attribute``, so that a recompute replays them and the log
says who said what when. Data: ``{deploy_id, failed, unplanned, cause, reason}``, of which the last four are
optional; what is absent or null is for the rules to decide.
"""

from typing import Any

from schemas.catalog import Catalog
from schemas.cdevents.vocabulary import attribution_set
from schemas.cloudevents.event import CloudEvent
from schemas.instant import instant_text
from streams.outcome import Mapped, Outcome
from streams.shapes import Unfit
from streams.source import Source
from streams.texts import name, optional_name, words

source = Source("attribution", prefixes=("dev.dora.attribution.",))


@source.on("set.v1")
def attribution_corrected(event: CloudEvent, _: Catalog) -> Outcome:
    """Somebody said whether a deployment failed, or was planned, or left it to the rules again."""
    told = event.data
    return Mapped(
        attribution_set(
            source=event.source,
            at=instant_text(event.time),
            deploy_id=name(told["deploy_id"], "deploy_id"),
            failed=_truth(told.get("failed"), "failed"),
            unplanned=_truth(told.get("unplanned"), "unplanned"),
            cause=optional_name(told.get("cause"), "cause"),
            reason=words(told.get("reason")),
            channel=source.name,
        )
    )


def _truth(told: Any, path: str) -> bool | None:
    if told is not None and not isinstance(told, bool):
        raise Unfit(f"{path!r} is neither true nor false")
    return told
