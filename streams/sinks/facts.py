"""The tables of facts, merged by statements that a test holds equal to the merges in ``streams.facts``."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from streams.facts import (
    Artifact,
    Change,
    Correction,
    Deployment,
    Fact,
    Incident,
    Push,
    artifacts,
    changes,
    corrections,
    deployments,
    incidents,
)
from streams.facts.artifacts import artifact_key
from streams.facts.told import merged, repository_key
from streams.sinks.columns import Row, columns, row_of
from streams.sinks.database import Connection, statement

Place = tuple[str, str]


class Table(NamedTuple):
    """How facts of one kind are merged and written: what identifies one, and its columns."""

    statement: str
    key: Callable[[Any], Any]
    merge: Callable[[Any, Any], Any]
    row: Row


def _incident_row(incident: Incident) -> tuple[Any, ...]:
    told = orjson.dumps(dict(incident.told)).decode()
    return (*incident.key, incident.detected_at, incident.opened_at, incident.resolved_at, told)


TABLES: Mapping[type[Any], Table] = {
    Deployment: Table(
        "merge_deployments", lambda fact: fact.deploy_id, deployments.merge, row_of(Deployment)
    ),
    Change: Table("merge_changes", lambda fact: fact.key, changes.merge, row_of(Change)),
    Push: Table("merge_pushes", lambda fact: fact.key, changes.merge_pushes, row_of(Push)),
    Artifact: Table("merge_artifacts", lambda fact: fact.key, artifacts.merge, row_of(Artifact)),
    Incident: Table("merge_incidents", lambda fact: fact.key, incidents.merge, _incident_row),
    Correction: Table("merge_corrections", lambda fact: fact.key, corrections.merge, row_of(Correction)),
}

Facts = dict[type[Any], list[Any]]


def by_table(facts: Iterable[Fact]) -> Facts:
    """Facts by their table, each once. Sorted, so that two workers never wait for each other in a circle."""
    found: Facts = {kind: [] for kind in TABLES}
    for fact in facts:
        found[type(fact)].append(fact)
    return {
        kind: sorted(merged(found[kind], table.key, table.merge), key=table.key)
        for kind, table in TABLES.items()
    }


async def merge(connection: Connection, facts: Facts) -> set[Place]:
    """Merge ``facts`` into their tables; the places where deployments and incidents were known before."""
    left = await _places(connection, facts)
    for kind, table in TABLES.items():
        if facts[kind]:
            await connection.execute(statement(table.statement), *columns(map(table.row, facts[kind])))
    return left


async def mark(connection: Connection, facts: Facts, left: set[Place]) -> None:
    """Mark every service and environment whose links ``facts`` may change."""
    places = left | {(each.service, each.environment) for each in facts[Deployment]}
    for incident in facts[Incident]:
        told = incident.told
        if "service" in told and "environment" in told:
            places.add((told["service"][1], told["environment"][1]))
    ordered = sorted(places)
    repositories, *others = _links(facts)
    blamed = sorted({each.told["commit"][1] for each in facts[Incident] if "commit" in each.told})
    if blamed:
        homes = await connection.fetch(statement("homes_of_commits"), blamed, [])
        repositories |= {row["repository"] for row in homes}
    await connection.execute(
        statement("mark_relinks"),
        [service for service, _ in ordered],
        [environment for _, environment in ordered],
        *map(sorted, (repositories, *others)),
    )


def _links(facts: Facts) -> Sequence[set[str]]:
    """The repositories, commits, artifact keys, deploy_ids and change_ids by which others may be affected."""
    told = [{name: value for name, (_, value) in each.told.items()} for each in facts[Incident]]
    named = [each.repository for each in (*facts[Change], *facts[Artifact])]
    repositories = {*named, *(each.get("repository") for each in told)}
    commits = {each.commit for each in (*facts[Push], *facts[Change])} | {each.get("commit") for each in told}
    keys = {each.artifact for each in facts[Artifact]}
    keys |= {artifact_key(each["artifact"]) for each in told if "artifact" in each}
    deploy_ids = {each.deploy_id for each in facts[Correction]} | {each.get("deploy_id") for each in told}
    change_ids = {each.change_id for each in facts[Change]}
    return [
        {repository_key(name) or "" for name in repositories if name},
        {commit for commit in commits if commit},
        keys,
        {deploy_id for deploy_id in deploy_ids if deploy_id},
        change_ids,
    ]


async def _places(connection: Connection, facts: Facts) -> set[Place]:
    found: set[Place] = set()
    if facts[Deployment]:
        deploy_ids = [each.deploy_id for each in facts[Deployment]]
        rows = await connection.fetch(statement("places_of_deployments"), deploy_ids)
        found |= {(row["service"], row["environment"]) for row in rows}
    if facts[Incident]:
        sources, ids = zip(*(each.key for each in facts[Incident]), strict=True)
        rows = await connection.fetch(statement("places_of_incidents"), list(sources), list(ids))
        found |= {(row["service"], row["environment"]) for row in rows}
    return found
