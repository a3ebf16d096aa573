"""``/live`` in a real browser: events as they arrive, over broken connections, many of them, hostile ones."""

import asyncio
import json
import time

import asyncpg
import pytest

from query.routes.live import SHOWN
from tests.infra.pipelines import running as pipeline
from tests.infra.production import eventually
from tests.pages.browsing import THEMES, WIDTHS, overflow, violations
from tests.pages.story import STORY, envelope
from tests.query.proxy import Proxy
from tests.query.test_stream import ROWS, outputs, write

pytestmark = pytest.mark.connected

HOSTILE = "<script>document.title='owned'</script>\"><img src=x onerror=alert(1)>{{7*7}} \u202egnp.exe 🙂"
RATE, SECONDS = 500, 8
# Counts what the tab draws, and how long it is away from drawing.
FRAMES = """
() => {
  window.gaps = [];
  let last = performance.now();
  const frame = (now) => { window.gaps.push(now - last); last = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}
"""


async def told(page) -> int:
    return int(await page.evaluate("Number(document.getElementById('count').dataset.told ?? 0)"))


async def following(page) -> None:
    await page.wait_for_selector("#state[data-state=open]")


async def test_an_event_that_is_posted_is_seen_with_what_became_of_it(
    infra, topics, database, visitor, tmp_path
):
    async with pipeline(infra, topics, database, tmp_path) as running, visitor:
        page = await visitor.open(f"{running.query.url}/live")
        await following(page)
        assert await page.is_visible("#nothing")
        unknown = {"specversion": "1.0", "id": "u1", "source": "/tools/x", "type": "com.example.unknown"}
        for event in (*map(envelope, STORY[:6]), unknown):
            body = json.dumps(event).encode()
            answer = await running.post("/", {"content-type": "application/cloudevents+json"}, body)
            assert answer.status_code == 202
        unmapped = page.locator("#events tr", has_text="com.example.unknown")
        await unmapped.wait_for()
        assert "no transformer is routed" in await unmapped.inner_text()
        assert await unmapped.locator(".badge").inner_text() == "Unmapped"
        await eventually(lambda: _has_rows(page, 7), what="all that was posted")
        mapped = page.locator("#events tr:has(.badge.good)").first
        assert await page.is_hidden("#nothing")
        await mapped.locator(".became a").first.click()
        await page.wait_for_selector("h1")
        assert "/event?" in page.url
        assert "It became" in await page.inner_text("main")
        await page.close()


async def _has_rows(page, number: int) -> bool:
    return await page.locator("#events tr").count() == number


async def test_nothing_is_left_out_over_broken_connections_and_late_commits(serve, visitor, database, tables):
    url = await serve()
    way = Proxy(url)
    await way.open()
    page = await visitor.open(f"http://127.0.0.1:{way.port}/live")
    await following(page)

    async def break_off() -> None:
        while True:
            await asyncio.sleep(1.3)
            await way.close()
            await asyncio.sleep(0.4)
            await way.open()

    breaking = asyncio.create_task(break_off())
    committed = await asyncio.gather(*(write(database, f"w{seed}", seed) for seed in range(4)))
    breaking.cancel()
    await asyncio.gather(breaking, return_exceptions=True)
    if way._server is None or not way._server.is_serving():
        await way.open()
    expected = sum(map(len, committed))
    seen: list[int] = []

    async def complete() -> bool:
        seen.append(await told(page))
        return seen[-1] >= expected

    await eventually(complete, 30, "all that was committed")
    await tables.event("the last")
    await page.locator("#events tr", has_text="a.type").first.wait_for()
    await eventually(lambda: _told(page, expected + 1), 10, "one more, and none twice")
    await page.close()
    await way.close()
    # The browser says of each connection that it broke; of anything else it shall not have complained.
    assert any("ERR_" in each for each in visitor.complaints)
    visitor.complaints[:] = [each for each in visitor.complaints if "ERR_" not in each]


async def _told(page, number: int) -> bool:
    return await told(page) == number


