"""``/v1/score``: the score from 0 to 10 of dora.dev's quick check, of what was measured."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from query.answers import ScoreAnswer, reply
from query.comparison import Measure, whole_answers
from query.context import Here
from query.linked import LINKED
from query.paging import location
from query.parameters import MetricAsked, ScoreAsked, only
from query.problems import DOCUMENTED
from query.routes import linked_metrics, metrics
from streams.metrics.bands import document
from streams.metrics.deployment_frequency import METRIC
from streams.metrics.score import EDITION, mean_score, score

router = APIRouter(prefix="/v1/score", tags=["metrics"])

ASKED_FOR = (
    "change-lead-time",
    "deployment-frequency",
    "failed-deployment-recovery-time",
    "change-failure-rate",
    "deployment-rework-rate",
)
MEASURES: dict[str, Measure] = {METRIC.name: metrics.frequency_of} | {
    each.metric.name: partial(linked_metrics.answer, each) for each in LINKED
}


@router.get("", dependencies=[only(ScoreAsked)], response_model=ScoreAnswer, responses=DOCUMENTED)
async def scores(asked: Annotated[ScoreAsked, Query()], here: Here) -> Response:
    """What each of the five metrics scores in dora.dev's quick check, and their mean; 10 is best."""
    given = asked.filters()
    question = MetricAsked.model_validate({**given, "bucket": "year"})
    answers = await whole_answers(question, here, [MEASURES[name] for name in ASKED_FOR])
    found: dict[str, dict[str, Any]] = dict(zip(ASKED_FOR, answers, strict=True))
    items = [_item(name, content, given) for name, content in found.items()]
    content = found[METRIC.name]
    told = {name: content[name] for name in ("from", "to", "timezone", "environments")}
    mean = mean_score(item["score"] for item in items)
    return reply({"edition": document(EDITION)["edition"], **told, "score": mean, "items": items})


def _item(name: str, content: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    told = {member: content[member] for member in ("metric", "value", "unit", "sample_count")}
    # Never deployed is no sample of how often it is: nothing is known of it.
    value = content["value"] if content["sample_count"] else None
    return told | {"score": score(name, value), "url": location(f"/v1/metrics/{name}", given)}
