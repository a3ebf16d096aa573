"""docs/sources.md: of every event that a source has a rule for, what it becomes, or why it is ignored.

    python -m tests.sources.page

It says what can come out (``reach``); the pages of the sources say when.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams.source import Source
from streams.sources import find_sources
from tests.sources.reach import cdevents_of, reached, reasons_of

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "sources.md"
HEAD = """# What becomes of which event

Every event that a source has a rule for: the CDEvents that it can become, and why it is ignored when it tells
nothing that is measured. The page of a source says which it becomes when. What there is no rule for is kept
as `unmapped`, and so is what a rule cannot read, with the field that it lacks; `GET /v1/events?fate=unmapped`
shows both. An event is called what follows the beginning of its type, or by the first word of that. In
reasons, … stands for what the event says.

Made by `python -m tests.sources.page`; do not edit.
"""
# Rules that pass on what they are given.
NATIVE = {"cdevents": ["itself, upgraded to 0.5.1 where it is older ([CDEvents](cdevents.md))"]}


@dataclass(frozen=True)
class Rule:
    """The events of one handler, and what it can answer."""

    kinds: tuple[str, ...]
    about: str
    cdevents: list[str]
    ignored: list[str]
    unmapped: list[str]


def write_page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(_section(source) for _, source in sorted(find_sources().items()))])


def rules_of(source: Source) -> Iterator[Rule]:
    """The rules of a source, in the order in which they stand in its module."""
    handlers: dict[Callable[..., Any], list[str]] = {}
    for kind, handler in source._handlers.items():
        handlers.setdefault(handler, []).append(kind)
    for handler, kinds in handlers.items():
        found = reached(handler)
        if source.fold is not None and any("Observed" in each.__code__.co_names for each in found):
            found = reached(handler, source.fold)
        for reason, each in _apart(handler, kinds).items():
            yield Rule(
                tuple(each),
                _first_sentence(handler),
                NATIVE.get(source.name) or [f"`{name}`" for name in cdevents_of(found)],
                [reason] if reason else reasons_of(found, "Ignored"),
                reasons_of(found, "Unmapped"),
            )


def _apart(handler: Callable[..., Any], kinds: list[str]) -> dict[str, list[str]]:
    """Kinds by the reason that they are ignored for, where a rule has a table of these; else all together."""
    reasons = getattr(inspect.getmodule(handler), "REASONS", None)
    if not isinstance(reasons, Mapping) or set(kinds) != set(reasons):
        return {"": kinds}
    return {reason: [kind for kind in kinds if reasons[kind] == reason] for reason in reasons.values()}


def _first_sentence(handler: Callable[..., Any]) -> str:
    words = " ".join((inspect.getdoc(handler) or "").partition("\n\n")[0].split())
    return words.partition(". ")[0].rstrip(".")


def _section(source: Source) -> str:
    own = DOCS / "sources" / f"{source.name}.md"
    title = f"[{source.name}](sources/{source.name}.md)" if own.exists() else source.name
    claimed = [*(f"`{each}`" for each in source.types), *(f"`{each}*`" for each in source.prefixes)]
    lines = [f"## {title}", "", f"Types: {', '.join(claimed)}", ""]
    lines += ["| event | what it is | becomes | ignored | unmapped |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*lines, *map(_line, rules_of(source)), ""])


def _line(rule: Rule) -> str:
    kinds = ", ".join(f"`{kind}`" for kind in rule.kinds)
    answers = (" ".join(rule.cdevents), "<br>".join(rule.ignored), "<br>".join(rule.unmapped))
    return f"| {' | '.join((kinds, rule.about, *answers))} |"


if __name__ == "__main__":
    PAGE.write_text(write_page(), encoding="utf-8")
