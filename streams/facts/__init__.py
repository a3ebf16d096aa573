"""Facts: what CDEvents tell of deployments, changes, artifacts, incidents, and how tellings merge. Pure.

Every merge is commutative, associative and idempotent, so that order and repetition of events do not matter.
Contract: docs/architecture.md, "Identity" and "Facts".
"""

from collections.abc import Iterator

from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent
from streams.facts.artifacts import Artifact, artifact_of
from streams.facts.changes import Change, Push, change_of, push_of
from streams.facts.corrections import Correction, correction_of
from streams.facts.deployments import (
    COUNTED_KINDS,
    KINDS,
    OUTCOMES,
    Deployment,
    decide_counted,
    deployment_of,
    merge,
    merge_all,
    partition_key,
    place_of,
)
from streams.facts.incidents import Incident, incident_of
from streams.facts.told import FIRST_YEAR, LAST_YEAR

__all__ = [
    "COUNTED_KINDS",
    "FIRST_YEAR",
    "KINDS",
    "LAST_YEAR",
    "OUTCOMES",
    "Artifact",
    "Change",
    "Correction",
    "Deployment",
    "Fact",
    "Incident",
    "Push",
    "decide_counted",
    "deployment_of",
    "facts_of",
    "merge",
    "merge_all",
    "partition_key",
    "place_of",
]

Fact = Deployment | Change | Push | Artifact | Incident | Correction


def facts_of(event: CDEvent, catalog: Catalog) -> Iterator[Fact]:
    """Every fact that ``event`` tells. Raises ``ValueError`` for an event whose time cannot be placed."""
    for found in (
        deployment_of(event, catalog),
        change_of(event),
        push_of(event),
        artifact_of(event),
        incident_of(event, catalog),
        correction_of(event),
    ):
        if found is not None:
            yield found
