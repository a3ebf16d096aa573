"""What every route works with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from query.database import Database
from query.observation import Measures
from query.settings import Settings
from schemas.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Context:
    """Settings, the catalog, the database, the counters, and the clock, which only the routes may look at."""

    settings: Settings
    catalog: Catalog
    database: Database
    measures: Measures
    now: Callable[[], datetime]


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Here = Annotated[Context, Depends(_context)]
