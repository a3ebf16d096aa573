"""A metric as JSON for programs, as CSV for tables and as OpenMetrics for scrapers.

What is answered is said by ``format``, else by the request's ``Accept``, else it is JSON.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from query.answers import reply
from query.conditional import entity_tag
from query.parameters import MetricAsked

TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8; header=present",
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
}
# For OpenAPI, beside the JSON.
WRITTEN: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            name: {"schema": {"type": "string"}} for name in ("text/csv", "application/openmetrics-text")
        }
    }
}
COLUMNS = ("metric", "unit", "service", "team", "start", "end", "value", "sample_count", "evidence")

Content = Mapping[str, Any]


def written(content: Content, asked: MetricAsked, request: Request) -> Response:
    """``content`` in the format that was asked for."""
    wanted = asked.format or accepted(request.headers.get("accept", ""))
    if wanted == "json":
        response = reply(content)
    else:
        text = "".join(_csv(content, asked) if wanted == "csv" else _openmetrics(content, asked))
        body = text.encode()
        headers = {"ETag": entity_tag(body), "Content-Type": TYPES[wanted]}
        response = Response(body, headers=headers)
    response.headers["Vary"] = "Accept"
    return response


def accepted(accept: str) -> str:
    """The format that an ``Accept`` header likes best; JSON when it likes them alike, or none of them."""
    weights = dict.fromkeys(TYPES, 0.0)
    for each in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in each.split(";"))
        weight = next((_weight(part) for part in parameters if part.startswith("q=")), 1.0)
        for name, media in TYPES.items():
            if kind == media.partition(";")[0]:
                weights[name] = weight
            elif kind in ("*/*", media.partition("/")[0] + "/*") and not weights[name]:
                weights[name] = weight / 2 if name == "json" else 0.0
    best = max(weights.values())
    return next(name for name, weight in weights.items() if weight == best)


def _weight(parameter: str) -> float:
    try:
        return float(parameter.removeprefix("q="))
    except ValueError:
        return 0.0


def _groups(content: Content, asked: MetricAsked) -> Iterator[tuple[str, str, Content]]:
    """Service, team and content of each group, or of the whole when nothing is told apart."""
    if asked.by is None:
        yield asked.service or "", asked.team or "", content
        return
    for group in content["groups"]:
        yield group.get("service", asked.service or ""), group.get("team", asked.team or ""), group


def _csv(content: Content, asked: MetricAsked) -> Iterator[str]:
    """A row for each point (RFC 4180); no value is an empty field."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for service, team, group in _groups(content, asked):
        for point in group["points"]:
            told = (point["start"], point["end"], point["value"], point["sample_count"], point["evidence"])
            rows.writerow((content["metric"], content["unit"], service, team, *told))
    yield text.getvalue()


def _openmetrics(content: Content, asked: MetricAsked) -> Iterator[str]:
    """The value over the window, and of how many samples it is; without a sample there is no value."""
    name = f"dora_{content['metric'].replace('-', '_')}"
    families = (
        (name, content["definition"], "value"),
        (f"{name}_samples", "How many deployments, changes or incidents it is made of.", "sample_count"),
    )
    for family, meaning, member in families:
        yield f"# TYPE {family} gauge\n# HELP {family} {_escaped(meaning)}\n"
        for service, team, group in _groups(content, asked):
            if group[member] is not None:
                yield f"{family}{_labels(content, service, team)} {float(group[member])!r}\n"
    yield "# EOF\n"


def _labels(content: Content, service: str, team: str) -> str:
    labels = {"service": service, "team": team, "environment": ",".join(content["environments"])}
    told = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items() if value)
    return f"{{{told}}}" if told else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
