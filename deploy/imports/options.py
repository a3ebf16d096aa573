"""What the options of `dora import` say. Pure; ``ValueError`` where they say nothing that can be done."""

from collections.abc import Sequence

from deploy.imports.columns import Plan, field_of
from deploy.imports.presets import PRESETS, Preset
from deploy.imports.values import LEFT_OUT, WORDS, folded
from schemas.calendar import zone_of


def plan_of(
    kind: str,
    *,
    mapped: Sequence[str] = (),
    constants: Sequence[str] = (),
    words: Sequence[str] = (),
    preset: str = "",
    timezone: str = "",
    time_format: str = "",
) -> Plan:
    """The plan for files of one kind: ``HEADING=FIELD``, ``FIELD=VALUE`` and ``WORD=MEANING`` as typed."""
    chosen = _preset(kind, preset) if preset else Preset({})
    said = {folded(word): _meaning(kind, meaning) for word, meaning in map(_last, words)}
    return Plan(
        kind,
        {field_of(kind, name): heading for heading, name in map(_last, mapped)},
        {field_of(kind, name): value for name, value in map(_first, constants)},
        {**WORDS[kind], **chosen.words, **said},
        zone_of(timezone) if timezone else chosen.zone,
        time_format or None,
        chosen,
    )


def _last(told: str) -> tuple[str, str]:
    """Both sides of the last equals sign: headings may hold others."""
    left, sign, right = told.rpartition("=")
    return _sides(told, left, sign, right)


def _first(told: str) -> tuple[str, str]:
    """Both sides of the first equals sign: values may hold others."""
    left, sign, right = told.partition("=")
    return _sides(told, left, sign, right)


def _sides(told: str, left: str, sign: str, right: str) -> tuple[str, str]:
    if not sign:
        raise ValueError(f"{told!r} has no equals sign; see the examples of `dora import --help`")
    return left.strip(), right.strip()


def _meaning(kind: str, meaning: str) -> str:
    meanings = dict.fromkeys(WORDS[kind].values())
    if meaning not in {*meanings, LEFT_OUT}:
        known = ", ".join(each for each in meanings if each != LEFT_OUT)
        raise ValueError(f"--word: {meaning!r} is none of {known}; nothing leaves such rows out")
    return meaning


def _preset(kind: str, name: str) -> Preset:
    if kind not in (kinds := PRESETS.get(name, {})):
        known = ", ".join(each for each, has in PRESETS.items() if kind in has)
        raise ValueError(f"--preset: none for {kind}s is called {name!r}; there is {known}")
    return kinds[kind]
