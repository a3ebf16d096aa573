"""The page of a deployment: what it brought, why it failed, who says otherwise, and the events behind it."""

import json
import shlex
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from access.keys import RIGHTS
from deploy.keys import create
from tests.infra.production import eventually, fetch
from tests.pages.browsing import THEMES, WIDTHS, ask, overflow, violations
from tests.pages.pipeline import running
from tests.pages.story import STORY, post

pytestmark = [pytest.mark.connected, pytest.mark.timeout(180)]

PERIOD = "period=custom&from=2026-06-01&to=2026-06-14"
SENDER, CORRECTOR = "sender-0123456789abcdef", "corrector-0123456789abcdef"


async def rate(pipeline) -> float:
    """The change failure rate of the fortnight, as a program is answered."""
    span = "from=2026-06-01T00:00:00Z&to=2026-06-15T00:00:00Z"
    return float((await pipeline.ask(f"/v1/metrics/change-failure-rate?service=shop&{span}"))["value"])


@pytest.mark.partitions(4)
async def test_a_failure_is_corrected_on_the_page_and_the_numbers_follow(
    visitor, infra, topics, database, tmp_path: Path
):
    async with running(infra, topics, database, tmp_path) as pipeline, visitor:
        await post(pipeline.ingress.url, STORY)
        await pipeline.settled()
        assert await rate(pipeline) == 0.6
        page = await visitor.open(f"{pipeline.query.url}/services/shop?{PERIOD}")
        await page.click(".list >> text=2 Jun 2026, 06:00")
        assert "by the rule incident" in await page.inner_text("#verdict")
        assert "INC-1" in await page.inner_text("#verdict")
        assert await page.locator("#changes-title ~ table tbody tr").count() == 2

        # Only what makes sense is sent.
        await page.fill("#cause", "INC-1")
        await page.click("text=Correct >> nth=-1")
        assert "goes with failed" in await page.inner_text("[role=alert]")

        await page.check("input[name=failed][value=no]")
        await page.fill("#reason", "a failing disk")
        await page.fill("#cause", "")
        await page.click("button:has-text('Correct')")
        assert "Your correction is recorded" in await page.inner_text("[role=status]")
        verdict = await page.inner_text("#verdict")
        assert "a person said that it did not" in verdict
        assert "did not fail: a failing disk" in verdict
        assert await violations(page) == []
        assert await rate(pipeline) == 0.4
        await page.goto(f"{pipeline.query.url}/services/shop?{PERIOD}")
        assert (await page.locator(".numbers .value").all_text_contents())[1] == "40 %"

        # The correction is an event like any other.
        await page.go_back()
        await page.click("text=Event of this correction")
        assert await page.inner_text("h1") == "dev.dora.attribution.set.v1"
        assert '"reason": "a failing disk"' in await page.inner_text("main")

        # Left to the rules again.
        await page.goto(f"{pipeline.query.url}/deployment?id=d2")
        await page.check("input[name=failed][value=rules]")
        await page.click("button:has-text('Correct')")
        assert "left to the rules" in await page.inner_text("#verdict")

        async def by_the_rules() -> bool:
            await page.reload()
            return "by the rule incident" in await page.inner_text("#verdict")

        await eventually(by_the_rules, what="the rules' word on d2")
        assert await rate(pipeline) == 0.6

        # From the deployment to its event as it came, and to everything beside it.
        await page.click("text=The event that told of it")
        assert await page.inner_text("h1") == "dev.cdevents.service.deployed.0.3.0"
        assert '"deploy_id": "d2"' in await page.inner_text("main")
        assert await violations(page) == []
        await page.click("text=The deployment 2 Jun 2026")
        await page.get_by_role("link", name="c3").click()
        assert await page.inner_text("h1") == "Commit c3"
        assert await violations(page) == []
        await page.goto(f"{pipeline.query.url}/deployment?id=d3")
        assert "by the rule rollback" in await page.inner_text("#verdict")
        await page.click("#verdict >> text=d4")
        assert "which is the recovery of another" in await page.inner_text("#verdict")
        await page.goto(f"{pipeline.query.url}/deployment?id=d3")
        await page.get_by_role("link", name="17", exact=True).click()
        assert await page.inner_text("h1") == "Pull request 17"
        await page.goto(f"{pipeline.query.url}/deployment?id=d5")
        await page.get_by_role("link", name="INC-2").first.click()
        assert await page.inner_text("h1") == "Incident INC-2"
        assert "1 Jun" not in await page.inner_text("#events-title ~ table")
        assert await page.locator("#events-title ~ table tbody tr").count() == 2
        assert await violations(page) == []
        await page.goto(f"{pipeline.query.url}/deployment?id=d6")
        assert "rollout did not succeed" in await page.inner_text("#verdict")
        assert await page.locator("form.correction").count() == 0

        for width in WIDTHS.values():
            for theme in THEMES:
                seen = await visitor.open(f"{pipeline.query.url}/deployment?id=d3", width=width, theme=theme)
                assert await violations(seen) == [], (width, theme)
                assert await overflow(seen) <= 0, (width, theme)
                await seen.context.close()

        # What nobody may do from elsewhere: each of these leaves everything as it was.
        address = f"{pipeline.query.url}/deployment?id=d2"
        form = {"failed": "no"}
        host = urlsplit(pipeline.query.url).netloc
        for headers in (
            {"origin": "https://evil.example"},
            {"sec-fetch-site": "cross-site", "origin": f"http://{host}"},
            {"host": "rebound.example", "origin": "http://rebound.example"},
            {"x-forwarded-for": "203.0.113.9", "origin": f"http://{host}"},
        ):
            assert (await ask("POST", address, data=form, headers=headers)).status_code == 403, headers
        # A token that nobody can check is not taken for one by an ingress that is open to this machine.
        rebound = {"host": "rebound.example", "origin": "http://rebound.example"}
        made_up = await ask("POST", address, data=form | {"token": "made-up-0123456789"}, headers=rebound)
        assert made_up.status_code == 401
        assert (await ask("POST", f"{pipeline.query.url}/deployment?id=none", data=form)).status_code == 404
        assert (await ask("POST", address, content=b"x" * 20_000)).status_code == 422
        assert (await ask("POST", address, data={"failed": "perhaps"})).status_code == 422
        await pipeline.settled()
        assert await rate(pipeline) == 0.6
        corrections = "SELECT count(*) FROM cloudevents_raw WHERE type = 'dev.dora.attribution.set.v1'"
        assert (await fetch(database, corrections))[0][0] == 2


