"""Show what a payload becomes and why; check or re-record folders of evidence."""

from pathlib import Path
from typing import Annotated

import typer


def transform(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files, or folders of evidence.")],
    source: Annotated[
        str | None, typer.Option(help="The transformer; without it, those that claim the event's type.")
    ] = None,
    event_type: Annotated[
        str | None, typer.Option("--type", help="The CloudEvent type of a bare payload.")
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(help="'Name: value' of the web hook that sent a bare payload; repeatable."),
    ] = None,
    catalog: Annotated[Path | None, typer.Option(envvar="DORA_CATALOG", help="The catalog to use.")] = None,
    check: Annotated[
        bool | None, typer.Option("--check", help="Compare folders of evidence with expected.json.")
    ] = None,
    record: Annotated[bool | None, typer.Option("--record", help="Write expected.json anew.")] = None,
) -> None:
    r"""Show what a payload becomes and why; check or re-record folders of evidence.

    A file holds events or recorded requests, as for `dora send`, or one payload as a tool sent it. Nothing is
    published. --check ends with 1 when a case becomes something else than was reviewed.

    \b
    Examples:
      dora transform events.jsonl
      dora transform --source github --header 'X-GitHub-Event: push' push.json
      dora transform --source ship --type com.example.ship.rollout.ended ended.json
      dora transform --check tests/sources/ship
    """
    import json

    from deploy import transforming
    from schemas.catalog import Catalog

    if check or record:
        raise typer.Exit(_compare([Path(name) for name in files], source, keep=bool(record)))
    headers = tuple(
        (name.strip(), value.strip()) for name, _, value in (each.partition(":") for each in header or [])
    )
    known = Catalog.empty() if catalog is None else Catalog.load(catalog)
    bare = transforming.Bare(event_type, headers, source)
    for shown in transforming.shown(files, source, bare, known):
        typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))


def _compare(folders: list[Path], source: str | None, *, keep: bool) -> int:
    import difflib
    import json

    from deploy import transforming

    differing, number = 0, 0
    for case, expected, becomes in transforming.compared(folders, source):
        number += 1
        if becomes == expected:
            continue
        differing += 1
        before, after = ("" if each is None else json.dumps(each, indent=2) for each in (expected, becomes))
        for line in difflib.unified_diff(
            before.splitlines(), after.splitlines(), "expected", "becomes", lineterm=""
        ):
            typer.echo(line, err=True)
        typer.echo(f"{case.folder}: {'recorded' if keep else 'differs'}")
        if keep:
            transforming.record(case, becomes)
    typer.echo(f"{number} case{'' if number == 1 else 's'}, {differing} {'recorded' if keep else 'differ'}")
    return 1 if differing and not keep else 0
