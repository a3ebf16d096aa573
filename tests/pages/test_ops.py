"""``/ops`` in a real browser: how each source does, dead letters that are redriven, sources that connect."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.keys import create
from ingress.providers import find_providers
from query.connections import OTHERS, all_connections, kind_of
from streams.sources import find_sources
from tests.deadletters.plant import Plant, build, demolish
from tests.infra.production import eventually
from tests.pages.browsing import THEMES, WIDTHS, ask, overflow, violations
from tests.query.process import running
from tests.query.test_stream import outputs
from tests.streams.produced import deployed

ROOT = Path(__file__).parents[2]
HOSTILE = "<script>document.title='owned'</script>\"><img src=x onerror=alert(1)>{{7*7}} \u202egnp.exe 🙂"
# Sources that nobody connects: corrections come from the dashboard and the command.
OURS = {"attribution"}


@pytest.fixture(scope="module")
def plant(infra, template_database, tmp_path_factory) -> Iterator[Plant]:
    """A pipeline whose worker breaks when told to."""
    made = build(infra, template_database, tmp_path_factory.mktemp("plant"))
    yield made
    demolish(made)


@pytest.mark.connected
async def test_a_source_turns_green_and_a_dead_letter_is_redriven(plant: Plant, visitor, tmp_path):
    told = {"DORA_INGRESS_URL": plant.ingress.url, "DORA_QUERY_WORKERS": plant.worker.url}
    async with running(tmp_path, DORA_POSTGRES=plant.dsn, **told) as query, visitor:
        page = await visitor.open(f"{query.url}/ops")
        assert await page.inner_text("#state-cdevents") == "Waiting for the first event"
        assert await page.is_visible("#sources a[href='#connect']")
        plant.broken.touch()
        await plant.send(deployed("bug-1"), deployed("fine-1"))
        await page.locator("#state-cdevents:has-text('Connected')").wait_for(state="attached")
        assert await page.inner_text("#state-github") == "Waiting for the first event"
        letter = page.locator("#letters tr", has_text="ZeroDivisionError in stage transform")
        await letter.wait_for()
        source = page.locator("#sources tr", has_text="CDEvents")
        cells = await source.locator("td").all_inner_texts()
        assert (cells[2], cells[5], cells[7]) == ("50 %", "50 %", "1")
        await page.locator("#lag:has-text('lag 0 records')").wait_for(state="attached")
        assert plant.worker.url in await page.inner_text("#lag")

        # It fails again, since nothing was corrected; then it does not.
        await letter.locator("input").check()
        await page.click("text=Redrive the chosen")
        await page.wait_for_selector("text=1 ordered")
        await eventually(lambda: _attempts(plant, 2), what="the second attempt")
        plant.broken.unlink()
        await page.goto(f"{query.url}/ops")
        await page.locator("#letters input[type=checkbox]").check()
        await page.click("text=Redrive the chosen")
        await page.wait_for_selector("text=1 ordered")
        await eventually(lambda: _is_redriven(plant), what="the dead letter is redriven")
        await page.wait_for_selector("text=None are open")
        assert await plant.fate("bug-1") == ("mapped", None)
        await page.close()


async def _attempts(plant: Plant, number: int) -> bool:
    return (await plant.letter("bug-1"))["attempts"] == number


async def _is_redriven(plant: Plant) -> bool:
    return (await plant.letter("bug-1"))["state"] == "redriven"


@pytest.mark.connected
async def test_who_is_not_at_this_machine_needs_a_token_of_the_ingress(plant: Plant, tmp_path):
    """The ingress of the plant asks nobody; it does not believe a page that nobody has vouched for."""
    plant.broken.touch()
    await plant.send(deployed("bug-2"))
    letter = await plant.letter("bug-2")
    plant.broken.unlink()
    told = {"DORA_INGRESS_URL": plant.ingress.url, "DORA_QUERY_AUTH": "keys"}
    async with running(tmp_path, DORA_POSTGRES=plant.dsn, **told) as query:
        everything, _ = await create(plant.dsn, "all", teams=[], rights=["events"], expires=None)
        team, _ = await create(plant.dsn, "team", teams=["shop"], rights=["events"], expires=None)
        url, form = f"{query.url}/ops", {"letter": str(letter["deadletter_id"])}

        async def post(key: str, **further) -> httpx.Response:
            headers = {"Authorization": f"Bearer {key}", **further.pop("headers", {})}
            return await ask("POST", url, data=form | further, headers=headers)

        assert (await post(team)).status_code == 403
        assert (await post(everything, headers={"Origin": "http://elsewhere"})).status_code == 403
        answer = await post(everything)
        assert (answer.status_code, "Enter a token" in answer.text) == (403, True)
        answer = await post(everything, token="not one of its tokens")
        assert answer.status_code in (401, 403, 422)
        assert (await plant.letter("bug-2"))["attempts"] == 1
        seen = await ask("GET", url, headers={"Authorization": f"Bearer {team}", "Accept": "text/html"})
        assert "some teams only" in seen.text
        assert "bug-2" not in seen.text


@pytest.mark.connected
@pytest.mark.parametrize(
    "form", ["", "letter=x", "letter=0", "letter=1&letter=x", "letter=1&other=2", "letter=999", "letter=%ff"]
)
async def test_what_is_no_choice_is_refused(serve, form):
    url = await serve(DORA_INGRESS_URL="http://127.0.0.1:1")
    answer = await ask("POST", f"{url}/ops", content=form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


@pytest.mark.connected
async def test_what_is_hostile_is_text(serve, visitor, tables):
    await tables.event("e1", type=HOSTILE, source=HOSTILE, fate="dead")
    await tables.deadletter(type=HOSTILE, source=HOSTILE, reason=HOSTILE, stage=HOSTILE)
    await tables.deadletter(reason="r" * 10_000, type="t" * 10_000)
    page = await visitor.open(f"{await serve()}/ops")
    row = page.locator("#letters tr", has_text="owned")
    assert HOSTILE in await row.inner_text()
    assert await page.locator("#letters img, #letters script").count() == 0
    assert "Operations" in await page.title()
    assert await overflow(page) <= 0


@pytest.mark.connected
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
async def test_it_is_usable_at_every_size_and_theme(serve, visitor, tables, width, theme, tmp_path):
    for number, fate in enumerate(("mapped", "ignored", "unmapped", "dead")):
        await tables.event(f"e{number}", fate=fate, type=f"com.github.push.{number}", **outputs())
    await tables.event("k1", type="dev.knative.apiserver.resource.update")
    await tables.deadletter(type="com.github.push", source="https://github.com/acme/checkout", id="e3")
    url = await serve(DORA_INGRESS_URL="http://127.0.0.1:1", DORA_QUERY_WORKERS="http://127.0.0.1:1")
    page = await visitor.open(f"{url}/ops", width=WIDTHS[width], theme=theme)
    assert "no answer" in await page.inner_text("#lag")
    await page.click("summary:has-text('GitHub')")
    assert "DORA_WEBHOOK_GITHUB_SECRETS" in await page.inner_text("main")
    await page.screenshot(path=tmp_path / f"ops-{width}-{theme}.png", full_page=True)
    assert await violations(page) == []
    assert await overflow(page) <= 0


def test_every_source_can_be_connected_and_every_web_hook_is_named():
    connections = all_connections()
    assert {each.webhook for each in connections} - {None} == set(find_providers())
    assert {each.name for each in connections} - {"kubewatch"} == set(find_sources()) - OURS
    for source in find_sources().values():
        for beginning in (*source.prefixes, *source.types):
            known = {each.name for each in connections if beginning.startswith(tuple(each.beginnings))}
            expected = "kubewatch" if beginning in source.types else source.name
            assert known == ({expected} if source.name not in OURS else set()), beginning
    assert kind_of("com.example.unknown") == OTHERS


@pytest.mark.parametrize("connection", all_connections(), ids=lambda each: each.name)
def test_the_guide_says_the_same(connection):
    guide = (ROOT / connection.guide).read_text(encoding="utf-8")
    if connection.webhook:
        assert connection.path in guide
        assert connection.secret in guide