async def test_many_events_a_second_leave_the_tab_its_time(serve, visitor, database):
    page = await visitor.open(f"{await serve()}/live")
    await following(page)
    await page.evaluate(FRAMES)
    connection = await asyncpg.connect(database)
    begun = time.perf_counter()
    for number in range(SECONDS * 20):
        await connection.execute(ROWS, f"b{number}.", RATE // 20, "no transformer is routed")
        await asyncio.sleep(max(0, begun + (number + 1) / 20 - time.perf_counter()))
    asked = time.perf_counter()
    await page.click("#theme")  # the tab answers meanwhile
    answered = time.perf_counter() - asked
    took = time.perf_counter() - begun
    await eventually(lambda: _told(page, RATE * SECONDS), 20, "all events have arrived")
    assert await page.get_attribute("#theme", "aria-pressed") == "true"
    gaps = sorted(await page.evaluate("window.gaps"))
    print(
        f"{RATE * SECONDS / took:.0f} events/s: frames {len(gaps) / took:.0f}/s, between two of them "
        f"{gaps[len(gaps) // 2]:.0f} ms in the middle, {gaps[int(len(gaps) * 0.99)]:.0f} ms for 99 %, "
        f"{gaps[-1]:.0f} ms at most; a click took {answered * 1000:.0f} ms"
    )
    assert await page.locator("#events tr").count() == SHOWN
    newest = await page.inner_text("#events tr:first-child .from")
    assert f"/b{SECONDS * 20 - 1}." in newest
    assert "are shown" in await page.inner_text("#count")
    await connection.close()


async def test_what_is_hostile_is_text(serve, visitor, tables):
    names = {"subject": HOSTILE, "reason": HOSTILE, "rule": HOSTILE, "type": HOSTILE, "source": HOSTILE}
    long = {"subject": "s" * 10_000, "reason": "r" * 10_000}
    made = [{"source": HOSTILE, "id": HOSTILE, "type": HOSTILE}]
    page = await visitor.open(f"{await serve()}/live")
    await following(page)
    await tables.event(f"1{HOSTILE}", **names, outputs=json.dumps(made))
    await tables.event("2", **long)
    await eventually(lambda: _has_rows(page, 2), what="both are shown")
    rendered = await visitor.open(page.url)  # the same rows, made by the server
    for each in (page, rendered):
        row = each.locator("#events tr", has_text="owned")
        assert HOSTILE in await row.locator(".type").inner_text()
        assert await row.locator("img, script").count() == 0
        assert await row.locator(".became a").get_attribute("href") is not None
        assert "Live" in await each.title()
        assert await overflow(each) <= 0


async def test_pause_by_keyboard_and_continue_where_it_stopped(serve, visitor, tables):
    page = await visitor.open(f"{await serve()}/live?source=/cluster")
    await following(page)
    await tables.event("e1", **outputs("c1"))
    await eventually(lambda: _has_rows(page, 1))
    await page.focus("#fate")
    for _ in range(2):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    assert await page.inner_text("#pause") == "Continue"
    await tables.event("e2")
    await tables.event("elsewhere", source="/elsewhere")
    await asyncio.sleep(0.7)
    assert await _has_rows(page, 1)
    await page.keyboard.press("Enter")
    await eventually(lambda: _has_rows(page, 2))
    await page.locator("#summary:has-text('new events')").wait_for(state="attached")


async def test_the_list_holds_still_while_somebody_is_in_it(serve, visitor, tables):
    page = await visitor.open(f"{await serve()}/live")
    await following(page)
    await tables.event("e1")
    await eventually(lambda: _has_rows(page, 1))
    await page.focus("#events tr .type")
    await tables.event("e2")
    await page.locator("#count:has-text('1 wait')").wait_for(state="attached")
    assert await _has_rows(page, 1)
    await page.focus("#pause")
    await eventually(lambda: _has_rows(page, 2))


async def test_an_event_whose_fate_has_changed_is_shown_as_it_is_now(serve, visitor, tables):
    page = await visitor.open(f"{await serve()}/live")
    await following(page)
    await tables.event("e1", fate="dead", reason="ZeroDivisionError")
    await page.locator("#events .badge.bad").wait_for()
    await tables.connection.execute(
        "UPDATE cloudevents_raw SET fate = 'ignored', reason = 'tested', recorded_in = pg_current_xact_id()"
    )
    await page.locator("#events tr.again", has_text="tested").wait_for()
    assert await _has_rows(page, 1)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
async def test_it_is_usable_at_every_size_and_theme(serve, visitor, tables, width, theme, tmp_path):
    for number, fate in enumerate(("mapped", "ignored", "unmapped", "dead")):
        made = outputs(f"c{number}") if fate == "mapped" else {"reason": f"because of {fate}"}
        await tables.event(f"e{number}", fate=fate, rule="github", subject="acme/checkout", **made)
    page = await visitor.open(f"{await serve()}/live", width=WIDTHS[width], theme=theme)
    await following(page)
    assert await _has_rows(page, 4)
    await page.screenshot(path=tmp_path / f"live-{width}-{theme}.png", full_page=True)
    assert await violations(page) == []
    assert await overflow(page) <= 0


async def test_without_scripts_the_latest_are_there(serve, visitor, tables):
    await tables.event("e1", fate="ignored", reason="tested")
    await tables.event("e2", type="other")
    page = await visitor.open(f"{await serve()}/live?fate=ignored", scripts=False)
    assert await page.locator("#events tr").count() == 1
    assert "tested" in await page.inner_text("#events")
    assert "reload" in await page.inner_text("#state")
