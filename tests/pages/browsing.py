"""Pages as a person's browser shows them: a real Chromium, driven by Playwright."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTHS = {"narrow": 360, "wide": 1280}
THEMES = ("light", "dark")
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def chromium() -> str | None:
    """The Chromium of this machine; ``None`` without one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A running Chromium."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        try:
            yield launched
        finally:
            await launched.close()


class Visitor:
    """Opens pages, and remembers what their scripts complained of."""

    def __init__(self, launched: Browser) -> None:
        self.browser = launched
        self.complaints: list[str] = []

    async def __aenter__(self) -> "Visitor":
        return self

    async def __aexit__(self, *told: object) -> None:
        """Leave every page, before what answers them ends: one that still loads would complain of that."""
        for context in self.browser.contexts:
            await context.close()

    async def open(
        self, url: str, *, width: int = 1280, theme: str = "light", scripts: bool = True, **context: Any
    ) -> Page:
        """A page in a browser context of its own: no cookies, nothing remembered."""
        made = await self.browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            java_script_enabled=scripts,
            locale="en-GB",
            **context,
        )
        page = await made.new_page()
        # What a script raises, and what the policy refuses. That an address answers 4xx is said there, too.
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)
        await page.goto(url)
        return page

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning") and "the server responded with a status" not in message.text:
            self.complaints.append(message.text)


async def ask(method: str, url: str, **further: Any) -> httpx.Response:
    """What a program is answered."""
    async with httpx.AsyncClient() as client:
        return await client.request(method, url, **further)


async def violations(page: Page) -> list[str]:
    """What axe-core has against a page, each with the elements it means."""
    await page.evaluate(_axe())
    found = await page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}}).then(told => told.violations)",
        RULES,
    )
    return [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in found]


async def overflow(page: Page) -> int:
    """Pixels by which a page is wider than its window."""
    return int(await page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")
