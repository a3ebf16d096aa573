"""The overview in a real browser: numbers, filters, charts, tables, exports, themes, and hostile names."""

import csv
import io
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import httpx
import pytest

from query.overview import SHOWN
from tests.pages.browsing import THEMES, WIDTHS, ask, overflow, violations

pytestmark = pytest.mark.connected

TODAY = datetime.now(UTC).replace(hour=1, minute=0, second=0, microsecond=0)
CATALOG = """
services:
  checkout: {team: shop}
  search: {team: discovery}
production: [production]
"""
LARGEST_FIRST_LOAD = 300_000  # bytes, compressed
# How much has moved since the page began to load: the share of the window, times how far.
SHIFT = """
new Promise((done) => {
  const told = (list) => done(list.reduce((sum, each) => sum + each.value, 0));
  new PerformanceObserver((list) => told(list.getEntries())).observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(0), 200);
})
"""
ASK_AGAIN = """
() => {
  addEventListener("submit", (event) => event.preventDefault());
  document.querySelector(".filters button").click();
  return document.querySelector("main").getAttribute("aria-busy");
}
"""
SEEN_TO_MOVE = 0.001  # below, a few pixels of a word, as when a slow machine paints half of the page first
HOSTILE = [
    "<script>document.title='owned'</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}${7*7}</title></script>",
    "\u202egnp.elcyc\u202c \u0645\u062a\u062c\u0631",
    "\U0001f600\U0001f469\u200d\U0001f4bb 👩‍💻",
    "n" * 1000,
]  # fmt: skip


async def fill(tables, service: str, days: range, **columns) -> None:
    for day in days:
        await tables.deployment(service, TODAY - timedelta(days=day), **columns)


@pytest.fixture
async def shop(tables, link, serve, tmp_path) -> str:
    """Two services in production, one of them in staging as well; a query process that shows them."""
    await fill(tables, "checkout", range(0, 60, 2))
    await fill(tables, "search", range(0, 21, 7))
    await fill(tables, "checkout", range(40), environment="staging")
    await link()
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text(CATALOG)
    return await serve(DORA_CATALOG=str(catalog))


def sheet(page, name: str):
    """The sheet of a metric."""
    return page.locator("section", has=page.locator(f"#{name}-title"))


async def test_what_is_chosen_is_what_is_shown_and_asked_for(visitor, shop):
    """The form makes the address, the address makes the page, and the page tells what the API does."""
    page = await visitor.open(shop)
    assert await page.inner_text("h1") == "All services"
    frequency = sheet(page, "deployment-frequency")
    assert "33 deployments" in await frequency.inner_text()
    await page.fill("#service", "search")
    await page.select_option("#bucket", "day")
    await page.select_option("#period", "30")
    await page.click("text=Show")
    assert parse_qs(urlsplit(page.url).query) == {"service": ["search"], "bucket": ["day"], "period": ["30"]}
    assert await page.inner_text("h1") == "search"
    assert await page.input_value("#bucket") == "day"
    assert "3 deployments" in await frequency.inner_text()
    failures = sheet(page, "change-failure-rate")
    assert "3 deployments: too few for a rate to rely on" in await failures.inner_text()
    assert await failures.locator(".badge").count() == 0
    # Every day has its row, those without a deployment too, and as many bars as days with one are drawn.
    rows = await frequency.locator("tbody tr").count()
    assert rows == 30
    assert await frequency.locator("td[data-value='0']").count() == 27
    await page.wait_for_selector("#deployment-frequency svg")
    drawn = frequency.locator('svg [data-mark="rect"] :is(rect, path)')
    heights = await drawn.evaluate_all("bars => bars.filter(bar => bar.getBBox().height > 0).length")
    assert heights == 3
    # The same numbers as CSV, by a link that needs no script.
    address = await frequency.get_by_text("CSV").get_attribute("href")
    answer = await ask("GET", shop + address)
    told = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(told) == rows
    assert sum(int(row["sample_count"]) for row in told) == 3
    # All five are those of the API, although the page asks for them together.
    for shown in SHOWN:
        link = await page.locator(f"#{shown.name}").get_by_text("CSV").get_attribute("href")
        answer = (await ask("GET", shop + link.replace("format=csv", "compare=previous"))).json()
        text = await sheet(page, shown.name).inner_text()
        number = answer["sample_count"]
        assert (shown.samples(number) if number else f"No {shown.several}") in text
    # What is asked for next is seen to be on its way before anything else happens.
    assert await page.evaluate(ASK_AGAIN) == "true"


async def test_time_zone_environment_team_and_days_can_be_chosen(visitor, shop):
    first, last = (f"{TODAY - timedelta(days=days):%Y-%m-%d}" for days in (9, 1))
    days = f"period=custom&from={first}&to={last}&bucket=day"
    page = await visitor.open(f"{shop}/?environment=staging&timezone=Asia/Tokyo&{days}")
    heading = await page.inner_text(".heading")
    assert "staging" in heading
    assert "Asia/Tokyo" in heading
    assert await page.is_visible("#from")
    frequency = sheet(page, "deployment-frequency")
    assert await frequency.locator("tbody tr").count() == 9
    assert "9 deployments" in await frequency.inner_text()
    await page.goto(f"{shop}/?team=discovery")
    assert "3 deployments" in await frequency.inner_text()
    assert not await page.is_visible("#from")


REFUSED = {
    "timezone=Mars/Olympus": "timezone",
    "bucket=hour": "bucket",
    "period=custom&from=2026-02-01&to=2026-01-01": "from",
    "period=custom&from=0001-01-01&bucket=day": "from",
    "service=a&team=b": "choose a service or a team",
    "colour=red": "colour",
    "service=%ff": "percent-encoded",
}


