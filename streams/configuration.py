"""What the rows of a generation are made with, besides its zone: the catalog and the routes.

The first worker of a generation says which; one that comes with others is refused. It would give the events
that it handles other services, environments and CDEvents than those before them got, and the windows would
count both.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import orjson

from streams.app import load_catalog, load_routes
from streams.settings import Settings

CLAIM = """
UPDATE generations
SET catalog_digest = coalesce(nullif(catalog_digest, ''), $2),
    routes_digest = coalesce(nullif(routes_digest, ''), $3)
WHERE generation = $1 AND (catalog_digest = '' OR routes_digest = '')
"""
KEPT = "SELECT catalog_digest, routes_digest FROM generations WHERE generation = $1"


class OtherConfiguration(RuntimeError):
    """The rows are made with another catalog or other routes; the message says what to do."""


async def agree(connection: Any, settings: Settings, generation: int) -> None:
    """Return when this worker's catalog and routes are the generation's. Raises ``OtherConfiguration``.

    Besides it raises what reading the files raises.
    """
    catalog, routes = load_catalog(settings.catalog).facts_digest, digest_of(load_routes(settings.routes))
    row = await connection.fetchrow(KEPT, generation)
    if "" in (row["catalog_digest"], row["routes_digest"]):
        await claim(connection, generation, catalog, routes)
        row = await connection.fetchrow(KEPT, generation)
    for setting, ours, kept in (
        ("DORA_CATALOG", catalog, row["catalog_digest"]),
        ("DORA_ROUTES", routes, row["routes_digest"]),
    ):
        if ours != kept:
            raise OtherConfiguration(
                f"the rows of generation {generation} are made with something else than {setting} says now;"
                " to change over run: dora recompute. Until that is done, start with what it said before"
            )


async def claim(connection: Any, generation: int, catalog: str, routes: str) -> None:
    """Be the first, if nobody was yet."""
    try:
        await connection.execute(CLAIM, generation, catalog, routes)
    except asyncpg.InsufficientPrivilegeError as error:
        raise OtherConfiguration(
            "the worker's role may not update the table generations; run: dora migrate"
        ) from error


def digest_of(routes: Mapping[str, Sequence[str]] | None) -> str:
    """SHA-256 of a routes map: equal for maps that route alike, whatever the order in their files."""
    told = sorted((event_type, list(targets)) for event_type, targets in (routes or {}).items())
    return hashlib.sha256(orjson.dumps(told)).hexdigest()
