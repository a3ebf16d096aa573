"""The README's pictures: ``python -m tests.pages.screenshots URL [FOLDER]``.

URL is a running installation, best ``./dora demo``; FOLDER is docs/images without one. Every page is taken in
both themes, the overview at both widths.
"""

import asyncio
import sys
from pathlib import Path

from playwright.async_api import Browser

from tests.pages.browsing import THEMES, WIDTHS, browser

FOLDER = Path(__file__).parents[2] / "docs" / "images"
OVERVIEW = "overview"
PAGES = {OVERVIEW: "/", "service": "/services/checkout", "live": "/live", "operations": "/ops"}
SETTLED = 1_000  # milliseconds; charts are drawn, and the first events of the live page are there
HEIGHTS = {"narrow": 780, "wide": 800}  # of the part that is shown; of the wide overview it is all


async def take(launched: Browser, url: str, folder: Path) -> None:
    """Every page that is wanted at a width, in every theme."""
    for theme in THEMES:
        for size, width in WIDTHS.items():
            window = {"width": width, "height": HEIGHTS[size]}
            context = await launched.new_context(viewport=window, color_scheme=theme, locale="en-GB")
            page = await context.new_page()
            for name, path in PAGES.items():
                if size == "narrow" and name != OVERVIEW:
                    continue
                await page.goto(url + path)
                await page.wait_for_timeout(SETTLED)
                whole = size == "wide" and name == OVERVIEW
                await page.screenshot(path=folder / f"{name}-{size}-{theme}.png", full_page=whole)
            await context.close()


async def main(url: str, folder: Path) -> None:
    """Take them all."""
    async with browser() as launched:
        await take(launched, url.rstrip("/"), folder)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) == 3 else FOLDER))
