"""The sync that an Application had last, and whether that deployed anything. Pure.

Spec: argoproj/argo-cd, ``OperationState`` and ``RevisionHistory``; controller/sync.go keeps a history of the
syncs that succeeded and were neither a dry run nor of some resources only.
"""

from dataclasses import dataclass

from schemas.instant import parse_instant
from streams.argocd.revisions import Revisions, named, revisions_of, same_sources, sources_of
from streams.fields import Fields
from streams.outcome import Ignored

SUCCEEDED = "Succeeded"
ENDED = (SUCCEEDED, "Failed", "Error")


@dataclass(frozen=True, slots=True)
class Sync:
    """A sync that has ended, at ``finished``.

    ``since`` is when its revisions were first deployed of all the times in a row, so that one that only
    repeats the sync before has the same. ``back`` says that they were deployed before others were.
    """

    phase: str
    finished: str
    revisions: Revisions
    message: str | None
    since: str
    back: bool


def sync_of(told: Fields) -> Sync | Ignored:
    """The sync that the Application ``told`` had last; or why it deployed nothing."""
    if told.find("status.operationState") is None:
        return Ignored("no sync is told of: the application was not synced since it is there")
    state = told.within("status.operationState")
    phase = state.text("phase")
    if phase not in ENDED:
        return Ignored(f"the sync is {phase}; a later message tells how it ends")
    if state.flag("operation.sync.dryRun"):
        return Ignored("a dry run changes nothing")
    if state.find("operation.sync.resources"):
        return Ignored("only some resources were synced, as self-healing does: that is no new revision")
    result = _result(state)
    revisions = revisions_of(result, sources_of(result) or sources_of(told.within("spec")))
    if revisions is None:
        return Ignored("the sync ended before it knew what to deploy")
    finished = state.instant("finishedAt")
    since, back = _place_in_history(told, result, finished) if phase == SUCCEEDED else (finished, False)
    return Sync(phase, finished, revisions, state.words("message"), since, back)


def _result(state: Fields) -> Fields:
    """Where the revisions stand: in the result, or for want of one in what was asked for."""
    for path in ("syncResult", "operation.sync"):
        if state.find(f"{path}.revision") or state.find(f"{path}.revisions"):
            return state.within(path)
    return Fields({})


def _place_in_history(told: Fields, result: Fields, finished: str) -> tuple[str, bool]:
    history = list(told.each("status.history"))
    if not history or named(history[-1]) != named(result):
        return finished, False
    last, revisions = history[-1], named(history[-1])
    same = [named(entry) == revisions and same_sources(entry, last) for entry in history]
    first = len(history) - 1
    while first > 0 and same[first - 1]:
        first -= 1
    since = history[first].optional_instant("deployedAt") or finished
    return min(since, finished, key=parse_instant), any(same[:first])
