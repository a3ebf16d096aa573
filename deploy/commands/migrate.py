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
    worker_role: Annotated[
        list[str] | None,
        typer.Option(envvar="DORA_WORKER_ROLE", help="Give this role the rights of a worker."),
    ] = None,
    query_role: Annotated[
        list[str] | None,
        typer.Option(envvar="DORA_QUERY_ROLE", help="Give this role the rights of the query process."),
    ] = None,
    dashboard_role: Annotated[
        list[str] | None,
        typer.Option(envvar="DORA_DASHBOARD_ROLE", help="Let this role read what dashboards show."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would run; change nothing.")] = False,
) -> None:
    """Bring the PostgreSQL schema to the newest version.

    Prints one line for each migration that was applied. Safe to run again, and to run from several machines
    at once. The roles have to exist; each option may be repeated.

    \b
    Examples:
      DORA_POSTGRES=postgresql://dora@db/dora dora migrate
      dora migrate --worker-role dora_worker --query-role dora_query
      dora migrate --postgres postgresql://dora@db/dora --dry-run
    """
    import asyncio

    from deploy import migrations, rights
    from schemas.calendar import zone_of

    try:
        zone_of(timezone)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--timezone") from None
    if dry_run:
        for migration in asyncio.run(migrations.plan(postgres)):
            typer.echo(f"-- {migration}\n{migration.sql}")
        return
    roles = {
        role: of
        for named, of in (
            (worker_role, rights.WORKER),
            (query_role, rights.QUERY),
            (dashboard_role, rights.DASHBOARDS),
        )
        for role in named or ()
    }
    applied = asyncio.run(migrations.migrate(postgres, timezone=timezone, roles=roles))
    for migration in applied:
        typer.echo(str(migration))
    for role in roles:
        typer.echo(f"{role} has its rights", err=True)
    typer.echo(f"{len(applied)} applied; the schema is up to date", err=True)