@pytest.mark.partitions(4)
async def test_where_tokens_count_only_the_right_one_corrects(
    visitor, infra, topics, database, tmp_path: Path
):
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text("services:\n  shop: {team: storefront}\nproduction: [production]\n")
    settings = {
        "ingress_tokens": SENDER,
        "ingress_correction_tokens": CORRECTOR,
        "query_auth": "keys",
        "catalog": str(catalog),
    }
    ours, theirs = [
        (await create(database, team, teams=[team], rights=RIGHTS, expires=None))[0]
        for team in ("storefront", "payments")
    ]
    async with running(infra, topics, database, tmp_path, **settings) as pipeline, visitor:
        await post(pipeline.ingress.url, STORY, authorization=f"Bearer {CORRECTOR}")
        await pipeline.settled()
        url = pipeline.query.url
        page = await visitor.open(f"{url}/deployment?id=d2")
        await page.fill("#credential", ours)
        await page.click("main button")
        assert "by the rule incident" in await page.inner_text("#verdict")
        for token, told in (
            ("a-wrong-token-0123456789", "does not know this token"),
            (SENDER, "may not correct"),
        ):
            await page.check("input[name=failed][value=no]")
            await page.fill("#token", token)
            await page.click("button:has-text('Correct')")
            assert told in await page.inner_text("[role=alert]")
            assert token not in await page.content()
        await page.check("input[name=failed][value=no]")
        await page.fill("#token", CORRECTOR)
        await page.click("button:has-text('Correct')")
        assert "Your correction is recorded" in await page.inner_text("[role=status]")
        assert parse_qs(urlsplit(page.url).query)["id"] == ["d2"]
        assert CORRECTOR not in pipeline.query.log() + pipeline.ingress.log() + await page.content()

        # What belongs to others is like what does not exist, in reading and in correcting.
        async with httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {theirs}"}) as stranger:
            event = await event_of_ours(url, ours)
            for path in (
                "/services/shop",
                "/deployment?id=d2",
                "/change?repository=acme%2Fshop&id=c3",
                "/incident?source=%2Fpager&id=INC-1",
                event,
            ):
                answer = await stranger.get(path)
                assert answer.status_code == 404, path
                assert "shop" not in answer.text.replace("acme%2Fshop", ""), path
            form = {"failed": "yes", "token": CORRECTOR}
            assert (await stranger.post("/deployment?id=d2", data=form)).status_code == 404
            assert "shop" not in (await stranger.get("/services")).text


async def event_of_ours(url: str, key: str) -> str:
    """The address of the page of an event that only its own team sees."""
    answer = await ask(
        "GET", f"{url}/v1/deployments?service=shop", headers={"authorization": f"Bearer {key}"}
    )
    return json.loads(answer.content)["items"][0]["event"].replace("/v1/events", "/event")


async def test_without_an_ingress_the_page_says_what_to_type(visitor, tables, link, serve):
    await tables.deployment("shop", "2026-06-03T10:00:00+00:00", deploy_id="it's; rm -rf /")
    await link()
    query = await serve()
    page = await visitor.open(f"{query}/deployment?id=it%27s%3B+rm+-rf+%2F")
    command, *_ = (await page.inner_text("pre")).splitlines()
    words = ["dora", "attribute", "it's; rm -rf /", "--failed", "--cause", "INC-17"]
    assert shlex.split(command) == words
    assert await page.locator("form.correction").count() == 0
    answer = await ask("POST", page.url, data={"failed": "yes"})
    assert answer.status_code == 422
    assert "DORA_INGRESS_URL" in answer.text
