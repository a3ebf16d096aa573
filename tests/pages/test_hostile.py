"""Texts that would be markup, scripts, directions or far too long: on every page they are texts, no more.

They come in as events over HTTP, in every field that can hold them, and are looked for on every page.
"""

import json
from functools import partial
from pathlib import Path

import httpx
import pytest

from schemas.cdevents.vocabulary import deployment_failed
from tests.infra.production import eventually
from tests.links.telling import deploy, event, flat, hour, incident, merge, push, roll_back
from tests.pages.browsing import WIDTHS, overflow, violations
from tests.pages.pipeline import running
from tests.pages.story import post

pytestmark = [pytest.mark.connected, pytest.mark.timeout(300)]

MARKUP = (
    "<script>window.hacked=1</script>",
    "\"'><img src=x onerror=window.hacked=1>",
    "</script></title></textarea></style><svg onload=window.hacked=1>",
    "<!--{{7*7}}${7*7}{%raw%}",
)
DIRECTIONS = "\u202egnp.\u2066\u0639\u0631\u0628\u064a\u2069\u202c"
EMOJI = "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466\u0301\U0001f3f3\ufe0f\u200d\U0001f308"
LONGEST = 256  # characters of a name; what is longer is no name, and is shown where the event is


def hostile(what: str) -> str:
    """A name of every kind of trouble that names may have; ``what`` tells which field it stands in."""
    return "".join((f"[{what}]", *MARKUP, DIRECTIONS, EMOJI, "=1+1"))[:LONGEST]


SERVICE, ENVIRONMENT = hostile("service"), hostile("environment")
REPOSITORY = hostile("repository").lower()
COMMIT = hostile("commit").lower()
DEPLOY_ID, INCIDENT = hostile("deploy_id"), hostile("incident")
CHANGE = hostile("change")
LONG = "longest " + "\u0645" * 200 + "x" * 9_792  # 10 kB, without a place to break
PLACE = {"service": SERVICE, "environment": ENVIRONMENT}

EVENTS = flat(
    [
        push(1, COMMIT, made=0.5, repository=REPOSITORY, service=SERVICE, branch=hostile("branch")),
        merge(
            1, CHANGE, opened=0.5, repository=REPOSITORY, service=SERVICE, commit=COMMIT, head=hostile("head")
        ),
        deploy(
            2, DEPLOY_ID, COMMIT, **PLACE, repository=REPOSITORY, artifact="pkg:oci/" + hostile("artifact")
        ),
        roll_back(4, hostile("rollback"), **PLACE, artifact="pkg:oci/" + hostile("older")),
        incident(3, 5, INCIDENT, **PLACE, ticket=hostile("ticket")),
        event(
            deployment_failed(
                source="/cd", at=hour(6), deploy_id=hostile("failed"), **PLACE, reason=hostile("reason")
            )
        ),
    ]
)
# Of no type that is known: what it says is to be read on the pages of events all the same.
UNKNOWN = {
    "specversion": "1.0",
    "id": hostile("id"),
    "source": "/unknown/source",
    "type": hostile("type"),
    "subject": LONG,
    "extension": LONG,
    "datacontenttype": "application/json",
    "data": {hostile("key"): [LONG, {"nested": hostile("value")}], LONG: None},
}


def in_json(text: str) -> str:
    """``text`` as it stands in a document."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


SHOWS = """
wanted => [...document.body.querySelectorAll("*")].some(
  (each) => [each.textContent, each.value, each.title].some((text) => text?.includes?.(wanted)))
"""


@pytest.mark.partitions(4)
async def test_hostile_texts_are_texts_on_every_page(visitor, infra, topics, database, tmp_path: Path):
    async with running(infra, topics, database, tmp_path) as pipeline:
        await post(pipeline.ingress.url, EVENTS)
        headers = {"content-type": "application/cloudevents+json"}
        # The second is a conflict with the first, and so a dead letter.
        for told in (UNKNOWN, UNKNOWN | {"data": {}}):
            answer = await pipeline.post("/cloudevents", headers, json.dumps(told).encode())
            assert answer.status_code == 202, answer.text
        await pipeline.settled()
        url = pipeline.query.url

        def at(path: str, **parameters: str) -> str:
            return str(httpx.URL(f"{url}{path}", params=parameters))

        period = {"period": "custom", "from": "2026-06-01", "to": "2026-06-02"}
        (deployment,) = [
            each
            for each in (await pipeline.ask("/v1/deployments"))["items"]
            if each["deploy_id"] == DEPLOY_ID
        ]
        source, identity = EVENTS[0].source, EVENTS[0].id
        pages = {
            at("/"): SERVICE,
            at("/", service=SERVICE, **period): SERVICE,
            at("/services"): SERVICE[:70],  # the link is cut, and leads to all of it
            at("/service", name=SERVICE, **period): SERVICE,
            at("/deployment", id=DEPLOY_ID): DEPLOY_ID,
            at("/deployment", id=hostile("rollback")): hostile("rollback"),
            at("/change", repository=REPOSITORY, id=COMMIT): COMMIT,
            at("/change", repository=REPOSITORY, id=CHANGE): CHANGE,
            at("/incident", source="/pager", id=INCIDENT): INCIDENT,
            url + deployment["event"].replace("/v1/events", "/event"): in_json(DEPLOY_ID),
            at("/event", source=source, id=identity): in_json(COMMIT),
            at("/event", source="/unknown/source", id=UNKNOWN["id"]): LONG,
            at("/live"): UNKNOWN["type"][:60],
            at("/ops"): UNKNOWN["source"],
            at("/services", team=hostile("team")): hostile("team"),
        }
        page = await visitor.open(url, width=WIDTHS["narrow"])
        page.on("dialog", lambda dialog: visitor.complaints.append(dialog.message))
        for address, wanted in pages.items():
            await page.goto(address)
            name = address.removeprefix(url)[:60]
            # All of it is there as text, wherever it is cut for the eye.
            await eventually(partial(page.evaluate, SHOWS, wanted), 20, f"all of the text on {name}")
            assert await page.evaluate("window.hacked") is None, name
            assert (
                await page.locator("main img[src=x], main svg[onload], main script:not([type])").count() == 0
            )
            assert await overflow(page) <= 0, name
            found = await violations(page)
            assert found == [], name
            if await page.locator("details.long").count():
                await page.locator("details.long > summary").first.click()
                assert await overflow(page) <= 0, name

        await page.context.close()
        # A spreadsheet takes none of it for a formula.
        answer = await ask_csv(at("/service", name=SERVICE, csv="timeline", **period))
        assert not [line for line in answer.splitlines() if line[:1] in "=+-@"]


async def ask_csv(address: str) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(address)).text
