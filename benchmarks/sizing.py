"""The sizing table of docs/kubernetes.md, from saved results: `python -m benchmarks.sizing [FILE]`.

A part gets twice what its peak takes by its own benchmark, and two at least, so that one can be replaced.
"""

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from benchmarks.report import ROOT

PAGE = ROOT / "docs" / "kubernetes.md"
BEGIN, END = "<!-- sizing: made by `dora bench --save` -->\n", "<!-- end of sizing -->"
PEAKS = (50, 300, 1000, 3000)  # events a second
ROOM = 2
LEAST_PARTITIONS = 8
WORKER, INGRESS = ("backlog", "backlog of "), ("ingress", "one event a request")  # benchmark, figure


def sizes(results: Mapping[str, Any]) -> str | None:
    """The table in Markdown; ``None`` when the results lack what it follows from."""
    worker, ingress = rate(results, *WORKER), rate(results, *INGRESS)
    if worker is None or ingress is None:
        return None
    cores, day = results["machine"]["cores"], results["at"][:10]
    lines = [
        f"Measured on {day}, on {cores} cores that Kafka, PostgreSQL and the sender shared: one worker did",
        f"{worker:,.0f} events a second, one ingress took {ingress:,.0f} in as many requests.",
        "",
        "| events a second, at peak | ingress | workers | partitions |",
        "| --- | --- | --- | --- |",
    ]
    for peak in PEAKS:
        workers = enough(peak, worker)
        lines.append(f"| {peak:,} | {enough(peak, ingress)} | {workers} | {partitions(workers)} |")
    return "\n".join(lines) + "\n"


def rate(results: Mapping[str, Any], benchmark: str, beginning: str) -> float | None:
    """The median of a figure in events a second, by how its name begins."""
    for figure in results["figures"]:
        if figure["benchmark"] == benchmark and figure["figure"].startswith(beginning):
            return float(figure["median"])
    return None


def enough(peak: float, one: float) -> int:
    """How many of a part."""
    return max(2, math.ceil(ROOM * peak / one))


def partitions(workers: int) -> int:
    """A power of two with room for twice the workers, because more of them take a recompute."""
    return max(LEAST_PARTITIONS, 1 << math.ceil(math.log2(2 * workers)))


def told() -> str:
    """What the page says now."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip()


def write(file: Path) -> bool:
    """Put the table of a file of results into the page; whether the file has what it takes."""
    table = sizes(orjson.loads(file.read_bytes()))
    if table is None:
        return False
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return True


if __name__ == "__main__":
    saved = Path(sys.argv[1]) if len(sys.argv) > 1 else max((ROOT / "benchmarks/results").glob("20*.json"))
    sys.exit(0 if write(saved) else f"{saved} lacks the benchmarks {WORKER[0]} and {INGRESS[0]}")
