"""How PostgreSQL answers each question: EXPLAIN (ANALYZE, BUFFERS) of every statement of it."""

import os
import re
from collections.abc import Iterable
from typing import Any
from unittest.mock import patch

import httpx

from benchmarks.query_history import Size
from benchmarks.query_questions import Question
from benchmarks.query_server import catalog
from query.app import create_app
from query.database import Reading, statement
from query.settings import Settings
from schemas.catalog import Catalog

ARRAY = re.compile(r"'\{.*?\}'")  # where the buckets begin, a hundred times in each plan


class Explained:
    """Stands in for ``Reading.rows``, and keeps the plan of what is read, in the same snapshot."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self._shown: set[str] = set()

    def begin(self, title: str) -> None:
        """From here on the plans are those of another question."""
        self.told.append(f"## {title}\n")

    async def rows(self, reading: Reading, name: str, *values: Any) -> Any:
        """The rows of the statement; its plan is kept unless one with the same values was just before."""
        connection = reading._connection  # noqa: SLF001 - the same snapshot
        lines = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {statement(name)}", *values)
        asked = f"{name} {values}"
        if asked in self._shown:
            self.told.append(f"-- {name}: as above\n")
        else:
            plan = "\n".join(ARRAY.sub("'{...}'", line[0]) for line in lines)
            self.told.append(f"-- {name}\n{plan}\n")
        self._shown.add(asked)
        return await read_rows(reading, name, *values)


read_rows = Reading.rows


async def plans(dsn: str, size: Size, asked: Iterable[Question]) -> str:
    """The plans of ``asked``, each of its first service or team, as text."""
    explained = Explained()
    explained.told.append(
        f"Load averages at the beginning: {' '.join(f'{n:.2f}' for n in os.getloadavg())}\n"
    )
    app = create_app(Settings.model_validate({"postgres": dsn}), Catalog.parse(catalog(size)))

    async def rows(reading: Reading, name: str, *values: Any) -> Any:
        return await explained.rows(reading, name, *values)

    with patch.object(Reading, "rows", rows):
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://query") as client:
                for question in asked:
                    explained.begin(str(question))
                    answer = await client.get(next(question.paths(size)), timeout=60)
                    answer.raise_for_status()
    return "\n".join(explained.told)
