"""Measure the pipeline on this machine, on embedded parts, beside its yardsticks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from benchmarks.measurement import Benchmark, Figure


def bench(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="What to measure; all of it without.")
    ] = None,
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Short runs of the short ones: under 3 minutes.")
    ] = False,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="Rounds of what is measured in rounds.")] = 5,
    rate: Annotated[float | None, typer.Option(min=1, help="Of freshness: events a second.")] = None,
    duration: Annotated[float | None, typer.Option(min=1, max=3600, help="Of freshness: seconds.")] = None,
    events: Annotated[
        int | None,
        typer.Option(min=5_000, max=10_000_000, help="Of backlog, start, scale, end-to-end: events."),
    ] = None,
    save: Annotated[
        bool, typer.Option("--save", help="Write benchmarks/results and docs/performance.md.")
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="Say what can be measured.")] = False,
) -> None:
    """Measure the pipeline on this machine, on embedded parts, beside its yardsticks.

    Every figure is printed as median and range of its rounds, with its target. A target that is missed is
    shown, and fails nothing: what a machine is fast at is not ours to decide.

    \b
    Examples:
      dora bench --list
      dora bench --quick
      dora bench ingress streams --rounds 3
      dora bench freshness --rate 200 --duration 60
      dora bench backlog --events 100000
    """
    from datetime import UTC, datetime

    from rich.console import Console

    from benchmarks import sizing
    from benchmarks.measurement import find_benchmarks
    from benchmarks.report import table_of, write_page, write_results

    found = find_benchmarks()
    if list_:
        for each in found.values():
            typer.echo(f"{each.name:<12} {each.about}" + ("" if each.quick else " (not in --quick)"))
        return
    if unknown := [name for name in names or () if name not in found]:
        raise typer.BadParameter(f"{unknown[0]!r}; there are {', '.join(found)}", param_hint="NAME")
    chosen = [found[name] for name in names] if names else [e for e in found.values() if e.quick or not quick]
    asked = {"rate": rate, "duration": duration, "events": events}
    further = {name: value for name, value in asked.items() if value is not None}
    further |= {"save": True} if save else {}
    at = datetime.now(UTC)
    figures, code = measure(chosen, quick=quick, rounds=2 if quick else rounds, further=further)
    if figures:
        Console().print(table_of(figures))
    if save and figures:
        file = write_results(figures, at, quick=quick)
        say(f"written to {file.name} in benchmarks/results")
        write_page(figures, at)
        sizing.write(file)
    raise typer.Exit(code)


def measure(
    chosen: "Sequence[Benchmark]", *, quick: bool, rounds: int, further: dict[str, Any]
) -> "tuple[list[Figure], int]":
    """Take every measurement in a folder of its own, deleted afterwards; the figures, and an exit code.

    One that fails says so and costs the others nothing, whatever it failed of; what was measured before
    Ctrl-C is kept. With ``DORA_DEBUG=1`` a failure shows where it came from.
    """
    import os
    import tempfile
    import time
    import traceback
    from dataclasses import replace
    from pathlib import Path

    from benchmarks.measurement import Options
    from deploy.interruption import Interrupted, interruptible

    figures: list[Figure] = []
    code = 0
    with interruptible(hurry=lambda: os._exit(130)):
        try:
            for each in chosen:
                began, load = time.monotonic(), os.getloadavg()[0]
                try:
                    with tempfile.TemporaryDirectory(prefix="dora-bench-") as folder:
                        options = Options(Path(folder), quick=quick, rounds=rounds, say=say, further=further)
                        figures += [replace(figure, group=each.name) for figure in each.run(options)]
                except Exception as error:  # noqa: BLE001 - an hour of other figures must not go with it
                    say(f"{each.name}: {error}" if type(error) is RuntimeError else f"{each.name}: {error!r}")
                    if os.environ.get("DORA_DEBUG"):
                        traceback.print_exc()
                    code = 1
                say(f"{each.name}: {time.monotonic() - began:.0f} s, begun with a load of {load:.1f}")
        except Interrupted:
            say("stopping")
            code = 130
    return figures, code


def say(text: str) -> None:
    """Tell the user what is going on."""
    typer.echo(f"dora: {text}", err=True)