async def test_what_cannot_be_shown_is_explained(serve):
    """To a browser as a page, to a program as a problem document; so is an address that there is not."""
    url = await serve()
    for query, told in REFUSED.items():
        page = await ask("GET", f"{url}/?{query}", headers={"Accept": "text/html"})
        assert page.status_code == 422, query
        assert page.headers["content-type"].startswith("text/html")
        assert told in page.text
        answer = await ask("GET", f"{url}/?{query}")
        assert answer.headers["content-type"] == "application/problem+json"
    missing = await ask("GET", f"{url}/nowhere", headers={"Accept": "text/html"})
    assert missing.status_code == 404
    assert "no such address" in missing.text


async def test_drawings_and_tables_can_be_taken_away(visitor, shop):
    """An exported drawing stands by itself: XML, its title, plain colours, no style that is left behind."""
    page = await visitor.open(shop, theme="dark")
    frequency = sheet(page, "deployment-frequency")
    async with page.expect_download() as download:
        await frequency.get_by_role("button", name="SVG").click()
    saved = await download.value
    assert saved.suggested_filename == "deployment-frequency.svg"
    text = (await saved.path()).read_text(encoding="utf-8")
    drawing = ElementTree.fromstring(text)  # noqa: S314 - ours
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert drawing.findtext("{http://www.w3.org/2000/svg}title") == "Deployment frequency"
    assert "var(" not in text
    assert "light-dark" not in text
    assert len(drawing.findall(".//{http://www.w3.org/2000/svg}text")) > 5
    async with page.expect_download() as download:
        await frequency.get_by_text("CSV").click()
    saved = await download.value
    assert saved.suggested_filename == "deployment-frequency.csv"
    assert (await saved.path()).read_text().startswith("metric,unit,")


async def test_without_scripts_the_numbers_are_there(visitor, shop):
    page = await visitor.open(f"{shop}/?service=checkout", scripts=False)
    frequency = sheet(page, "deployment-frequency")
    assert "30 deployments" in await frequency.inner_text()
    await frequency.get_by_text("Table").click()
    assert await frequency.locator("tbody tr").first.is_visible()
    assert not await page.locator("[data-export]").first.is_visible()


async def test_a_keyboard_and_both_themes_do(visitor, shop):
    page = await visitor.open(shop, theme="light")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    assert await page.locator(".skip").bounding_box() is not None
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"
    ground = "getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(ground)
    await page.click("#theme")
    assert await page.get_attribute("#theme", "aria-pressed") == "true"
    dark = await page.evaluate(ground)
    assert dark != light
    await page.reload()
    assert await page.evaluate(ground) == dark
    again = await visitor.open(shop, theme="dark")
    assert await again.evaluate(ground) == dark


async def test_hostile_names_are_text(visitor, tables, link, serve):
    for name in HOSTILE:
        await fill(tables, name, range(3), environment=f"env {name[:200]}")
    await link()
    url = await serve()
    page = await visitor.open(url, width=WIDTHS["narrow"])
    offered = await page.locator("#services option").evaluate_all("found => found.map(each => each.value)")
    assert sorted(offered) == sorted(HOSTILE)
    for name in HOSTILE:
        await page.goto(str(httpx.URL(url, params={"service": name, "environment": f"env {name[:200]}"})))
        await page.locator("h1 summary").evaluate_all("found => found.forEach((each) => each.click())")
        assert await page.locator("h1 bdi").last.inner_text() == name  # of a long one all, where it opens
        assert await page.input_value("#service") == name
        assert await page.locator("img[src=x]").count() == 0
        assert await overflow(page) <= 0
        assert name[:20] in await page.title()


@pytest.mark.parametrize("theme", THEMES)
async def test_everybody_can_use_it(theme, visitor, shop, tmp_path):
    """axe-core finds nothing at either width; nothing moves while it loads; the pictures are kept."""
    for name, width in WIDTHS.items():
        page = await visitor.open(shop, width=width, theme=theme)
        await page.wait_for_selector("#deployment-rework-rate svg")
        assert await page.evaluate(SHIFT) < SEEN_TO_MOVE
        await page.screenshot(path=tmp_path / f"overview-{name}-{theme}.png", full_page=True)
        await page.evaluate("document.querySelectorAll('details').forEach(each => (each.open = true))")
        assert await violations(page) == []
        assert await overflow(page) <= 0
        await page.goto(f"{shop}/?bucket=hour")
        assert await violations(page) == []


async def test_the_first_load_is_small_and_the_second_smaller(visitor, shop):
    page = await visitor.open(f"{shop}/?period=365&bucket=day")
    await page.wait_for_selector("#deployment-frequency svg")
    sent = await page.evaluate(
        "performance.getEntries().reduce((sum, each) => sum + (each.transferSize ?? 0), 0)"
    )
    assert 100_000 < sent < LARGEST_FIRST_LOAD
    hosts = await page.evaluate(
        "performance.getEntriesByType('resource').map(each => new URL(each.name).host)"
    )
    assert set(hosts) == {urlsplit(shop).netloc}
    source = await page.get_attribute("link[rel=stylesheet]", "href")
    first = await ask("GET", shop + source)
    assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert first.headers["content-encoding"] == "gzip"
    again = await ask("GET", shop + source, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    outdated = await ask("GET", shop + source.replace(source.split("/")[2], "0" * 16))
    assert outdated.headers["cache-control"] == "no-cache"
    assert (await ask("GET", f"{shop}/assets/x/../../app.py")).status_code == 404
    policy = (await ask("GET", shop, headers={"Accept": "text/html"})).headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
