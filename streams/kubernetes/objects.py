"""What is remembered of one watched object: the state of a stateful source, and how an observation grows it.

Pure. Growing is commutative, associative and idempotent (within the limits below), so that neither the order
nor the repetition of messages matters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from schemas.instant import format_instant, parse_instant
from streams.kubernetes.rollouts import Span, Spans, add, earliest, forget, weight

# ReplicaSets that Event objects told of, 45 bytes each; the newest are remembered.
MOST_REPLICA_SETS = 100

Facts = Mapping[str, Any]
State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """One object's state. ``to_json`` is what a table stores.

    ``replica_sets`` are those that Event objects told of, each with the instant. ``observed``: the object
    itself was looked at. ``forgotten`` is the weight of the spans that were dropped for room.
    """

    spans: Spans = ()
    replica_sets: Mapping[str, str] = field(default_factory=dict)
    observed: bool = False
    removed: str | None = None
    forgotten: int = 0

    @classmethod
    def of(cls, state: State | None) -> "Known":
        """Read a state."""
        if state is None:
            return cls()
        return cls(
            spans=tuple([Span._make(span) for span in state["spans"]]),
            replica_sets=state["replica_sets"],
            observed=state["observed"],
            removed=state["removed"],
            forgotten=state["forgotten"],
        )

    def to_json(self) -> State:
        """Write a state, without what there is no room for."""
        spans, forgotten = forget(self.spans)
        return {
            "spans": [list(span) for span in spans],
            "replica_sets": dict(self.replica_sets),
            "observed": self.observed,
            "removed": self.removed,
            "forgotten": self.forgotten + forgotten,
        }

    @property
    def evidence(self) -> int:
        """How much is known: it grows with whatever can change what was reported."""
        return self.forgotten + weight(self.spans)

    def remembers(self, sequence: int) -> bool:
        """Whether a look at this number can be placed: the numbers below the oldest span were forgotten."""
        return self.forgotten == 0 or sequence >= self.spans[0].first


def grow(known: Known, facts: Facts) -> Known:
    """Add one observation. An equal state comes back when it tells nothing new."""
    time = instant_of(facts["time"])
    return _with_event(known, facts, time) if facts["of"] == "event" else _with_object(known, facts, time)


def instant_of(text: Any) -> str | None:
    """Write a time in the one form that is compared; ``None`` when it is no time."""
    try:
        return format_instant(parse_instant(text))
    except (TypeError, ValueError):
        return None


def _with_event(known: Known, facts: Facts, time: str | None) -> Known:
    at = instant_of(facts["told_at"]) or time
    if at is None:
        return known
    name = facts["replica_set"]
    times = {**known.replica_sets, name: earliest(known.replica_sets.get(name), at) or at}
    newest = sorted(times, key=lambda each: (times[each], each))[-MOST_REPLICA_SETS:]
    return replace(known, replica_sets={each: times[each] for each in sorted(newest)})


def _with_object(known: Known, facts: Facts, time: str | None) -> Known:
    sequence, spans = facts["sequence"], known.spans
    if sequence is not None and known.remembers(sequence):
        spans = add(spans, span_of(facts, time))
    removed = (instant_of(facts["deleted_at"]) or time) if facts["deleted"] else None
    return replace(known, spans=spans, observed=True, removed=earliest(known.removed, removed))


def span_of(facts: Facts, time: str | None) -> Span:
    """Read what one look at an object tells of its rollout."""
    # When the object is gone, the time of the message says nothing of the time of its last rollout.
    seen = time if facts["phase"] == "complete" and not facts["deleted"] else None
    return Span(
        first=facts["sequence"],
        last=facts["sequence"],
        digest=facts["digest"],
        certain=facts["certain"],
        started=facts["started"],
        ready=facts["ready"],
        seen=seen,
        artifacts=facts["artifacts"],
    )
