"""Figures as a table, as JSON, and as the page docs/performance.md."""

import os
import platform
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson
import psutil
from rich.table import Table

from benchmarks.measurement import Figure
from benchmarks.plots import write_plots

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "performance.md"
PLOTS = ROOT / "docs" / "performance"
BEGIN, END = "<!-- figures: made by `dora bench --save` -->\n", "<!-- end of figures -->"


def table_of(figures: Sequence[Figure]) -> Table:
    """For a terminal."""
    table = Table("figure", "median", "range", "target", "", box=None, header_style="bold")
    for group, each in groupby(figures, key=lambda figure: figure.group):
        table.add_section()
        table.add_row(f"[bold]{group}[/bold]")
        for figure in each:
            table.add_row(*_cells(figure))
    return table


def write_results(figures: Sequence[Figure], at: datetime, *, quick: bool) -> Path:
    """``benchmarks/results/<date>.json``; the file."""
    told = {"at": at.isoformat(timespec="seconds"), "quick": quick, "machine": machine()}
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{at.date().isoformat()}.json"
    figures_told = [figure.told() for figure in figures]
    if file.exists():  # what was measured on that day and not again now
        again = {figure.group for figure in figures}
        earlier = orjson.loads(file.read_bytes())["figures"]
        figures_told = [each for each in earlier if each["benchmark"] not in again] + figures_told
    file.write_bytes(orjson.dumps({**told, "figures": figures_told}, option=orjson.OPT_INDENT_2) + b"\n")
    return file


def write_page(figures: Sequence[Figure], at: datetime) -> None:
    """Replace the figures of docs/performance.md; what was not measured now and what people wrote stays."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    earlier, _, after = rest.partition(END)
    told = {**sections_of(earlier), **sections(figures, at)}
    tables = "\n".join(f"### {name}\n\n{told[name]}" for name in sorted(told))
    about = ", ".join(f"{value} {name}" for name, value in machine().items())
    plots = "".join(f"![{title}]({PLOTS.name}/{name})\n\n" for title, name in write_plots(figures, PLOTS))
    part = f"On {about}. Broker, database and sender on the same machine.\n\n{plots}{tables}"
    PAGE.write_text(f"{before}{BEGIN}\n{part}\n{END}{after}", encoding="utf-8")


def sections(figures: Sequence[Figure], at: datetime) -> dict[str, str]:
    """A table in Markdown of each group. Those of one run tell the same minute."""
    head = (
        f"Of the run of {at:%Y-%m-%d %H:%M} UTC.\n\n| figure | median | range | target | met |\n"
        + "| --- " * 5
    )
    return {
        group: "\n".join([head + "|", *("| " + " | ".join(_cells(each)) + " |" for each in grouped), ""])
        for group, grouped in groupby(figures, key=lambda figure: figure.group)
    }


def sections_of(part: str) -> dict[str, str]:
    """The groups that a page has already, by name."""
    found = (each.partition("\n\n") for each in part.partition("### ")[2].split("\n### "))
    return {name: table.rstrip() + "\n" for name, _, table in found if name}


def machine() -> dict[str, Any]:
    """What was measured on, without its name."""
    return {
        "cores": os.cpu_count(),
        "GiB of memory": round(psutil.virtual_memory().total / 2**30),
        "(CPython)": platform.python_version(),
    }


def _cells(figure: Figure) -> list[str]:
    spread = (
        f"{_number(min(figure.values))} to {_number(max(figure.values))}" if len(figure.values) > 1 else ""
    )
    met = {None: "", True: "yes", False: "no"}[figure.met]
    unit = "" if figure.unit == "ratio" else f" {figure.unit}"
    return [figure.name, _number(figure.median) + unit, spread, str(figure.target or ""), met]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
