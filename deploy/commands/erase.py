"""Remove the names of persons from what was recorded."""

from typing import Annotated

import typer


def erase(
    *,
    actor: Annotated[
        list[str],
        typer.Option(help="A login, an e-mail address or a name as it is shown; may be repeated."),
    ],
    postgres: Annotated[
        str, typer.Option(envvar="DORA_POSTGRES", help="PostgreSQL URL of the tables' owner.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print how much it is; change nothing.")] = False,
) -> None:
    """Remove the names of persons from what was recorded.

    Give every name that a person goes by. An event that holds one of them is emptied, whatever else it said;
    in CDEvents the names alone are replaced by "erased"; dead letters are emptied, and dropped if they were
    open. Whole values count, in any case, at any depth: "anna" finds neither "annabel" nor a URL with /anna.

    That the events were there, what became of them and everything counted from them stays: no metric changes,
    and an event that comes again is still known. It can be ended and run again at any time. Kafka's topics
    hold what came in for some days more: docs/operating.md says what to do about them and about backups.

    \b
    Examples:
      dora erase --actor octocat --actor octocat@example.com --actor "Mona Lisa Octocat" --dry-run
      dora erase --actor octocat --actor octocat@example.com --actor "Mona Lisa Octocat"
    """
    import asyncio
    import sys

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from deploy import erasure
    from deploy.actors import Actors

    try:
        actors = Actors(actor)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--actor") from None
    columns = (TextColumn("{task.description:>15}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task("")

        def report(table: str, done: int, total: int) -> None:
            bar.update(task, description=table, completed=done, total=total)

        done = asyncio.run(erasure.erase(postgres, actors, report, dry_run=dry_run))
    told = f"{done.events} events, {done.cdevents} CDEvents and {done.deadletters} dead letters"
    typer.echo(f"would erase the names in {told}" if dry_run else f"erased the names in {told}")
    if done.open_deadletters:
        what = "would be" if dry_run else "are"
        typer.echo(
            f"of the dead letters {done.open_deadletters} were still to be handled, and {what} dropped"
            + ("; to have them counted, redrive them before" if dry_run else ""),
            err=True,
        )
