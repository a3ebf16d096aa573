"""Which services and environments a question is about."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from query.context import Context
from query.database import Reading
from query.problems import Refused, TooLarge
from schemas.catalog import Catalog
from schemas.patterns import is_pattern

MOST_SERVICES = 20_000


@dataclass(frozen=True, slots=True)
class Selection:
    """``None`` is all of them."""

    services: Sequence[str] | None = None
    environments: Sequence[str] | None = None


async def selection(
    reading: Reading,
    here: Context,
    *,
    service: str | None = None,
    team: str | None = None,
    environments: Sequence[str] = (),
) -> Selection:
    """What these parameters select of what the caller sees. Raises ``Refused`` when they are at odds.

    What the caller does not see is answered like what does not exist. Which it is, is found in the catalog
    alone, so that neither the answer nor its time tells whether there is anything.
    """
    caller, chosen = here.caller, list(environments) or None
    if service is not None:
        if team is not None and not (caller.is_of(team) and here.catalog.team_of(service) == team):
            reason = f"the catalog does not give {service!r} to {team!r}; leave one of the two out"
            raise Refused({"service": reason, "team": reason})
        return Selection([service] if caller.sees(service, here.catalog) else [], chosen)
    teams = caller.teams if team is None else {team} if caller.is_of(team) else set()
    services = None if teams is None else await _services_of(reading, here.catalog, teams)
    return Selection(services, chosen)


def one_or_several(names: Sequence[str] | None) -> tuple[str | None, Sequence[str] | None]:
    """``names`` as the one name or as several, for statements that find one name faster."""
    return (names[0], None) if names is not None and len(names) == 1 else (None, names)


async def _services_of(reading: Reading, catalog: Catalog, teams: Collection[str]) -> Sequence[str]:
    if not teams:
        return []
    if not catalog.describes_services_by_pattern:
        return sorted({service for team in teams for service in catalog.services_of(team)})
    known = [row["service"] for row in await reading.rows("known_services", MOST_SERVICES + 1)]
    if len(known) > MOST_SERVICES:
        raise TooLarge("There are too many services to look for those of a team; ask for one service.")
    return sorted({service for team in teams for service in catalog.services_of(team, known)})


@dataclass(frozen=True, slots=True)
class Environments:
    """The environments of a metric: their names, and whether those are simply all that there are."""

    names: Sequence[str]
    everything: bool


def environments_of(catalog: Catalog, asked: Sequence[str], seen: Iterable[str]) -> Environments:
    """The environments asked for; else those declared production; else all that were seen.

    A pattern that declares environments production stands for itself while none that fits it was seen.
    """
    if asked:
        return Environments(sorted(asked), everything=False)
    if not catalog.production_environments:
        return Environments(sorted(seen), everything=True)
    named = {name for name in catalog.production_environments if not is_pattern(name)}
    found = named | {name for name in seen if catalog.is_production(name)}
    return Environments(sorted(found or catalog.production_environments), everything=False)
