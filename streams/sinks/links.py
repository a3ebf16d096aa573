"""``attributions``, ``deployed_changes`` and ``link_days``: the links of a place, from its facts."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from schemas.calendar import zone_of
from schemas.catalog import Catalog
from streams.facts import Artifact, Change, Correction, Deployment, Incident, Push
from streams.facts.artifacts import artifact_key
from streams.facts.told import repository_key
from streams.links import Attribution, DeployedChange, History, link
from streams.links.history import DEFAULT_INCIDENT_WITHIN, LinkDay
from streams.sinks.columns import columns, names_of, row_of
from streams.sinks.database import Connection, Database, statement


async def relink(database: Database, catalog: Catalog) -> tuple[str, str] | None:
    """Compute the links of one marked service and environment anew; ``None`` when none is marked.

    When none is, places whose links an older version left unfinished are.
    The mark goes in the same transaction: killed in between, it is still there.
    """
    async with database.transaction() as connection:
        place = await connection.fetchrow(statement("take_relink"))
        if place is None:
            await connection.execute(statement("mark_unfinished"))
            place = await connection.fetchrow(statement("take_relink"))
        if place is None:
            return None
        service, environment = found = str(place["service"]), str(place["environment"])
        zone = zone_of(await connection.fetchval(statement("zone_of_generation"), database.generation))
        history = await read_history(connection, catalog, service, environment, zone)
        links = link(history)
        await _replace(connection, "attributions", found, Attribution, ["deploy_id"], links.attributions)
        await _replace(
            connection, "deployed_changes", found, DeployedChange, ["repository", "change_id"], links.changes
        )
        await _replace(connection, "link_days", found, LinkDay, ["day"], links.days)
        await _keep_homes(connection, found, history.repositories)
        return found


async def read_history(
    connection: Connection, catalog: Catalog, service: str, environment: str, zone: ZoneInfo
) -> History:
    """All facts that matter to ``service`` in ``environment``."""
    rows = await _rows(connection, "deployments_of_place", service, environment)
    deployments = [Deployment(*row) for row in rows]
    keys = {artifact_key(each.artifact) for each in deployments if each.artifact is not None}
    digests = [sha256(key.encode()).digest() for key in sorted(keys)]
    built = [Artifact(*row) for row in await _rows(connection, "artifacts_of_digests", digests)]
    commits = {each.commit.lower() for each in deployments if each.commit is not None}
    commits |= {each.commit for each in built if each.commit is not None}
    repositories = {repository_key(each.repository) for each in deployments if each.repository is not None}
    repositories |= {each.repository for each in built}
    change_ids = [each.change_id for each in built if each.change_id is not None]
    homes = await _rows(connection, "homes_of_commits", sorted(commits), change_ids)
    repositories |= {str(row[0]) for row in homes}
    wanted = sorted(each for each in repositories if each is not None)
    deploy_ids = [each.deploy_id for each in deployments]
    incidents = await _rows(
        connection,
        "incidents_of_place",
        service,
        environment,
        deploy_ids,
        wanted,
        sorted(commits),
        sorted(keys),
    )
    said = [Correction(*row) for row in await _rows(connection, "corrections_of_deployments", deploy_ids)]
    return History(
        service=service,
        environment=environment,
        deployments=deployments,
        pushes=[Push(*row) for row in await _rows(connection, "pushes_of_repositories", wanted)],
        changes=[Change(*row) for row in await _rows(connection, "changes_of_repositories", wanted)],
        artifacts={each.artifact: each for each in built},
        incidents=[_incident(row) for row in incidents],
        corrections={each.deploy_id: each for each in said},
        channel=catalog.deployments_from(service),
        incident_within=catalog.incident_within(service) or DEFAULT_INCIDENT_WITHIN,
        zone=zone,
        repositories=wanted,
        divided=frozenset(each for each in wanted if catalog.divides(each, service)),
    )


def _incident(row: tuple[Any, ...]) -> Incident:
    told = {name: (micros, value) for name, (micros, value) in orjson.loads(row[5]).items()}
    source, identity, detected, opened, resolved, _ = row
    return Incident(source, identity, detected, opened, resolved, told)


async def _keep_homes(connection: Connection, place: tuple[str, str], repositories: Sequence[str]) -> None:
    """Add the repositories by which later facts find the place.

    When one is new the place is marked again: what was stored since they were read did not find it.
    """
    await connection.execute(statement("finish_homes"), *place)
    if await connection.execute(statement("store_homes"), *place, repositories) != "INSERT 0 0":
        await connection.execute(statement("mark_again"), *place)


async def _replace(
    connection: Connection,
    table: str,
    place: tuple[str, str],
    kind: type[Any],
    key: Sequence[str],
    links: Sequence[Any],
) -> None:
    """Make ``links`` the rows of ``place`` in ``table``: what is over goes, what differs is written."""
    places = [names_of(kind).index(name) for name in key]
    rows = {tuple(row[each] for each in places): row for row in map(row_of(kind), links)}
    known = {
        tuple(row[each] for each in places): row
        for row in await _rows(connection, f"{table}_of_place", *place)
    }
    if gone := sorted(known.keys() - rows.keys()):
        await connection.execute(statement(f"delete_{table}"), *place, *columns(gone))
    if new := [row for identity, row in rows.items() if known.get(identity) != row]:
        await connection.execute(statement(f"store_{table}"), *columns(new))


async def _rows(connection: Connection, name: str, *values: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.fetch(statement(name), *values)]
