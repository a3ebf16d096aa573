"""Older CDEvents as 0.5.1: what specifications 0.1 to 0.5.0 said, in the words of 0.5.1.

An event's age is the version in its type, not its specversion, which producers often label wrongly. What
changed (docs/cdevents.md has it for readers):

* 0.3: ``testcase`` and ``testsuite`` became ``testcaserun`` and ``testsuiterun``, with a required environment
* 0.4.1: ``chain_id``, ``link_type``, ``link_kind`` and ``context_id`` became camel case
* 0.5: ``context.version`` became ``specversion``, ``subject.type`` left, ``url`` became ``uri`` and absolute,
  and one enumeration holds all outcomes
"""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.cdevents.event import SPECVERSION
from schemas.cdevents.validate import LONGEST_NAME, Violation, shown, violations_of
from schemas.cdevents.versions import CUSTOM, OFFICIAL, VERSIONS, split_type, type_of
from schemas.cloudevents.syntax import is_uri

Json = dict[str, Any]

RENAMED_SUBJECTS = {"testcase": "testcaserun", "testsuite": "testsuiterun"}
RENAMED_LINK = {"link_type": "linkType", "link_kind": "linkKind"}
WITH_URL = frozenset({"environment", "pipelinerun", "repository", "taskrun"})

# A run's outcome was free text; these are the words that producers put there.
RUN_OUTCOMES = {
    "success": "success",
    "succeeded": "success",
    "pass": "success",
    "passed": "success",
    "failure": "failure",
    "failed": "failure",
    "fail": "failure",
    "cancel": "cancel",
    "canceled": "cancel",
    "cancelled": "cancel",
    "error": "error",
}
TEST_OUTCOMES = {"pass": "success", "fail": "failure"}

# Fields that had no format, or no enumeration, in some older version. What 0.5.1 refuses there moves to
# customData.upgradedFrom if the field is optional: losing a run for its relative link would be worse.
FREE_BEFORE = {
    "uri": ("format",),
    "viewUrl": ("format",),
    "source": ("format", "minLength"),
    "outcome": ("enum",),
}


