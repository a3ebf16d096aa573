"""Look at dead letters, redrive them, drop them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

Postgres = Annotated[str, typer.Option(envvar="DORA_POSTGRES", help="PostgreSQL URL of a role that reads.")]
Ingress = Annotated[str, typer.Option(envvar="DORA_INGRESS_URL", help="The ingress; it takes the order.")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for what comes of it; 0: only ask.")]
Number = Annotated[int, typer.Argument(min=1, metavar="ID", help="As `dora deadletters list` has it.")]
Reason = Annotated[str | None, typer.Option(help="Only those with this text in their reason.")]
Stage = Annotated[str | None, typer.Option(help="Only those that this stage gave up on.")]
Row = Mapping[str, Any]

INGRESS = "http://127.0.0.1:8080"

deadletters = typer.Typer(
    help="""Look at dead letters, redrive them, drop them.

    \b
    Examples:
      dora deadletters list --stage transform
      dora deadletters show 17
      dora deadletters redrive --all --dry-run
      dora deadletters drop 17 --because "a test of ours"
    """,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class State(StrEnum):
    """What became of a dead letter."""

    OPEN = "open"
    REDRIVEN = "redriven"
    DROPPED = "dropped"
    ALL = "all"


@deadletters.command("list")
def list_(
    *,
    postgres: Postgres,
    reason: Reason = None,
    stage: Stage = None,
    since: Annotated[
        str | None, typer.Option(help="Only those that failed since: 30m, 12h, 7d, or a time.")
    ] = None,
    state: Annotated[State, typer.Option(help="Only those in this state.")] = State.OPEN,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Only the latest so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON array.")] = False,
) -> None:
    """List dead letters, the latest first: what could not be handled, where it came from and why.

    \b
    Examples:
      dora deadletters list
      dora deadletters list --reason conflict --since 7d --json
    """
    import asyncio

    from deploy import deadletters as work
    from deploy.deadletter_text import document, line

    try:
        after = None if since is None else work.instant_of(since, datetime.now(UTC))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since") from None
    wanted = work.Wanted(None if state is State.ALL else state, stage, reason, after, limit=limit)
    rows = asyncio.run(work.find(postgres, wanted))
    if as_json:
        echo_json([document(row) for row in rows])
        return
    for row in rows:
        typer.echo(line(row))
    typer.echo(f"{len(rows)} dead letters", err=True)


@deadletters.command("show")
def show(
    *,
    number: Number,
    postgres: Postgres,
    raw: Annotated[bool, typer.Option("--bytes", help="Only the record's value, as it came in.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON object.")] = False,
) -> None:
    """Show one dead letter with its headers and its bytes.

    \b
    Examples:
      dora deadletters show 17
      dora deadletters show 17 --bytes > record.bin
    """
    import asyncio

    from deploy import deadletters as work
    from deploy.deadletter_text import document, page

    row = asyncio.run(work.show(postgres, number))
    if raw:
        typer.get_binary_stream("stdout").write(row["value"] or b"")
    elif as_json:
        echo_json(document(row))
    else:
        typer.echo(page(row))


@deadletters.command("redrive")
def redrive(
    *,
    ids: Annotated[list[int] | None, typer.Argument(min=1, metavar="ID", help="Their numbers.")] = None,
    postgres: Postgres,
    reason: Reason = None,
    stage: Stage = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which.")] = False,
    wait: Wait = 30,
    ingress_url: Ingress = INGRESS,
) -> None:
    """Have dead letters handled again: the original records, on the topics that they came from.

    What succeeds takes the fate that it would have had, and its dead letter is redriven. What fails again
    stays open, with its attempts. Asked for twice, it is done once. Ends with 1 when one of them is not
    handled in the end. The ingress of another machine wants a token with the right to correct, in DORA_TOKEN
    or a file named by DORA_TOKEN_FILE.

    \b
    Examples:
      dora deadletters redrive 17 18
      dora deadletters redrive --reason "ZeroDivisionError in stage transform" --dry-run
      dora deadletters redrive --all
    """
    import asyncio

    from deploy import deadletters as work
    from deploy.deadletter_text import line

    if bool(ids) + bool(reason or stage) + everything != 1:
        raise typer.BadParameter("say which: their numbers; or --reason, --stage; or --all")
    if ids:
        rows = asyncio.run(work.named(postgres, ids))
    else:
        rows = asyncio.run(work.find(postgres, work.Wanted(stage=stage, reason=reason)))
    for row in rows:
        if row["state"] != "open":
            typer.echo(f"{row['deadletter_id']} is {row['state']} already")
        elif why := work.why_not(row):
            typer.echo(f"{row['deadletter_id']} cannot succeed: {why}", err=True)
    able = [row for row in rows if row["state"] == "open" and not work.why_not(row)]
    unable = ids and any(row["state"] == "open" and work.why_not(row) for row in rows)
    if dry_run:
        for row in able:
            typer.echo(line(row))
        typer.echo(f"{len(able)} would be redriven", err=True)
        return
    asyncio.run(work.give(map(work.redrive_order, able), ingress_url))
    left = tell(able, asyncio.run(work.outcomes(postgres, able, wait)), "redriven", wait)
    if left or unable:
        raise typer.Exit(1)


@deadletters.command("drop")
def drop(
    *,
    ids: Annotated[list[int], typer.Argument(min=1, metavar="ID", help="Their numbers.")],
    because: Annotated[str, typer.Option(help="Why they need not be handled; it is kept.")],
    postgres: Postgres,
    wait: Wait = 30,
    ingress_url: Ingress = INGRESS,
) -> None:
    """Close dead letters that need not be handled. Their bytes stay; the fate of their events stays `dead`.

    \b
    Examples:
      dora deadletters drop 17 --because "the producer was a test"
    """
    import asyncio

    from deploy import deadletters as work

    if not because.strip():
        raise typer.BadParameter("say why", param_hint="--because")
    rows = asyncio.run(work.named(postgres, ids))
    for row in rows:
        if row["state"] != "open":
            typer.echo(f"{row['deadletter_id']} is {row['state']} already")
    rows = [row for row in rows if row["state"] == "open"]
    asyncio.run(work.give([work.drop_order(row, because) for row in rows], ingress_url))
    if tell(rows, asyncio.run(work.outcomes(postgres, rows, wait)), "dropped", wait):
        raise typer.Exit(1)


def tell(asked: Sequence[Row], changed: Sequence[Row], wanted: str, wait: float) -> bool:
    """Print what became of the dead letters; whether one of them is not as it should be."""
    from schemas.cdevents.validate import shown

    now = {row["deadletter_id"]: row for row in changed}
    bad = False
    for number in (row["deadletter_id"] for row in asked):
        row = now.get(number)
        if row is None:
            bad = bad or wait > 0
            late = f": no worker has come to it within {wait:g} s" if wait else ""
            typer.echo(f"{number} is asked for{late}")
        elif row["state"] == "open":
            bad = True
            typer.echo(f"{number} failed again, {row['attempts']} attempts: {shown(row['reason'], 300)}")
        else:
            bad = bad or row["state"] != wanted
            typer.echo(f"{number} is {row['state']}")
    return bad


def echo_json(document: object) -> None:
    """Print a document with instants as RFC 3339."""
    import orjson

    from schemas.instant import format_instant

    def text(value: datetime) -> str:
        return format_instant(value)

    options = orjson.OPT_INDENT_2 | orjson.OPT_PASSTHROUGH_DATETIME
    typer.echo(orjson.dumps(document, text, options).decode())
