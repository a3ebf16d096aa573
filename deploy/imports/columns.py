"""Which column of a table holds which field of a report. Pure; what cannot be told raises ``NoTable``."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from difflib import SequenceMatcher, get_close_matches

from deploy.imports.presets import PRESETS, Preset
from deploy.imports.tables import NoTable
from deploy.imports.values import folded

# As `dora report` names them, in its order, so that an event's id does not depend on the order of columns;
# resolved_at is of rows that tell of an incident's end, too, and becomes a second report.
FIELDS = {
    "deployment": (
        "service", "environment", "outcome", "id", "commit", "repository", "artifact", "reason", "time",
        "source", "hotfix",
    ),
    "incident": (
        "service", "environment", "status", "id", "commit", "repository", "artifact", "title", "deploy_id",
        "url", "reason", "time", "resolved_at", "source",
    ),
    "change": (
        "service", "environment", "status", "id", "commit", "repository", "branch", "artifact", "title",
        "committed_at", "reason", "time", "source", "hotfix", "before", "head", "reverts",
    ),
}  # fmt: skip
REQUIRED = {
    "deployment": ("service", "environment", "time"),
    "incident": ("service", "environment", "time"),
    "change": ("repository", "time"),
}
# What else people call them; only to suggest, since a guess would be counted without a word.
ALIASES = {
    "time": ("date", "timestamp", "deployed at", "finished at", "created at", "opened at", "merged at"),
    "service": ("application", "app", "project", "component"),
    "environment": ("env", "stage"),
    "repository": ("repo", "repo url"),
    "commit": ("sha", "commit sha", "revision"),
    "outcome": ("status", "state", "result", "conclusion"),
}
ALIKE = 0.6  # of difflib's ratio, its own default for close matches


@dataclass(frozen=True, slots=True)
class Plan:
    """How a file is read, as ``deploy.imports.options`` makes it of what the user said.

    ``columns`` is field → heading, ``constants`` field → value, ``words`` folded word → meaning.
    """

    kind: str
    columns: Mapping[str, str]
    constants: Mapping[str, str]
    words: Mapping[str, str]
    zone: tzinfo | None
    form: str | None
    preset: Preset


def field_of(kind: str, name: str) -> str:
    """A field of a report of this kind by its name. Raises ``ValueError`` with those that there are."""
    found = folded(name).replace(" ", "_")
    if found not in FIELDS[kind]:
        raise ValueError(f"no {kind} has a field {name!r}; its fields are {', '.join(FIELDS[kind])}")
    return found


def columns_of(plan: Plan, headings: Mapping[str, int]) -> dict[str, str]:
    """Field → heading of what is read: as asked for, else by the preset, else by its own name."""
    found = {}
    for name in FIELDS[plan.kind]:
        heading = _asked(plan, name, headings) or _preset(plan, name, headings) or _heading(name, headings)
        if heading is not None:
            found[name] = heading
    _check_complete(plan, found, headings)
    return found


def _asked(plan: Plan, name: str, headings: Mapping[str, int]) -> str | None:
    if (asked := plan.columns.get(name)) is None:
        return None
    if (heading := _heading(asked, headings)) is None:
        near = get_close_matches(asked, headings, 1)
        hint = f"; is it {near[0]!r}?" if near else ""
        raise NoTable(f"there is no column {asked!r}{hint} {_listed(headings)}")
    return heading


def _preset(plan: Plan, name: str, headings: Mapping[str, int]) -> str | None:
    candidates = plan.preset.columns.get(name, ())
    return next((found for each in candidates if (found := _heading(each, headings)) is not None), None)


def _heading(asked: str, headings: Mapping[str, int]) -> str | None:
    """The heading that is called so, exactly or but for case, spaces, dashes and underscores."""
    exact = [asked] if asked in headings else [each for each in headings if folded(each) == folded(asked)]
    if not exact:
        return None
    if len(exact) > 1 or headings[exact[0]] > 1:
        raise NoTable(f"more than one column is called {asked!r}; rename all but the one to read")
    return exact[0]


def _check_complete(plan: Plan, found: Mapping[str, str], headings: Mapping[str, int]) -> None:
    known = found.keys() | plan.constants.keys()
    required = REQUIRED[plan.kind]
    if plan.kind == "change" and "status" not in known:
        required = (
            *required,
            "commit",
        )  # of changes that were merged, which they are if nothing else is said
    if missing := [name for name in required if name not in known]:
        raise NoTable("; ".join(_missing(name, headings) for name in missing) + _hint(plan, headings))
    if plan.kind == "deployment" and "outcome" not in known:
        _check_outcome(found, headings)


def _check_outcome(found: Mapping[str, str], headings: Mapping[str, int]) -> None:
    """A column of results that is not read would make every failure a success."""
    for each in headings:
        if folded(each) in ALIASES["outcome"] and each not in found.values():
            raise NoTable(
                f'is {each!r} the outcome? say --map "{each}=outcome", or --set outcome=success for all rows'
            )


def _missing(name: str, headings: Mapping[str, int]) -> str:
    near = _nearest(name, headings)
    hint = f'; is it {near!r}? say --map "{near}={name}"' if near else f'; say --map "HEADING={name}"'
    return f"there is no column {name!r}{hint}, or --set {name}=... for all rows"


def _nearest(name: str, headings: Iterable[str]) -> str | None:
    def likeness(heading: str) -> float:
        names = (name, *ALIASES.get(name, ()))
        return max(SequenceMatcher(None, folded(heading), folded(each)).ratio() for each in names)

    best = max(headings, key=likeness, default=None)
    return best if best is not None and likeness(best) >= ALIKE else None


def _hint(plan: Plan, headings: Mapping[str, int]) -> str:
    """The columns that there are, and the preset whose export this seems to be."""
    for name, kinds in PRESETS.items():
        preset = kinds.get(plan.kind)
        if not plan.preset.columns and preset is not None and _fits(preset, headings):
            return f" {_listed(headings)}; it looks like an export for --preset {name}"
    return f" {_listed(headings)}"


def _fits(preset: Preset, headings: Mapping[str, int]) -> bool:
    return all(any(each in headings for each in names) for names in preset.columns.values())


def _listed(headings: Iterable[str]) -> str:
    return f"(the columns are {', '.join(map(repr, headings)) or 'none'})"
