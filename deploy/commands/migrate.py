"""Bring the PostgreSQL schema to the newest version."""

from typing import Annotated

import typer


def migrate(
    *,
    postgres: Annotated[
        str, typer.Option(envvar="DORA_POSTGRES", help="PostgreSQL URL of the tables' owner.")
    ],
    timezone: Annotated[
        str, typer.Option(envvar="DORA_TIMEZONE", help="IANA zone of the first generation of tables.")
    ] = "UTC",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would run; change nothing.")] = False,
) -> None:
    """Bring the PostgreSQL schema to the newest version.

    Prints one line for each migration that was applied. Safe to run again, and to run from several machines
    at once.

    \b
    Examples:
      DORA_POSTGRES=postgresql://dora@db/dora dora migrate
      dora migrate --postgres postgresql://dora@db/dora --dry-run
    """
    import asyncio

    from deploy import migrations
    from schemas.calendar import zone_of

    try:
        zone_of(timezone)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--timezone") from None
    if dry_run:
        for migration in asyncio.run(migrations.plan(postgres)):
            typer.echo(f"-- {migration}\n{migration.sql}")
        return
    applied = asyncio.run(migrations.migrate(postgres, timezone=timezone))
    for migration in applied:
        typer.echo(str(migration))
    typer.echo(f"{len(applied)} applied; the schema is up to date", err=True)
