"""Import deployments, changes or incidents from spreadsheets and other tools' exports."""

from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy.imports.sheets import Sheet

SHOWN = 3  # requests that a dry run shows


class Rows(StrEnum):
    """What each row of the files is."""

    DEPLOYMENTS = "deployments"
    CHANGES = "changes"
    INCIDENTS = "incidents"


def import_(
    rows: Annotated[Rows, typer.Argument(help="What each row is.")],
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="CSV, TSV or JSON lines; - is standard input.")
    ],
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="HEADING=FIELD", help="The column that holds a field, where its name differs."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="A field of all rows that say nothing of it."),
    ] = None,
    word: Annotated[
        list[str] | None,
        typer.Option(
            "--word", metavar="WORD=MEANING", help="What an outcome or status means; nothing: left out."
        ),
    ] = None,
    preset: Annotated[str, typer.Option(help="Columns of: devlake, four-keys, gitlab-issues.")] = "",
    timezone: Annotated[str, typer.Option(help="The IANA zone of times that name none.")] = "",
    time_format: Annotated[str, typer.Option(help='How times are written, as "%d.%m.%Y %H:%M".')] = "",
    encoding: Annotated[str, typer.Option(help="What the files are written in.")] = "utf-8-sig",
    ingress_url: Annotated[
        str, typer.Option(envvar="DORA_INGRESS_URL", help="The ingress.")
    ] = "http://127.0.0.1:8080",
    connections: Annotated[int, typer.Option(min=1, max=64, help="Requests at a time.")] = 8,
    rate: Annotated[float | None, typer.Option(min=0.1, help="Most reports a second.")] = None,
    state: Annotated[Path, typer.Option(help="Remembers what was acknowledged.")] = Path(".dora/import.json"),
    rejects: Annotated[Path, typer.Option(help="Keeps the rows that were refused.")] = Path(
        ".dora/import-rejects.jsonl"
    ),
    again: Annotated[bool, typer.Option("--again", help="Begin from the first row.")] = False,  # noqa: FBT002
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the first, send none.")] = False,  # noqa: FBT002
) -> None:
    """Import deployments, changes or incidents from spreadsheets and other tools' exports.

    Each row becomes what `dora report` would send of it, with its own time; columns are called as the options
    of `dora report`, and an incident's row may have resolved_at, too. Equal rows are one event, so that a
    file can be imported again. It can be interrupted and goes on where it stopped. Rows that cannot be read
    are told, counted and kept apart, and the rest goes on; the exit code is then 1. Tokens are those of
    `dora report`: DORA_REPORT_TOKEN, or DORA_TOKEN.

    \b
    Examples:
      dora import --dry-run deployments deployments.csv
      dora import deployments --map "Deployed at=time" --timezone Europe/Berlin deployments.csv
      dora import changes --set repository=acme/checkout changes.tsv
      dora import incidents --preset gitlab-issues --set service=checkout --set environment=live issues.csv
    """
    import codecs
    import os

    from deploy import backfill as history
    from deploy.commands.backfill import finish, play, teller
    from deploy.commands.send import progress
    from deploy.imports.options import plan_of
    from deploy.imports.sheets import sheets_of
    from deploy.sending import token_of

    try:
        plan = plan_of(
            rows.value.removesuffix("s"),
            mapped=map_ or (),
            constants=set_ or (),
            words=word or (),
            preset=preset,
            timezone=timezone,
            time_format=time_format,
        )
        codecs.lookup(encoding)
    except (ValueError, LookupError) as error:
        raise typer.BadParameter(str(error)) from None
    report_token = token_of(os.environ, "DORA_REPORT_TOKEN")
    with sheets_of(files, plan, report_token, encoding) as sheets:
        read = {sheet.name: sheet.check() for sheet in sheets}
        refuse = teller()
        if dry_run:
            show(sheets, read)
            summary = history.look(sheets, refuse)
            tell(sheets)
            finish(summary, "would send", None)
            return
        if again:
            history.forget(state)
        with progress([str(sheet.path) for sheet in sheets]) as advance:
            run = history.Backfill(
                sheets,
                history.State.read(state),
                history.Rejects(rejects),
                ingress_url,
                advance,
                refuse,
                connections,
                rate,
                token_of(os.environ),
                stops=history.STOPS | {404},  # without the web hook, every row would be a reject
            )
            summary = play(run)
        tell(sheets)
        finish(summary, "accepted", rejects)


def show(sheets: "Sequence[Sheet]", read: dict[str, dict[str, str]]) -> None:
    """Which columns are read of each file, and its first requests as they would be sent."""
    from deploy.messages import Message

    for sheet in sheets:
        columns = ", ".join(f"{name} from {heading!r}" for name, heading in read[sheet.name].items())
        typer.echo(f"{sheet.name}: {columns}", err=True)
        for request in islice((item for item in sheet.items() if isinstance(item, Message)), SHOWN):
            typer.echo(f"{request.path} {request.body.decode()}")


def tell(sheets: "Sequence[Sheet]") -> None:
    """What was passed over, and why."""
    for sheet in sheets:
        for why, number in sheet.left_out.items():
            typer.echo(f"{sheet.name}: {number} left out: {why}", err=True)
        if sheet.repeated:
            typer.echo(
                f"{sheet.name}: {sheet.repeated} say the same as an earlier row: they are one", err=True
            )