class NotUpgradeable(ValueError):
    """An older CDEvent that 0.5.1 cannot express, or that was never valid; ``reason`` names the field."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def upgrade(document: Json) -> Json:
    """Return ``document`` as a CDEvent 0.5.1 with its own id and source, without changing it in place.

    An event of an older version comes back valid, or ``NotUpgradeable`` is raised. Any other document comes
    back as it is, valid or not; only the specversion of an event that 0.5.1 has is set to 0.5.1.
    """
    context = document.get("context")
    if not isinstance(context, dict) or not isinstance(context.get("type"), str):
        return document
    name, version = split_type(context["type"])
    if context["type"].startswith(CUSTOM):
        if "version" in context and "specversion" not in context:
            return _rewritten(document, name, context["type"])
        return _labelled(document)
    current = _current_name(name)
    if not context["type"].startswith(OFFICIAL) or current not in VERSIONS:
        return document
    if _is_before(version, VERSIONS[current]):
        return _rewritten(document, current, type_of(current))
    return _labelled(document) if context["type"] == type_of(current) else document


def _current_name(name: str) -> str:
    subject, _, predicate = name.partition(".")
    return f"{RENAMED_SUBJECTS.get(subject, subject)}.{predicate}"


def _is_before(version: str, current: str) -> bool:
    numbers = version.split(".")
    if len(numbers) != 3 or not all(n.isascii() and n.isdigit() and len(n) < 4 for n in numbers):
        return False
    return tuple(map(int, numbers)) < tuple(map(int, current.split(".")))


def _labelled(document: Json) -> Json:
    # The version in the type fixes an event's meaning, and 0.5.0 has the types of 0.5.1. Labels are no help:
    # spec.md still tells producers in one place to write 0.1.1. What the topic carries is called 0.5.1.
    context = document["context"]
    if not isinstance(context.get("specversion"), str) or context["specversion"] in ("", SPECVERSION):
        return document
    return {**document, "context": {**context, "specversion": SPECVERSION}}


def _rewritten(document: Json, name: str, new_type: str) -> Json:
    context, subject = document["context"], document.get("subject")
    if not isinstance(subject, dict) or not isinstance(subject.get("content"), dict):
        raise NotUpgradeable("the event has no subject.content")
    rewritten = {
        **document,
        "context": {"specversion": SPECVERSION, **_context(context), "type": new_type},
        "subject": {**_without(subject, "type"), "content": _content(name, subject["content"])},
    }
    rewritten = _located(rewritten)
    violations = violations_of(rewritten)
    if not violations:
        return rewritten
    relieved = _relieved(rewritten, [v for v in violations if _was_free(v)], context["type"])
    if violations_of(relieved):
        refusals = "; ".join(map(str, violations[:3]))
        named = shown(context["type"], LONGEST_NAME)
        raise NotUpgradeable(f"CDEvents {SPECVERSION} cannot express {named}: {refusals}")
    return relieved


def _located(document: Json) -> Json:
    """Put the whole address of a run in place of a relative one, where the producer has written it elsewhere.

    Jenkins' plugin does, in its custom data; without it, none of the runs that it starts could be told of.
    """
    content = document["subject"]["content"]
    relative, whole = content.get("uri"), _build_address(document.get("customData"))
    if isinstance(relative, str) and relative and whole.endswith(f"/{relative}") and is_uri(whole):
        return {**document, "subject": {**document["subject"], "content": {**content, "uri": whole}}}
    return document


def _build_address(custom: Any) -> str:
    build = custom.get("build") if isinstance(custom, dict) else None
    address = build.get("fullUrl") if isinstance(build, dict) else None
    return address if isinstance(address, str) else ""


def _context(context: Json) -> Json:
    renamed = _renamed(_without(context, "version", "specversion"), {"chain_id": "chainId"})
    if isinstance(renamed.get("links"), list):
        renamed["links"] = [_link(link) if isinstance(link, dict) else link for link in renamed["links"]]
    return renamed


def _link(link: Json) -> Json:
    renamed = _renamed(link, RENAMED_LINK)
    for end in ("from", "target"):
        if isinstance(renamed.get(end), dict):
            renamed[end] = _renamed(renamed[end], {"context_id": "contextId"})
    return renamed


def _content(name: str, content: Json) -> Json:
    subject, _, predicate = name.partition(".")
    if subject in WITH_URL:
        content = _renamed(content, {"url": "uri"})
    if subject == "testsuiterun" and isinstance(content.get("testSuite"), dict):
        content = {**content, "testSuite": _renamed(content["testSuite"], {"url": "uri"})}
    outcome = content.get("outcome")
    if predicate == "finished" and isinstance(outcome, str):
        return {**content, "outcome": _outcome(subject, outcome)}
    return content


def _outcome(subject: str, outcome: str) -> str:
    if subject.startswith("test"):
        return TEST_OUTCOMES.get(outcome, outcome)
    return RUN_OUTCOMES.get(outcome.lower(), outcome)


def _was_free(violation: Violation) -> bool:
    return violation.path[:1] == ("subject",) and violation.rule in FREE_BEFORE.get(
        str(violation.path[-1]), ()
    )


def _relieved(document: Json, violations: Sequence[Violation], old_type: str) -> Json:
    moved: Json = {}
    for path in {violation.path for violation in violations}:
        document, value = _cut_out(document, path)
        if value != "":  # an empty source of 0.1 says nothing
            moved[".".join(map(str, path))] = value
    if not moved:
        return document
    custom = document.get("customData", {})
    if not isinstance(custom, dict):
        raise NotUpgradeable(f"{violations[0]}; and customData is no object that could keep the value")
    kept = {**custom, "upgradedFrom": {"type": old_type, **moved}}
    return {**document, "customData": kept, "customDataContentType": "application/json"}


def _cut_out(document: Json, path: Sequence[str | int]) -> tuple[Json, Any]:
    step = str(path[0])
    if len(path) == 1:
        return _without(document, step), document[step]
    inner, value = _cut_out(document[step], path[1:])
    return {**document, step: inner}, value


def _without(mapping: Json, *keys: str) -> Json:
    return {name: value for name, value in mapping.items() if name not in keys}


def _renamed(mapping: Json, names: Mapping[str, str]) -> Json:
    renamed = dict(mapping)
    for old, new in names.items():
        if old in renamed and new not in renamed:
            renamed[new] = renamed.pop(old)
    return renamed
