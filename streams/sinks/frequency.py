"""``deployment_frequency``: absolute values per bucket, written by the windowed-table agent alone.

Values are never put over values that follow from more of the topic: ``frequency_positions`` has the offset
that each partition's counts follow from, and its row is locked until the counts are written. A worker that
was frozen between counting and storing, and goes on when another has its partitions, changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from streams.sinks.columns import columns
from streams.sinks.database import Connection, Database, statement


class Cell(NamedTuple):
    """One bucket of one service in one environment; ``start`` in seconds since the epoch."""

    service: str
    environment: str
    bucket: str
    start: float


class Counted(NamedTuple):
    """(deployments, deployment days) of cells of one partition, which follow from it up to ``position``."""

    position: int
    cells: Mapping[Cell, tuple[int, int]]


async def store(database: Database, counted: Mapping[int, Counted]) -> dict[int, int]:
    """Write the cells of each partition; a cell that came to hold nothing is removed.

    Returns the partitions of which more was counted before, with that position; theirs are not written.
    """
    async with database.transaction() as connection:
        taken, ahead = await _advance(connection, counted)
        cells = {cell: value for partition in taken for cell, value in counted[partition].cells.items()}
        await _write(connection, cells)
    return ahead


async def forget(database: Database, partition: int, position: int) -> None:
    """Let counts of ``partition`` begin anew, unless another worker has done so since."""
    async with database.transaction() as connection:
        await connection.execute(statement("forget_frequency_position"), partition, position)


async def _advance(
    connection: Connection, counted: Mapping[int, Counted]
) -> tuple[Sequence[int], dict[int, int]]:
    reached = [(partition, counts.position) for partition, counts in sorted(counted.items())]
    rows = await connection.fetch(statement("advance_frequency"), *columns(reached))
    taken = [row["partition"] for row in rows]
    if len(taken) == len(counted):
        return taken, {}
    known = await connection.fetch(
        "SELECT partition, position FROM frequency_positions WHERE partition = ANY($1)",
        list(counted.keys() - set(taken)),
    )
    return taken, {row["partition"]: row["position"] for row in known}


async def _write(connection: Connection, values: Mapping[Cell, tuple[int, int]]) -> None:
    held = sorted((cell, value) for cell, value in values.items() if value[0])
    gone = sorted(cell for cell, value in values.items() if not value[0])
    if held:
        rows = [(*_columns(cell), *value) for cell, value in held]
        await connection.execute(statement("store_frequency"), *columns(rows))
    if gone:
        keys = [_columns(cell) for cell in gone]
        await connection.execute(statement("delete_frequency"), *columns(keys))


def _columns(cell: Cell) -> tuple[str, str, str, datetime]:
    return cell.service, cell.environment, cell.bucket, datetime.fromtimestamp(cell.start, UTC)
