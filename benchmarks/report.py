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
    file.write_bytes(orjson.dumps({**told, "figures": figures_told}, option=orjson.OPT_INDENT_2) + b"\n")
    return file


def write_page(figures: Sequence[Figure], at: datetime) -> None:
    """Replace the figures of docs/performance.md; what people wrote around them stays."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    plots = "".join(f"![{title}]({PLOTS.name}/{name})\n\n" for title, name in write_plots(figures, PLOTS))
    PAGE.write_text(f"{before}{BEGIN}\n{page_part(figures, at)}\n{plots}{END}{after}", encoding="utf-8")


def page_part(figures: Sequence[Figure], at: datetime) -> str:
    """The tables in Markdown."""
    about = ", ".join(f"{value} {name}" for name, value in machine().items())
    parts = [f"One run, {at.date().isoformat()}: {about}. Broker, database and sender on the same machine.\n"]
    for group, each in groupby(figures, key=lambda figure: figure.group):
        parts.append(
            f"### {group}\n\n| figure | median | range | target | met |\n| --- | --- | --- | --- | --- |"
        )
        parts.append("\n".join("| " + " | ".join(_cells(figure)) + " |" for figure in each) + "\n")
    return "\n".join(parts)


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
