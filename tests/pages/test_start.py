"""An empty installation in a browser, on the real pipeline: samples are played, numbers come and change."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from query.readable import NOTHING
from tests.infra.production import eventually
from tests.infra.programs import Program, environment_of
from tests.pages.browsing import THEMES, WIDTHS, ask, overflow, violations

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

SAMPLES = Path(__file__).parents[2] / "deploy" / "samples" / "catalog.yaml"
PATIENCE = 90_000  # milliseconds until three months of events have become numbers


@pytest.fixture
async def pipeline(infra, topics, database, tmp_path) -> AsyncIterator[tuple[Program, Program, Program]]:
    """Ingress, worker and query; the query process knows where the ingress is."""
    settings = {"catalog": str(SAMPLES), "open": "true"}
    environment = environment_of(infra.kafka, topics, database, tmp_path / "state", settings)
    ingress, worker = (Program(each, tmp_path / each, environment) for each in ("ingress", "worker"))
    started = [ingress, worker]
    try:
        for program in started:
            program.start()
        await ingress.ready()
        query = Program("query", tmp_path / "query", environment | {"DORA_INGRESS_URL": ingress.url})
        started.append(query)
        query.start()
        await asyncio.gather(worker.ready(), query.ready())
        yield ingress, worker, query
    finally:
        for program in started:
            if program.process is not None:
                program.kill()


async def test_from_nothing_to_numbers(pipeline, visitor, tmp_path):
    ingress, worker, query = pipeline
    page = await visitor.open(query.url, width=WIDTHS["narrow"])
    assert await page.inner_text("h1") == "Nothing has arrived yet"
    assert ingress.url in await page.inner_text("main")
    for theme in THEMES:
        await page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # else half way between colours
        assert await violations(page) == []
    assert await overflow(page) <= 0
    foreign = {"Origin": "http://evil.example", "Accept": "*/*"}
    assert (await ask("POST", f"{query.url}/samples", headers=foreign)).status_code == 403
    await page.get_by_role("button", name="Play the sample data").click()
    await expect(page.locator("h1")).to_have_text("All services", timeout=PATIENCE)
    assert (await ask("POST", f"{query.url}/samples")).status_code == 422  # never beside real events
    await worker.settled()
    await page.set_viewport_size({"width": WIDTHS["wide"], "height": 900})
    await every_metric_is_drawn(page, query.url)
    await page.screenshot(path=tmp_path / "overview.png", full_page=True)
    await an_event_is_seen(page, ingress.url, query.url)


async def test_what_stands_in_the_way_of_the_samples_is_said(infra, topics, database, visitor, tmp_path):
    """An ingress that asks for a token, one that is away, and none that the process is told of."""
    settings = {"ingress_tokens": "a-token-that-the-page-has-not"}
    environment = environment_of(infra.kafka, topics, database, tmp_path / "state", settings)
    ingress, query, alone = started = (
        Program("ingress", tmp_path / "ingress", environment),
        Program("query", tmp_path / "query", environment),
        Program("query", tmp_path / "alone", environment),
    )
    try:
        ingress.start()
        await ingress.ready()
        query.environment["DORA_INGRESS_URL"] = ingress.url
        query.start()
        alone.start()
        await asyncio.gather(query.ready(), alone.ready())
        page = await visitor.open(query.url)
        await page.get_by_role("button", name="Play the sample data").click()
        await page.get_by_text("the ingress asks who sends (401)").wait_for()
        assert "./dora demo" in await page.inner_text("main")
        assert await violations(page) == []
        ingress.kill()
        await page.get_by_role("button", name="Try again").click()
        await page.get_by_text("cannot be reached").wait_for()
        await page.goto(alone.url)
        assert "DORA_INGRESS_URL" in await page.inner_text("main")
        assert await page.get_by_role("button", name="Play the sample data").count() == 0
        refused = await ask("POST", f"{alone.url}/samples")
        assert (refused.status_code, "DORA_INGRESS_URL" in refused.text) == (422, True)
    finally:
        for program in started:
            if program.process is not None:
                program.kill()


async def every_metric_is_drawn(page: Page, url: str) -> None:
    """Five values, five drawings, and a value as the REST API tells it of the same time."""

    async def complete() -> bool:
        await page.goto(url)
        await expect(page.locator(".plot svg")).to_have_count(5)
        link = await page.locator("#change-failure-rate").get_by_text("CSV").get_attribute("href")
        told = (await ask("GET", url + link.replace("format=csv", "format=json"))).json()
        shown = await page.locator("section", has=page.locator("#change-failure-rate")).inner_text()
        value = f"{told['value'] * 100:.1f}".removesuffix(".0") + " %"
        return value in shown and f"Of {told['sample_count']} deployments" in shown

    # Links between facts follow the facts, so that the first looks may see the numbers grow.
    await eventually(complete, 60, "page and API agree")
    assert await page.locator(".value", has_text=NOTHING).count() == 0


async def an_event_is_seen(page: Page, ingress: str, query: str) -> None:
    """A deployment posted now is a deployment more, as soon as the page is loaded again."""
    await page.goto(f"{query}/?service=payments&period=30&bucket=day")
    frequency = page.locator("#deployment-frequency tbody tr").last
    before = int(await frequency.locator("td").get_attribute("data-value"))
    report = {"kind": "deployment", "service": "payments", "environment": "production", "id": "one-more"}
    event = {"specversion": "1.0", "id": "one-more", "source": "/ci", "type": "dev.dora.report.deployment.v1"}
    headers = {"Content-Type": "application/cloudevents+json"}
    answer = await ask("POST", f"{ingress}/", json={**event, "data": report, "time": now()}, headers=headers)
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text

    async def seen() -> bool:
        await page.reload()
        return int(await frequency.locator("td").get_attribute("data-value")) == before + 1

    await eventually(seen, 30, "the deployment on the page")


def now() -> str:
    return datetime.now(UTC).isoformat()
