"""Signing in: a key becomes a cookie that no script sees, and the page shows what it lets its holder see."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from access.keys import RIGHTS
from deploy.keys import create, revoke
from tests.pages.browsing import ask, violations

pytestmark = pytest.mark.connected

CATALOG = "services:\n  checkout: {team: shop}\n  search: {team: discovery}\n"


@pytest.fixture
async def closed(tables, link, serve, tmp_path) -> str:
    """A query process that asks for keys, with a service of each of two teams."""
    for service in ("checkout", "search"):
        await tables.deployment(service, datetime.now(UTC) - timedelta(days=2))
    await link()
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text(CATALOG)
    return await serve(DORA_QUERY_AUTH="keys", DORA_CATALOG=str(catalog))


async def key_of(dsn: str, *teams: str) -> str:
    text, _ = await create(dsn, f"of {teams}", teams=list(teams), rights=RIGHTS, expires=None)
    return text


async def test_a_key_opens_what_its_holder_may_see(visitor, closed, database):
    page = await visitor.open(f"{closed}/?period=30")
    assert page.url.startswith(f"{closed}/login?next=")
    assert await violations(page) == []
    await page.fill("#credential", "dora_0123456789_" + "a" * 49)
    await page.click("main button")
    assert "not a valid key" in await page.inner_text("[role=alert]")
    assert await violations(page) == []
    key = await key_of(database, "shop")
    await page.fill("#credential", key)
    await page.click("main button")
    assert page.url == f"{closed}/?period=30"
    offered = await page.locator("#services option").evaluate_all("found => found.map(each => each.value)")
    assert offered == ["checkout"]
    assert "1 deployment" in await page.inner_text("main")
    (cookie,) = await page.context.cookies()
    assert (cookie["value"], cookie["httpOnly"], cookie["sameSite"]) == (key, True, "Strict")
    assert await page.evaluate("document.cookie") == ""
    # What the page links to opens with it, too.
    assert (await page.context.request.get(f"{closed}/v1/services")).status == 200
    await page.goto(f"{closed}/?service=search")
    assert "No deployments in this time" in await page.inner_text("main")
    await page.click("text=Sign out")
    assert page.url == f"{closed}/login"
    await page.goto(closed)
    assert "/login" in page.url


async def test_a_revoked_key_leads_back_to_the_login(closed, database):
    key = await key_of(database)
    async with httpx.AsyncClient(base_url=closed, headers={"Accept": "text/html"}) as browser:
        entered = await browser.post("/login", data={"credential": key, "next": "//evil.example/"})
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        assert (await browser.get("/")).status_code == 200
        await revoke(database, key.split("_")[1])
        answer = await browser.get("/?bucket=day")
        while answer.status_code == 200:  # it is remembered for five seconds
            answer = await browser.get("/?bucket=day")
        assert answer.headers["location"] == "/login?next=%2F%3Fbucket%3Dday"


async def test_other_sites_can_neither_sign_in_nor_end_at_the_login_for_nothing(closed, database):
    key = await key_of(database)
    foreign = {"Accept": "text/html", "Sec-Fetch-Site": "cross-site"}
    assert (
        await ask("POST", f"{closed}/login", data={"credential": key}, headers=foreign)
    ).status_code == 403
    # A link elsewhere is followed without the cookie; the page asks the browser to come again by itself.
    onward = await ask("GET", f"{closed}/?bucket=day", headers=foreign)
    assert onward.status_code == 200
    assert 'content="0; url=/?bucket=day"' in onward.text
    # Programs are answered as ever.
    assert (await ask("GET", closed, headers={"Accept": "*/*"})).status_code == 401
    assert (await ask("GET", f"{closed}/v1/services", headers={"Accept": "text/html"})).status_code == 401
    assert (await ask("POST", f"{closed}/login", content=b"credential=" + b"a" * 20_000)).status_code == 422
