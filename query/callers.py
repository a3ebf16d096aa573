"""Who asks, and what that lets them see. Pure."""

from dataclasses import dataclass

from access.keys import EVENTS, METRICS, RIGHTS
from schemas.catalog import Catalog

__all__ = ["EVENTS", "EVERYBODY", "METRICS", "NOBODY", "Caller"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks. ``teams`` are those whose services they see; ``None``: they see everything.

    ``rights`` say what may be asked for at all: ``METRICS`` and the facts behind them, ``EVENTS`` with their
    payloads.
    """

    teams: frozenset[str] | None
    rights: frozenset[str]

    @property
    def is_scoped(self) -> bool:
        """Whether there is anything that they do not see. What belongs to no team, they do not see either."""
        return self.teams is not None

    def is_of(self, team: str) -> bool:
        """Whether they see what belongs to ``team``."""
        return self.teams is None or team in self.teams

    def sees(self, service: str, catalog: Catalog) -> bool:
        """Whether they see ``service``. Says nothing of whether it exists, and does not depend on it."""
        if self.teams is None:
            return True
        team = catalog.team_of(service)
        return team is not None and team in self.teams


EVERYBODY = Caller(None, frozenset(RIGHTS))
NOBODY = Caller(frozenset(), frozenset())
