"""The five metrics as cards: what their answers amount to, in words. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from query.readable import count, duration, percent, rate
from schemas.calendar import Bucket, first_day, next_first_day

FEW = 5  # samples; the middle one of fewer is one event's luck
FEW_OF_A_RATE = 10  # deployments; each of fewer moves the rate by more than ten points


@dataclass(frozen=True, slots=True)
class Shown:
    """How a metric is shown: its title, what its samples are, and what changing it means.

    ``drawn``: the kind of its chart. ``statistic``: what its value is of the samples.
    """

    name: str
    title: str
    one: str
    several: str
    drawn: str
    statistic: str
    more_is_better: bool = False

    def samples(self, number: int) -> str:
        """That many samples, in words."""
        return f"{count(number)} {self.one if number == 1 else self.several}"


# In the order of dora.dev: three of throughput, two of instability.
SHOWN = (
    Shown(
        "deployment-frequency",
        "Deployment frequency",
        "deployment",
        "deployments",
        "bars",
        "",
        more_is_better=True,
    ),
    Shown("change-lead-time", "Change lead time", "commit", "commits", "dots", "median"),
    Shown(
        "failed-deployment-recovery-time",
        "Failed deployment recovery time",
        "recovery",
        "recoveries",
        "dots",
        "median",
    ),
    Shown("change-failure-rate", "Change failure rate", "deployment", "deployments", "dots", "rate"),
    Shown("deployment-rework-rate", "Deployment rework rate", "deployment", "deployments", "dots", "rate"),
)


@dataclass(frozen=True, slots=True)
class Card:
    """One metric as it is shown. ``value`` is ``None`` where there are too few samples for one."""

    shown: Shown
    value: str | None
    unit: str
    performance: str | None
    edition: str
    about: str
    trend: str | None
    verdict: str
    before: str
    notices: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    drawn_unit: str
    summary: str
    definition: str


def cards(answers: Mapping[str, Mapping[str, Any]], bucket: Bucket) -> list[Card]:
    """A card for each of the five, of their answers with the period before."""
    common = set(warnings_of_all(answers.values()))
    return [_card(shown, answers[shown.name], bucket, common) for shown in SHOWN]


def warnings_of_all(answers: Any) -> list[str]:
    """Warnings that more than one answer has: they are about the choice, not about a metric."""
    seen = Counter(warning for content in answers for warning in content["warnings"])
    return [warning for warning, number in seen.items() if number > 1]


def _card(shown: Shown, content: Mapping[str, Any], bucket: Bucket, common: set[str]) -> Card:
    few = _few(shown, content["sample_count"])
    hidden = shown.statistic == "median" and few is not None
    value, unit = (None, "") if hidden else _value(shown, content)
    trend, verdict = (None, "") if few else _trend(shown, content)
    return Card(
        shown=shown,
        value=value,
        unit=unit,
        performance=None if few else content["class"],
        edition=content["edition"],
        about=few or _about(shown, content),
        trend=trend,
        verdict=verdict,
        before=_before(shown, content, trend) if trend else "",
        notices=[each for each in content["warnings"] if each not in common],
        columns=_columns(shown, bucket),
        rows=[_row(shown, point, bucket) for point in content["points"]],
        drawn_unit="deployments" if shown.drawn == "bars" else content["unit"],
        summary=_summary(shown, content, value, unit),
        definition=content["definition"],
    )


def _few(shown: Shown, number: int) -> str | None:
    """What is to be said of so few samples; ``None`` where they are enough."""
    if number == 0:
        return f"No {shown.several} in this time"
    if shown.statistic == "median" and number < FEW:
        return f"{shown.samples(number)}: too few for a median"
    if shown.statistic == "rate" and number < FEW_OF_A_RATE:
        return f"{shown.samples(number)}: too few for a rate to rely on"
    return None


def _value(shown: Shown, content: Mapping[str, Any]) -> tuple[str | None, str]:
    value = content["value"]
    if not content["sample_count"] or value is None:
        return None, ""
    if not shown.statistic:
        return frequency(value)
    return _value_of(shown, value), ""


def frequency(per_day: float) -> tuple[str, str]:
    """A number of deployments, and the time in which there are that many: the shortest with one or more."""
    for days, name in ((1, "a day"), (7, "a week"), (365.2425 / 12, "a month")):
        if per_day * days >= 1:
            return rate(per_day * days), name
    return rate(per_day * 365.2425), "a year"


def _about(shown: Shown, content: Mapping[str, Any]) -> str:
    linked, total = content["coverage"]["linked"], content["coverage"]["total"]
    of = shown.samples(content["sample_count"])
    told = {"median": f"Median of {of}", "rate": f"Of {of}"}.get(shown.statistic, of)
    if shown.name == "change-lead-time" and linked < total:
        told += f"; {count(linked)} of {count(total)} deployments are linked to commits"
    return told


def _trend(shown: Shown, content: Mapping[str, Any]) -> tuple[str | None, str]:
    before, value = content["previous"], content["value"]
    if value is None or before["value"] is None or _few(shown, before["sample_count"]):
        return None, ""
    change = before["change"]
    if not change:
        return "No change", ""
    verdict = "better" if (change > 0) == shown.more_is_better else "worse"
    arrow = "\N{BLACK UP-POINTING TRIANGLE}" if change > 0 else "\N{BLACK DOWN-POINTING TRIANGLE}"
    return f"{arrow} {_change(shown, change, before['value'])}", verdict


def _change(shown: Shown, change: float, before: float) -> str:
    """How large a change is: of a rate in points, else as a share of what it was, or how many times that."""
    word = "more" if change > 0 else "less"
    if shown.statistic == "rate":
        return f"{rate(abs(change) * 100)} points {word}"
    if not before or change / before >= 2:
        return f"{rate(1 + change / before)} times as much" if before else word
    share = abs(change / before)
    return f"{percent(round(share, 2)) if share >= 0.01 else 'under 1 %'} {word}"


def _before(shown: Shown, content: Mapping[str, Any], trend: str) -> str:
    value = content["previous"]["value"]
    if trend == "No change":
        return "to the period before"
    told = " ".join(frequency(value)) if not shown.statistic else _value_of(shown, value)
    return f"{'as' if trend.endswith('as much') else 'than'} the {told} before"


def _value_of(shown: Shown, value: float | None) -> str:
    return duration(value) if shown.statistic == "median" else percent(value)


def _columns(shown: Shown, bucket: Bucket) -> Sequence[str]:
    time = bucket.capitalize()
    if not shown.statistic:
        return time, "Deployments"
    value = "Median" if shown.statistic == "median" else "Rate"
    return time, value, shown.several.capitalize()


def _row(shown: Shown, point: Mapping[str, Any], bucket: Bucket) -> Mapping[str, Any]:
    start = point["start"][:10]
    number = {"value": point["sample_count"], "text": count(point["sample_count"])}
    cells = [number]
    if shown.statistic:
        told = duration if shown.statistic == "median" else percent
        cells = [{"value": point["value"], "text": told(point["value"])}, number]
    # The day that the bucket begins with in the answer's zone, and the first that is not its own.
    end = point["end"][:10] if point["end"][11:19] == "00:00:00" else None
    return {
        "at": start,
        "end": end,
        "label": label(point["start"], bucket) + (", a part" if _is_cut(point, bucket) else ""),
        "href": point["evidence"] if point["sample_count"] else None,
        "cells": cells,
    }


def _is_cut(point: Mapping[str, Any], bucket: Bucket) -> bool:
    """Whether the window ends or begins inside of the bucket."""
    start, end = (datetime.fromisoformat(point[each]).date() for each in ("start", "end"))
    first = first_day(start, bucket)
    return (start, end) != (first, next_first_day(first, bucket)) and bucket != "day"


def label(start: str, bucket: Bucket) -> str:
    """A bucket's name: its first day, its month, its quarter or its year."""
    day = datetime.fromisoformat(start)
    if bucket == "year":
        return f"{day:%Y}"
    if bucket == "quarter":
        return f"Q{(day.month + 2) // 3} {day:%Y}"
    return f"{day:%b %Y}" if bucket == "month" else f"{day.day} {day:%b %Y}"


def _summary(shown: Shown, content: Mapping[str, Any], value: str | None, unit: str) -> str:
    told = f"{value} {unit}".strip() if value else "no value"
    return f"{shown.title} by {content['bucket']}: {told} overall, {len(content['points'])} buckets"
