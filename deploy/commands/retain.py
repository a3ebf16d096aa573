"""Remove what old events said, and keep that they were there."""

from typing import Annotated

import typer


def retain(
    *,
    older_than: Annotated[
        str, typer.Option(help="What arrived before that: 400d, or a time as 2026-03-05T10:00:00Z.")
    ],
    postgres: Annotated[
        str, typer.Option(envvar="DORA_POSTGRES", help="PostgreSQL URL of the tables' owner.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print how much it is; change nothing.")] = False,
) -> None:
    """Remove what old events said, and keep that they were there.

    Of events that arrived before then, and of dead letters that were settled before then, the data is
    removed. Their identities, outcomes, CDEvents and everything counted from them stay: no metric changes,
    and an event that comes again is still known. A recompute cannot transform anew what was removed, and
    takes it over as it was.

    \b
    Examples:
      dora retain --older-than 400d
      dora retain --older-than 2025-01-01T00:00:00Z --dry-run
    """
    import asyncio
    from datetime import UTC, datetime

    from deploy import retention
    from deploy.deadletters import instant_of

    try:
        before = instant_of(older_than, datetime.now(UTC))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--older-than") from None
    if dry_run:
        found = asyncio.run(retention.old(postgres, before))
        typer.echo(f"would remove the data of {found.events} events and {found.deadletters} dead letters")
        return
    done = asyncio.run(retention.retain(postgres, before))
    typer.echo(f"removed the data of {done.events} events and {done.deadletters} dead letters")
