"""Build every derived row anew from the recorded events, beside live traffic."""

from typing import Annotated

import typer


def recompute(
    timezone: Annotated[
        str | None, typer.Option(help="Keep the windowed tables in this IANA zone from now on.")
    ] = None,
    replication_factor: Annotated[
        int, typer.Option(envvar="DORA_REPLICATION_FACTOR", min=1, help="Copies of every new partition.")
    ] = 1,
) -> None:
    """Build every derived row anew from the recorded events, beside live traffic.

    Needed after a change of the catalog, the time zone, the routes or a transformer. The answers stay as they
    are until the new rows are complete; then all of them change in one transaction, and the running workers
    start again for the new generation by themselves. When anything goes wrong, nothing has changed.

    \b
    Settings: as of `dora worker`.

    \b
    Examples:
      dora recompute
      dora recompute --timezone Europe/Berlin
    """
    import asyncio
    import sys

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from deploy import recompute as work
    from deploy.logs import configure
    from deploy.processes import settings_from_environment
    from schemas.calendar import zone_of
    from streams.app import load_catalog, split
    from streams.settings import Settings

    configure()
    if timezone is not None:
        try:
            zone_of(timezone)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--timezone") from error
    settings = settings_from_environment(Settings)
    topics = settings.topics
    plan = work.Plan(
        kafka=settings.kafka,
        postgres=settings.postgres.get_secret_value(),
        topics=topics,
        inputs=(topics["cloudevents"], *split(settings.input_topics)),
        timezone=timezone,
        catalog=load_catalog(settings.catalog),
        replication_factor=replication_factor,
    )
    columns = (TextColumn("{task.description:>10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr)) as bar:
        task = bar.add_task("settling")

        def report(step: str, done: int, total: int) -> None:
            bar.update(task, description=step, completed=done, total=total)

        done = asyncio.run(work.recompute(plan, report))
    sys.stdout.write(f"generation {done.generation} is active, built from {done.events} events\n")
