"""The overview in a browser: when it is first painted, what moves, and how fast it follows a hand.

A year of 500 services, written as ``benchmarks/query.py`` does, is shown by a ``dora query`` of its own to a
headless Chromium. The figures are the browser's: Paint Timing, Layout Instability as it loads, Event Timing.
Each round is a browser that remembers nothing; the first page that a process shows is not measured.
"""

import asyncio
import shutil
from collections.abc import Sequence
from typing import Any

from benchmarks.measurement import Benchmark, Figure, Options, Target
from benchmarks.query_history import Size
from benchmarks.query_load import load
from benchmarks.query_server import serving
from deploy.embedded.postgres import Postgres

SIZE = Size(services=500, deployments=400)  # over two years, so that a year has one before it
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
PAGES = {"a year by week": "/?period=365&bucket=week", "a year by day": "/?period=365&bucket=day"}
WINDOW = {"width": 1280, "height": 900}

# Before anything of the page runs: remembers what the browser tells of it.
OBSERVE = """
window.seen = {shift: 0, slowest: 0};
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) seen.shift += each.value;
}).observe({type: "layout-shift", buffered: true});
new PerformanceObserver((list) => {
  const interactions = list.getEntries().filter((each) => each.interactionId);
  seen.slowest = Math.max(seen.slowest, ...interactions.map((each) => each.duration));
}).observe({type: "event", buffered: true, durationThreshold: 16});
"""
TELL = """
() => ({
  ...seen,
  paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
  answer: performance.getEntriesByType("navigation")[0].responseStart,
  drawn: Math.max(...performance.getEntriesByName("drawn").map((each) => each.startTime)),
  bytes: performance.getEntries().reduce((sum, each) => sum + (each.transferSize ?? 0), 0),
})
"""
CHARTS = 5


async def visit(browser: Any, url: str) -> dict[str, float]:
    """Open a page, use it as a person does, and ask the browser how that was."""
    context = await browser.new_context(viewport=WINDOW)
    page = await context.new_page()
    await page.add_init_script(OBSERVE)
    await page.goto(url)
    # Not wait_for_function, which looks again by eval: the pages' policy forbids that.
    await page.locator(".plot svg").nth(CHARTS - 1).wait_for(state="attached")
    await page.evaluate("performance.mark('drawn')")
    shift = await page.evaluate("seen.shift")  # what opens under a hand afterwards is meant to move
    for summary in ("#deployment-frequency summary", "#change-lead-time summary"):
        await page.click(summary)
    await page.hover("#change-failure-rate .plot")
    await page.click("#theme")
    await page.press("#service", "a")
    await page.wait_for_timeout(300)  # Event Timing tells of an event after the frame that it changed
    told: dict[str, float] = await page.evaluate(TELL)
    await context.close()
    return told | {"shift": shift}


async def measure(url: str, rounds: int, program: str) -> dict[str, list[dict[str, float]]]:
    """Every page so many times, after one visit that warms the process up."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        found: dict[str, list[dict[str, float]]] = {}
        for name, path in PAGES.items():
            await visit(browser, url + path)
            found[name] = [await visit(browser, url + path) for _ in range(rounds)]
        await browser.close()
    return found


def run(options: Options) -> Sequence[Figure]:
    """Load, show, measure. Raises ``RuntimeError`` without a Chromium."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise RuntimeError("no Chromium on the PATH; on Debian: apt-get install chromium")
    size = Size(40, 100) if options.quick else SIZE
    postgres = Postgres(options.folder / "postgres")
    postgres.start()
    try:
        asyncio.run(load(postgres.dsn(), size, options.say))
        with serving(postgres.dsn(), options.folder, size) as url:
            found = asyncio.run(measure(url, options.rounds, program))
    finally:
        postgres.stop()
    note = f"{size.services} services, {size.services * size.deployments:,} deployments in two years"
    return [figure for name, told in found.items() for figure in figures(name, told, note)]


def figures(name: str, told: Sequence[dict[str, float]], note: str) -> Sequence[Figure]:
    """One value a visit."""

    def each(member: str) -> list[float]:
        return [visit[member] for visit in told]

    return [
        Figure(f"{name}: first byte of the answer", "ms", each("answer"), note=note),
        Figure(f"{name}: first contentful paint", "ms", each("paint"), Target(most=1000), note),
        Figure(f"{name}: all five charts drawn", "ms", each("drawn"), note=note),
        Figure(f"{name}: layout shift while it loads", "score", each("shift"), Target(most=0), note),
        Figure(f"{name}: slowest interaction", "ms", each("slowest"), Target(most=100), note),
        Figure(f"{name}: bytes of the first load", "bytes", each("bytes"), Target(most=300_000), note),
    ]


BENCHMARK = Benchmark("pages", "the overview of 500 services over a year, in a browser", run, quick=False)
