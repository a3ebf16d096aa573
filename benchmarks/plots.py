"""The plots of docs/performance.md: horizontal bars as SVG, in colours that are read on light and on dark.

Written by hand: bars are rectangles, and a library for charts would have to be installed wherever
``dora bench --save`` is run.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from benchmarks.measurement import Figure, Target

LABELS, BARS, VALUES, ROW, TOP = 330, 380, 110, 22, 34  # pixels
LONGEST_LABEL = 52  # characters
OURS, OTHERS, MISSED, GREY = "#2f7ebc", "#8a94a0", "#c8553d", "#7d868f"
MOST = 3.0  # times a target; what is better by more is drawn as long as this
RATES = ("events/s", "rows/s")


class Bar(NamedTuple):
    """One row: its name, the length of its bar, what is written behind it, and its colour."""

    name: str
    length: float
    text: str
    colour: str


def write_plots(figures: Sequence[Figure], folder: Path) -> list[tuple[str, str]]:
    """Write what can be drawn of ``figures``; title and file name of each plot."""
    drawn = {
        "What was measured beside its target (1: as good as asked for)": (
            "targets.svg",
            targets(figures),
            1.0,
        ),
        "Events a second, and those of the yardsticks": ("rates.svg", rates(figures), None),
    }
    folder.mkdir(exist_ok=True)
    plots = []
    for title, (name, bars, mark) in drawn.items():
        if bars:
            (folder / name).write_text(svg(title, bars, mark), encoding="utf-8")
            plots.append((title, name))
    return plots


def targets(figures: Sequence[Figure]) -> list[Bar]:
    """Each figure with a target, as many times as good as that."""
    return [
        Bar(
            figure.name,
            min(MOST, times),
            f"{times:.2f}" if times <= MOST else f"over {MOST:g}",
            OURS if times >= 1 else MISSED,
        )
        for figure in figures
        if figure.target is not None
        for times in [as_good(figure.median, figure.target)]
    ]


def as_good(value: float, target: Target) -> float:
    """How many times as good as asked for; below 1 the target is missed."""
    if target.least is not None:
        return value / target.least
    return (target.most or 0.0) / value if value else MOST + 1


def rates(figures: Sequence[Figure]) -> list[Bar]:
    """Figures per second of wall time: ours, and, in grey, what they stand beside."""
    return [
        Bar(figure.name, figure.median, f"{figure.median:,.0f}", OTHERS if is_yardstick(figure) else OURS)
        for figure in figures
        if figure.unit in RATES and not figure.name.endswith("of one core")
    ]


def is_yardstick(figure: Figure) -> bool:
    """Whether it is a program that is measured beside ours."""
    return figure.name.startswith(("bare ", "stock "))


def svg(title: str, bars: Sequence[Bar], mark: float | None = None) -> str:
    """The plot; with a ``mark``, a line at that length."""
    longest = max(*(bar.length for bar in bars), mark or 0.0)
    width, height = LABELS + BARS + VALUES, TOP + ROW * len(bars) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"',
        f' width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<text x="0" y="16" font-size="14" font-weight="bold" fill="{GREY}">{escape(title)}</text>',
    ]
    for place, bar in enumerate(bars):
        y, length = TOP + ROW * place, BARS * bar.length / longest
        parts += [
            f'<text x="{LABELS - 8}" y="{y + 14}" text-anchor="end" fill="{GREY}">{_label(bar.name)}</text>',
            f'<rect x="{LABELS}" y="{y + 3}" width="{length:.1f}" height="{ROW - 7}" fill="{bar.colour}"/>',
            f'<text x="{LABELS + length + 6:.1f}" y="{y + 14}" fill="{GREY}">{escape(bar.text)}</text>',
        ]
    if mark is not None:
        x = LABELS + BARS * mark / longest
        parts.append(f'<path d="M{x:.1f} {TOP - 6}V{height - 6}" stroke="{GREY}" stroke-dasharray="4 3"/>')
    return "\n".join([*parts, "</svg>", ""])


def _label(name: str) -> str:
    return escape(name if len(name) <= LONGEST_LABEL else name[: LONGEST_LABEL - 1] + "…")
