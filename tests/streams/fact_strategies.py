"""Generated facts of every kind, with ties in everything that ranks."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from hypothesis import strategies as st

from streams.facts import Artifact, Change, Correction, Incident, Push

INSTANTS = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3)]
# Two that a collation of people would put the other way round.
TEXTS = ["a", "B", "é", "z"]

instants = st.sampled_from(INSTANTS)
texts = st.sampled_from(TEXTS)
maybe_instant = st.none() | instants
maybe_text = st.none() | texts

changes = st.builds(
    Change,
    st.sampled_from(["acme/shop", ""]),
    texts,
    st.just("commit"),
    committed_at=maybe_instant,
    pushed_at=instants,
    opened_at=maybe_instant,
    merged_at=maybe_instant,
    service=maybe_text,
    commit=maybe_text,
    head=maybe_text,
    branch=maybe_text,
    reverts=maybe_text,
    hotfix=st.booleans(),
    services=maybe_text,
)
pushes = st.builds(
    Push, st.just("acme/shop"), texts, texts, instants, st.integers(0, 2), texts, texts, st.booleans()
)


def _artifact(name: str, **known: Any) -> Artifact:
    return Artifact(sha256(name.encode()).digest(), name, **known)


artifacts = st.builds(_artifact, texts, repository=maybe_text, commit=maybe_text, change_id=maybe_text)


@st.composite
def incidents(draw: st.DrawFn) -> Incident:
    """One report of an incident."""
    at, begun = draw(instants), draw(st.booleans())
    micros = int(at.timestamp()) * 1_000_000
    names = st.sampled_from(["service", "environment", "deploy_id", "commit", "artifact", "ticket"])
    told = {name: (micros, value) for name, value in draw(st.dictionaries(names, texts)).items()}
    times = (at, at, None) if begun else (None, None, at)
    return Incident("/pager", draw(st.sampled_from(["i1", "i2"])), *times, told)


corrections = st.builds(
    Correction,
    texts,
    instants,
    st.none() | st.booleans(),
    st.none() | st.booleans(),
    maybe_text,
    texts,
    texts,
)

STRATEGIES: dict[type[Any], st.SearchStrategy[Any]] = {
    Change: changes,
    Push: pushes,
    Artifact: artifacts,
    Incident: incidents(),
    # An id names one payload.
    Correction: corrections,
}
UNIQUE = {Correction: lambda fact: (fact.deploy_id, fact.rank)}


def facts(kind: type[Any]) -> st.SearchStrategy[list[Any]]:
    """Several facts of one kind, of which some are about the same thing."""
    return st.lists(STRATEGIES[kind], min_size=1, max_size=10, unique_by=UNIQUE.get(kind, repr))
