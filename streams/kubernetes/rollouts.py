"""The rollouts of one object, from looks at it in any order. Pure; knows nothing of any system's payloads.

A look tells a sequence number (a revision, a generation) and the digest of the template that ran under it.
Consecutive known numbers with one template are one rollout, named by the first of them: so a restart, or a
change of scale, belongs to a rollout that is known already. Adding looks is commutative, associative and
idempotent, as long as an object has at most ``MOST_SPANS`` spans; docs/sources/kubernetes.md says what
is given up beyond.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

# One span is 150 to 250 bytes of JSON, so that an object's state stays near 10 kB.
MOST_SPANS = 48

Kind = Literal["deployed", "upgraded", "rolledback"]


class Span(NamedTuple):
    """Sequence numbers ``first`` to ``last``, each of them looked at, and all with the same template.

    ``certain`` is false when the template may belong to the next number. ``started``: a look met pods of an
    older template beside it. ``ready`` is when the source says that the rollout was complete, ``seen`` the
    time of the earliest look that met it complete; RFC 3339 in UTC. ``artifacts`` are purls.
    """

    first: int
    last: int
    digest: str
    certain: bool = True
    started: bool = False
    ready: str | None = None
    seen: str | None = None
    artifacts: Sequence[str] = ()


Spans = tuple[Span, ...]


class Rollout(NamedTuple):
    """A rollout that reached its end, at the instant ``at``."""

    kind: Kind
    at: str
    artifacts: Sequence[str]


def add(spans: Spans, look: Span) -> Spans:
    """Take in one look. The very same object comes back when it tells nothing new."""
    grown, apart = look, []
    for span in spans:
        if span.digest == grown.digest and _touches(span, grown):
            grown = _union(span, grown)
        else:
            apart.append(span)
    return spans if grown in spans else tuple(sorted([*apart, grown], key=_place))


def forget(spans: Spans) -> tuple[Spans, int]:
    """Keep the newest spans only; also tell how much knowledge went with the others."""
    surplus = max(0, len(spans) - MOST_SPANS)
    return spans[surplus:], weight(spans[:surplus])


def weight(spans: Spans) -> int:
    """Measure what is known. It grows with every look that can change what ``rollouts`` answers."""
    # Nine a number outweighs the three flags that are lost when a look joins two spans into one.
    return sum(
        (span.last - span.first + 1) * (9 if span.certain else 8)
        + span.started
        + (span.ready is not None)
        + (span.seen is not None)
        for span in spans
    )


def rollouts(spans: Spans, *, forgotten: int = 0) -> dict[int, Rollout]:
    """Tell which rollouts reached their end, by the sequence number that names them.

    Going back to a template that had reached its end before is a rollback. A rollout that was met complete
    counts only when it is known to have begun while the object was watched, or the source tells its time.
    """
    found: dict[int, Rollout] = {}
    completed: set[str] = set()
    preceded = forgotten > 0
    for run in runs(spans):
        at = _ended(run, preceded=preceded)
        if at is not None:
            found[run[0].first] = Rollout(_kind(run[0], completed), at, run[0].artifacts)
        if any(span.ready or span.seen for span in run):
            completed.add(run[0].digest)
        preceded = True
    return found


def runs(spans: Spans) -> list[list[Span]]:
    """Join consecutive spans of one template, whatever numbers between them are unknown."""
    joined: list[list[Span]] = []
    for span in _agreeing(spans):
        if joined and joined[-1][0].digest == span.digest:
            joined[-1].append(span)
        else:
            joined.append([span])
    return joined


def rollout_of(spans: Spans, look: Span, *, forgotten: int = 0) -> tuple[int, bool] | None:
    """Find the rollout that a look belongs to: the number that names it, and whether it reached its end.

    ``None`` when better known looks contradict this one.
    """
    for position, run in enumerate(runs(spans)):
        if run[0].first <= look.first <= run[-1].last and run[0].digest == look.digest:
            preceded = position > 0 or forgotten > 0
            return run[0].first, _ended(run, preceded=preceded) is not None
    return None


def earliest(*times: str | None) -> str | None:
    """Pick the earliest of instants written in UTC as ``schemas.instant.format_instant`` does."""
    # Without its Z a whole second sorts before its fractions, as it must.
    known = [time for time in times if time is not None]
    return min(known, key=lambda time: time[:-1]) if known else None


def _place(span: Span) -> tuple[int, bool, bool, str, str]:
    """Order spans; of two that claim the same number the better known comes first."""
    ended = earliest(span.ready, span.seen)
    return (span.first, not span.certain, ended is None, ended or "", span.digest)


def _touches(one: Span, other: Span) -> bool:
    """Whether two spans of one template are one."""
    if one.certain and other.certain:
        return one.first <= other.last + 1 and other.first <= one.last + 1
    if one.certain or other.certain:
        wide, narrow = (one, other) if one.certain else (other, one)
        return wide.first <= narrow.first and narrow.last <= wide.last
    return one.first == other.first


def _union(one: Span, other: Span) -> Span:
    return Span(
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        digest=one.digest,
        certain=one.certain or other.certain,
        started=one.started or other.started,
        ready=earliest(one.ready, other.ready),
        seen=earliest(one.seen, other.seen),
        # Equal digests mean equal templates, and so equal artifacts.
        artifacts=one.artifacts or other.artifacts,
    )


def _agreeing(spans: Spans) -> list[Span]:
    """Leave out what contradicts a better known span, and what is uncertain and tells nothing of its own."""
    kept: list[Span] = []
    last = 0
    for span in spans:
        if span.first > last:
            kept.append(span)
            last = span.last
    if all(span.certain for span in kept):
        return kept
    digests = [None, *(span.digest for span in kept), None]
    return [
        span
        for span, before, after in zip(kept, digests, digests[2:], strict=False)
        if span.certain or span.digest not in (before, after)
    ]


def _ended(run: list[Span], *, preceded: bool) -> str | None:
    """When a rollout reached its end; ``None`` when it did not, or nothing tells that it was one."""
    times = [span.ready for span in run]
    if preceded or any(span.first == 1 or span.started for span in run):
        times += [span.seen for span in run]
    return earliest(*times)


def _kind(span: Span, completed: set[str]) -> Kind:
    if span.first == 1:
        return "deployed"
    return "rolledback" if span.digest in completed else "upgraded"
