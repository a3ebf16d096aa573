"""Play history from files through the ingress; it can be interrupted and goes on where it stopped."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deploy.backfill import Backfill, Summary
    from deploy.sending import Answer

TOLD = 20  # refusals that are told one by one


def backfill(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE|FOLDER...", help="Files of events; of folders all .json and .jsonl."),
    ],
    ingress_url: Annotated[
        str, typer.Option(envvar="DORA_INGRESS_URL", help="The ingress.")
    ] = "http://127.0.0.1:8080",
    connections: Annotated[int, typer.Option(min=1, max=64, help="Requests at a time.")] = 8,
    rate: Annotated[float | None, typer.Option(min=0.1, help="Most events a second.")] = None,
    state: Annotated[Path, typer.Option(help="Remembers what was acknowledged.")] = Path(
        ".dora/backfill.json"
    ),
    rejects: Annotated[Path, typer.Option(help="Keeps what was refused, as `dora send` reads it.")] = Path(
        ".dora/backfill-rejects.jsonl"
    ),
    again: Annotated[bool, typer.Option("--again", help="Begin from the first event.")] = False,  # noqa: FBT002
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read all, send nothing.")] = False,  # noqa: FBT002
) -> None:
    """Play history from files through the ingress; it can be interrupted and goes on where it stopped.

    Files hold what `dora send` takes: CloudEvents as JSON or one a line, or recorded requests. Events keep
    the times that they tell, and count on their own days. The same command again goes on behind what the
    ingress has acknowledged. Lines that are no events and what the ingress refuses are told, counted and kept
    apart, and the rest goes on; the exit code is then 1. An ingress that asks who sends is shown DORA_TOKEN.

    \b
    Examples:
      dora backfill --dry-run history/
      dora backfill history/
      dora backfill --rate 200 --ingress-url https://dora.example.com 2025.jsonl 2026.jsonl
      dora send .dora/backfill-rejects.jsonl
    """
    import os

    from deploy import backfill as history
    from deploy.commands.send import progress
    from deploy.sending import token_of

    sources = history.files_of(files)
    names = [str(source.path) for source in sources]
    refuse = teller()
    if dry_run:
        finish(history.look(sources, refuse), "would send", None)
        return
    if again:
        history.forget(state)
    with progress(names) as advance:
        run = history.Backfill(
            sources,
            history.State.read(state),
            history.Rejects(rejects),
            ingress_url,
            advance,
            refuse,
            connections,
            rate,
            token_of(os.environ),
        )
        played = play(run)
    finish(played, "accepted", rejects)


def play(run: "Backfill") -> "Summary":
    """Run it to its end; interrupted, print what was done and exit."""
    import asyncio
    import os

    from deploy.backfill import Summary
    from deploy.interruption import Interrupted, interruptible

    summary = Summary()
    try:
        with interruptible(hurry=lambda: os._exit(130)):
            asyncio.run(run.run(summary))
    except Interrupted:
        typer.echo("interrupted; run the same command again to go on", err=True)
        finish(summary, "accepted", run.rejects.path, interrupted=True)
    return summary


def teller() -> "Callable[[Answer], None]":
    """Tells the first refusals one by one."""
    told = 0

    def refuse(answer: "Answer") -> None:
        nonlocal told
        told += 1
        status = f"{answer.status} " if answer.status else ""
        if told <= TOLD:
            typer.echo(f"{answer.message.origin}: {status}{answer.reason}", err=True)
        elif told == TOLD + 1:
            typer.echo("... and more", err=True)

    return refuse


def finish(summary: "Summary", done: str, rejects: Path | None, *, interrupted: bool = False) -> None:
    """Print the summary, and end with the exit code that it deserves."""
    span = f", from {summary.earliest} to {summary.latest}" if summary.earliest else ""
    before = f", {summary.already} done before" if summary.already else ""
    typer.echo(f"{done} {summary.accepted}, refused {summary.refused}{before}{span}")
    if summary.untimed:
        typer.echo(f"{summary.untimed} tell no time: they count when they arrive", err=True)
    if summary.refused and rejects is not None:
        typer.echo(f"what was refused is in {rejects}", err=True)
    if interrupted:
        raise typer.Exit(130)
    if summary.refused:
        raise typer.Exit(1)
