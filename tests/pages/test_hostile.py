"""Texts that would be markup, scripts, directions or far too long: on every page they are texts, no more.

They come in as events over HTTP, in every field that can hold them, and are looked for on every page. What is
no name has 10 kB. A name has as many characters as the pipeline lets a name have; one of 10 kB is refused,
unmapped or a dead letter, by the way it came, and pages tell why.
"""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import pytest

from schemas.cdevents.versions import type_of
from schemas.cdevents.vocabulary import deployment_failed
from schemas.cloudevents.attributes import LONGEST_INDEXED
from schemas.topics import Topics
from tests.infra.pipelines import Pipeline
from tests.infra.production import eventually, produce
from tests.infra.servers import Infra
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
LONGEST = 256  # characters of a name in customData.dora
PUSH = Path(__file__).parents[1] / "sources" / "github" / "push" / "new_branch_of_four_commits" / "body.json"


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
# Texts of a push that name nothing that the numbers are made of.
TOLD = {"message", "description", "email", "username", "login", "compare", "homepage"}

TOO_LONG = f"subject.id is longer than {LONGEST_INDEXED} bytes"


def wide(what: str) -> str:
    """A name as long as any may be: of what a CDEvent is about, in its own fields."""
    return (hostile(what) * 9).encode()[:LONGEST_INDEXED].decode(errors="ignore")


def native(name: str, identity: str, **content: object) -> dict[str, object]:
    """A CDEvent as a tool sends it that knows nothing of us: all names are in its own fields."""
    told = {"id": f"{name}-{len(identity)}", "source": "/native", "type": type_of(name)}
    document = {
        "context": {**told, "specversion": "0.5.1", "timestamp": "2026-06-01T08:00:00Z"},
        "subject": {"id": identity, "content": content},
    }
    return {**told, "specversion": "1.0", "datacontenttype": "application/json", "data": document}


def push_told(identity: str, *, every: bool) -> dict[str, object]:
    """GitHub's push, of which ``every`` text, or those that name nothing, have 10 kB."""
    body = json.loads(PUSH.read_text(encoding="utf-8"))
    body["commits"] = body["commits"][:1]  # all of it has to be under a megabyte
    data = lengthened(body, every=every)
    source = "https://github.com/acme/shop"
    told = {"id": identity, "source": source, "type": "com.github.push", "specversion": "1.0"}
    return {**told, "subject": LONG, "datacontenttype": "application/json", "data": data}


def lengthened(value: object, *, every: bool) -> object:
    if isinstance(value, Mapping):
        return {
            name: LONG if isinstance(each, str) and (every or name in TOLD) else lengthened(each, every=every)
            for name, each in value.items()
            if not name.endswith("_url")
        }
    if isinstance(value, list):
        return [lengthened(each, every=every) for each in value]
    return LONG if every and isinstance(value, str) else value


WIDE_PLACE = {"environment": {"id": wide("environment")}, "artifactId": f"pkg:oci/x@{'9' * 1_000}"}
WIDE = [
    native("service.deployed", wide("service"), **WIDE_PLACE),
    native(
        "incident.detected",
        wide("incident"),
        environment={"id": wide("environment")},
        service={"id": wide("service")},
        description=LONG,
    ),
]


def in_json(text: str) -> str:
    """``text`` as it stands in a document."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


SHOWS = """
wanted => [...document.body.querySelectorAll("*")].some(
  (each) => [each.textContent, each.value, each.title].some((text) => text?.includes?.(wanted)))
"""


@pytest.mark.partitions(4)
async def test_hostile_texts_are_texts_on_every_page(visitor, infra, topics, database, tmp_path: Path):
    async with running(infra, topics, database, tmp_path) as pipeline, visitor:
        await post(pipeline.ingress.url, EVENTS)
        headers = {"content-type": "application/cloudevents+json"}
        # The second is a conflict with the first, and so a dead letter.
        for told in (UNKNOWN, UNKNOWN | {"data": {}}):
            answer = await pipeline.post("/cloudevents", headers, json.dumps(told).encode())
            assert answer.status_code == 202, answer.text
        for told in (*WIDE, push_told("told", every=False), push_told("every", every=True)):
            answer = await pipeline.post("/cloudevents", headers, json.dumps(told).encode())
            assert answer.status_code == 202, answer.text
        await what_is_no_name_is_refused(pipeline, infra, topics)
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
        (wide_one,) = [
            each
            for each in (await pipeline.ask("/v1/deployments"))["items"]
            if each["service"] == wide("service")
        ]
        source, identity = EVENTS[0].source, EVENTS[0].id
        github = "https://github.com/acme/shop"
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
            at("/", service=wide("service"), environment=wide("environment"), **period): wide("service"),
            f"{url}/services/{quote(wide('service'), safe='')}?{urlencode(period)}": wide("environment"),
            at("/deployment", id=wide_one["deploy_id"]): wide("environment"),
            at("/incident", source="/native", id=wide("incident")): wide("incident"),
            at("/event", source=github, id="told"): in_json(LONG),
            at("/event", source=github, id="every"): LONG,
            at("/event", source="/native", id="too-long"): TOO_LONG,
            at("/live"): UNKNOWN["type"][:60],
            at("/live", fate="unmapped"): TOO_LONG,
            at("/ops"): UNKNOWN["source"],
            f"{url}/ops#dead": f"id is longer than {LONGEST_INDEXED} bytes",
            # Of a name that nothing can have, a page says that.
            at("/", service="s" * 10_000): "1024 characters",
            f"{url}/services/{'s' * 10_000}": "No deployment of a service of this name",
            at("/event", source="/native", id="i" * 20_000): "longer than",
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


async def what_is_no_name_is_refused(pipeline: Pipeline, infra: Infra, topics: Topics) -> None:
    """A CDEvent whose subject has a name of 10 kB: over each way in."""
    told = native("service.deployed", LONG, **WIDE_PLACE)
    headers = {"content-type": "application/cloudevents+json"}
    answer = await pipeline.post("/cdevents", headers, json.dumps(told).encode())
    assert answer.status_code == 400, answer.text
    assert TOO_LONG in answer.text
    answer = await pipeline.post("/cloudevents", headers, json.dumps({**told, "id": "too-long"}).encode())
    assert answer.status_code == 202, answer.text
    # Kafka takes everything; what has no identity that can be kept is only among the dead letters.
    record = json.dumps({**UNKNOWN, "id": LONG, "type": f"<b>{LONG}"}).encode()
    kept = [("content-type", b"application/cloudevents+json")]
    await produce(infra.kafka, topics["cloudevents"], [(None, record, kept)])


async def ask_csv(address: str) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(address)).text
