"""Send events from JSON, JSONL, standard input or recorded requests."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

TOLD = 20  # refusals that are told one by one


def send(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files of events; - is standard input.")
    ],
    ingress_url: Annotated[
        str, typer.Option(envvar="DORA_INGRESS_URL", help="The ingress.")
    ] = "http://127.0.0.1:8080",
    connections: Annotated[
        int, typer.Option(min=1, max=64, help="Requests at a time; 1 keeps the order.")
    ] = 8,
) -> None:
    """Send events from JSON, JSONL, standard input or recorded requests.

    A file holds CloudEvents in JSON format (one object, an array, or one a line) or recorded requests
    (objects with `headers`, `body` and perhaps `path`, one a line), which are made again as they were.
    Refusals are told with file and line; the exit code is 1 when there was one. An ingress that asks who
    sends is shown the token in DORA_TOKEN, or in a file named by DORA_TOKEN_FILE.

    \b
    Examples:
      dora send events.jsonl
      some-program | dora send -
      dora send --ingress-url https://dora.example.com recorded.jsonl
    """
    import asyncio
    import os

    from deploy.messages import read_files
    from deploy.sending import Answer, advice, token_of
    from deploy.sending import send as send_all

    accepted, refused = 0, 0

    def tell(answer: Answer) -> None:
        nonlocal accepted, refused
        advance(answer.message.weight)
        if answer.accepted:
            accepted += 1
            return
        refused += 1
        if refused <= TOLD:
            status = f"{answer.status} " if answer.status else ""
            typer.echo(f"{answer.message.origin}: {status}{answer.reason}{advice(answer)}", err=True)

    with progress(files) as advance:
        token = token_of(os.environ)
        asyncio.run(send_all(read_files(files), ingress_url, tell, connections=connections, token=token))
    if refused > TOLD:
        typer.echo(f"... and {refused - TOLD} more", err=True)
    typer.echo(f"accepted {accepted}, refused {refused}")
    if refused:
        raise typer.Exit(1)


@contextmanager
def progress(files: Sequence[str]) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal's standard error that grows with the bytes read; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import Progress

    sizes = [Path(name).stat().st_size for name in files if name != "-"]
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("sending", total=sum(sizes) if len(sizes) == len(files) else None)
        yield lambda weight: bar.advance(task, weight)
