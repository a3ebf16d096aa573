"""The history of ``benchmarks/query_history.py`` in PostgreSQL: by COPY, then in the order of time.

That is the order in which a pipeline that lives would have written it: rows of one service are far apart.
"""

from collections.abc import Callable

import asyncpg

from benchmarks.query_history import COLUMNS, Size, services
from deploy.migrations import migrate

WITH_PUSHES = 20  # services; no answer reads pushes: those of a team are there to be linked again
# In the order of time, as they would have come.
CLUSTERED = {
    "deployments": "deployments_by_time",
    "attributions": "attributions_by_time",
    "deployed_changes": "deployed_changes_by_time",
    "link_days": "link_days_by_day",
    "deployment_frequency": "deployment_frequency_by_bucket",
    "incidents": "incidents_by_time",
}
TABLES = (
    "deployments",
    "changes",
    "pushes",
    "incidents",
    "attributions",
    "deployed_changes",
    "link_days",
    "deployment_frequency",
)
INDEXES = """
SELECT class.relname AS name,
       CASE WHEN made.conname IS NULL THEN format('DROP INDEX %I', class.relname)
            ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', index.indrelid::regclass, made.conname)
       END AS undo,
       CASE WHEN made.conname IS NULL THEN pg_get_indexdef(index.indexrelid)
            ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', index.indrelid::regclass, made.conname,
                        pg_get_constraintdef(made.oid)) END AS redo
  FROM pg_index AS index
  JOIN pg_class AS class ON class.oid = index.indexrelid
  LEFT JOIN pg_constraint AS made ON made.conindid = index.indexrelid
 WHERE index.indrelid::regclass::text = ANY ($1::text[])
"""

Say = Callable[[str], None]


async def load(dsn: str, size: Size, say: Say) -> dict[str, int]:
    """Write the history into an empty database; how many rows each table has then."""
    await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET maintenance_work_mem = '512MB'")
    indexes = await _drop_indexes(connection)
    rows: dict[str, int] = {}
    async with connection.transaction():
        await connection.execute(f"TRUNCATE {', '.join(TABLES)}")  # so that COPY need not write a log
        for number, service in enumerate(services(size), 1):
            for name, records in service.tables.items():
                if name == "pushes" and number > WITH_PUSHES:
                    continue
                await connection.copy_records_to_table(name, records=records, columns=COLUMNS[name])
                rows[name] = rows.get(name, 0) + len(records)
            if number % 50 == 0:
                say(f"loaded {number} of {size.services} services")
    for name, index in CLUSTERED.items():
        say(f"bringing {name} into the order of time")
        await connection.execute(indexes.pop(index))
        await connection.execute(f"CLUSTER {name} USING {index}")
    say("making the indexes")
    for definition in indexes.values():
        await connection.execute(definition)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    return rows


async def _drop_indexes(connection: asyncpg.Connection) -> dict[str, str]:
    """What makes each index of the tables again, by its name; a load is much faster without."""
    found = await connection.fetch(INDEXES, list(TABLES))
    for row in found:
        await connection.execute(row["undo"])
    return {row["name"]: row["redo"] for row in found}
