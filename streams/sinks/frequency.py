"""``deployment_frequency``: absolute values per bucket, written by the windowed-table agent alone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from streams.sinks.database import Database, statement


class Cell(NamedTuple):
    """One bucket of one service in one environment; ``start`` in seconds since the epoch."""

    service: str
    environment: str
    bucket: str
    start: float


async def store(database: Database, values: Mapping[Cell, tuple[int, int]]) -> None:
    """Write (deployments, deployment days) of each cell; a cell that came to hold nothing is removed."""
    held = sorted((cell, value) for cell, value in values.items() if value[0])
    gone = sorted(cell for cell, value in values.items() if not value[0])
    async with database.transaction() as connection:
        if held:
            rows = [(*_columns(cell), *value) for cell, value in held]
            await connection.execute(statement("store_frequency"), *map(list, zip(*rows, strict=True)))
        if gone:
            keys = [_columns(cell) for cell in gone]
            await connection.execute(statement("delete_frequency"), *map(list, zip(*keys, strict=True)))


def _columns(cell: Cell) -> tuple[str, str, str, datetime]:
    return cell.service, cell.environment, cell.bucket, datetime.fromtimestamp(cell.start, UTC)
