"""What every route works with."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Request

from query.authentication import of_scope
from query.callers import NOBODY, Caller
from query.database import Database
from query.observation import Measures
from query.problems import Forbidden
from query.settings import Settings
from schemas.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Context:
    """Settings, the catalog, the database, the counters, and the clock, which only the routes may look at.

    ``caller`` is who asks: in the application's own context nobody, in that of a route whoever was let in.
    """

    settings: Settings
    catalog: Catalog
    database: Database
    measures: Measures
    now: Callable[[], datetime]
    caller: Caller = NOBODY

    @property
    def sees(self) -> Callable[[str], bool] | None:
        """Whether the caller sees a service; ``None`` when they see everything, services or not."""
        return partial(self.caller.sees, catalog=self.catalog) if self.caller.is_scoped else None


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return replace(context, caller=of_scope(request.scope))


Here = Annotated[Context, Depends(_context)]


def needs(right: str) -> Any:
    """A dependency that refuses callers without ``right``."""

    def checked(request: Request) -> None:
        if right not in of_scope(request.scope).rights:
            raise Forbidden

    return Depends(checked)
