"""Build every derived row anew from the recorded events, beside live traffic."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deploy.pruning import Pruned
    from streams.settings import Settings

SHOWN = 50  # differences; more are counted


def recompute(
    *,
    timezone: Annotated[
        str | None, typer.Option(help="Keep the windowed tables in this IANA zone from now on.")
    ] = None,
    replication_factor: Annotated[
        int, typer.Option(envvar="DORA_REPLICATION_FACTOR", min=1, help="Copies of every new partition.")
    ] = 1,
    partitions: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="Give every topic so many partitions first; stop the workers."),
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove what generations that are over left, and do nothing else.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Say whether a recompute is needed, and do nothing else.")
    ] = False,
) -> None:
    """Build every derived row anew from the recorded events, beside live traffic.

    Needed after a change of the catalog, the time zone, the routes or a transformer. The answers stay as they
    are until the new rows are complete; then all of them change in one transaction, and the running workers
    start again for the new generation by themselves. When anything goes wrong, nothing has changed.

    With --partitions, topics grow before it, which takes that no worker is running. Start the workers with
    this number in DORA_PARTITIONS afterwards. The ingress may go on.

    With --prune, removes topics and consumer groups of the generations before the active one, once no worker
    is left in them.

    With --check, compares the catalog and the routes with those that the rows were made with, the windows
    with the deployments, and the recorded events with their CDEvents. Ends with 0 when all agrees, else with
    1 and a line for each difference that lasts a minute.

    \b
    Settings: as of `dora worker`.

    \b
    Examples:
      dora recompute
      dora recompute --timezone Europe/Berlin
      dora recompute --partitions 32
      dora recompute --prune
      dora recompute --check
    """
    import asyncio
    import sys

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from deploy import pruning
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
    if prune:
        tell(asyncio.run(pruning.prune(settings.cluster, settings.postgres.get_secret_value(), topics)))
        return
    if check:
        settle(asyncio.run(differences(settings)))
        return
    plan = work.Plan(
        kafka=settings.cluster,
        postgres=settings.postgres.get_secret_value(),
        topics=topics,
        inputs=(topics["cloudevents"], *split(settings.input_topics)),
        timezone=timezone,
        catalog=load_catalog(settings.catalog),
        replication_factor=replication_factor,
        partitions=partitions,
    )
    columns = (TextColumn("{task.description:>10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr)) as bar:
        task = bar.add_task("settling")

        def report(step: str, done: int, total: int) -> None:
            bar.update(task, description=step, completed=done, total=total)

        done = asyncio.run(work.recompute(plan, report))
    sys.stdout.write(f"generation {done.generation} is active, built from {done.events} events\n")


async def differences(settings: "Settings") -> list[str]:
    """What does not agree with the catalog and routes that a worker with these settings would read."""
    from deploy import agreement
    from streams.app import load_catalog, load_routes
    from streams.configuration import digest_of

    catalog, routes = load_catalog(settings.catalog).facts_digest, digest_of(load_routes(settings.routes))
    return await agreement.differences(settings.postgres.get_secret_value(), catalog, routes)


def settle(differences: list[str]) -> None:
    """Print the differences. Ends with 1 when there are any."""
    for each in differences[:SHOWN]:
        typer.echo(each)
    if len(differences) > SHOWN:
        typer.echo(f"and {len(differences) - SHOWN} more")
    if differences:
        typer.echo("to put this right: dora recompute", err=True)
        raise typer.Exit(1)
    typer.echo("everything agrees")


def tell(pruned: "Pruned") -> None:
    """Print what was removed. Ends with 1 when something is left to be removed later."""
    for name in pruned.removed:
        typer.echo(f"removed {name}")
    for number in pruned.in_use:
        typer.echo(f"generation {number} is over, but a worker is still in its group; stop that", err=True)
    if pruned.in_use:
        raise typer.Exit(1)
