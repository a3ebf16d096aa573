"""What somebody sees who may see some teams only: nothing that they are answered depends on anything else.

The same questions are asked before and after others have deployed, failed, and sent events. Not a byte of an
answer may differ, and asking for what others have is answered like asking for what nobody has.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from deploy.keys import create
from query.app import create_app
from query.authentication import OPEN
from query.observation import ENDLESS
from query.settings import Settings
from schemas.catalog import Catalog
from streams.sinks.database import Database
from tests.access.issuing import AUDIENCE, answering
from tests.links.telling import deploy, incident, push, roll_back
from tests.query.client import client_of
from tests.query.test_linked_metrics import tell

pytestmark = pytest.mark.connected

NOW = datetime(2026, 6, 14, 12, tzinfo=UTC)
CATALOG = """
services:
  shop: {team: storefront}
  shop-*: {team: storefront}
  pay: {team: payments}
  pay-*: {team: payments}
production: [production]
"""
METRICS = (
    "deployment-frequency",
    "change-lead-time",
    "change-failure-rate",
    "failed-deployment-recovery-time",
    "deployment-rework-rate",
    "time-to-restore",
    "merge-to-deploy",
)
LISTS = ("services", "deployments", "changes", "incidents", "events", "deadletters")
WINDOW = "from=2026-06-01T00:00:00Z&to=2026-06-15T00:00:00Z"


@pytest.fixture
def catalog() -> Catalog:
    return Catalog.parse(CATALOG)


@pytest.fixture
async def sink(database) -> AsyncIterator[Database]:
    found = Database(f"{database}?synchronous_commit=off", 1)
    yield found
    await found.close()


@pytest.fixture
async def keyed(database, catalog) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever asks needs a key; without one in the call it is that of the team storefront."""
    text, _ = await create(
        database, "storefront", teams=["storefront"], rights=["metrics", "events"], expires=None
    )
    app = create_app(Settings(postgres=database, query_auth="keys"), catalog, now=lambda: NOW)
    async with client_of(app) as client:
        client.headers["Authorization"] = f"Bearer {text}"
        yield client


@pytest.fixture
async def everybody(database, catalog) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever asks sees everything."""
    async with client_of(create_app(Settings(postgres=database), catalog, now=lambda: NOW)) as client:
        yield client


def told_of(service: str, *deploy_ids: str) -> dict:
    return {"customData": {"dora": {"service": service, "deploy_id": (deploy_ids or ("none",))[0]}}}


async def life_of(tables, sink, service: str, repository: str, environment: str = "production") -> None:
    """A fortnight of ``service``: deployments, changes, a failure with its incident, a rollback, events."""
    about = {"service": service, "repository": repository}
    place = {"service": service, "environment": environment}
    await tell(
        sink,
        push(10, f"{service}-1", made=2, **about),
        push(100, f"{service}-2", made=50, **about),
        deploy(24, f"{service}-d1", f"{service}-1", **place, repository=repository),
        deploy(120, f"{service}-d2", f"{service}-2", **place, repository=repository),
        roll_back(122, f"{service}-d3", to=f"{service}-d1", **place),
        incident(121, 125, f"{service}-i1", **place),
        incident(200, None, f"{service}-i2", **place),
    )
    for name in ("d1", "d2"):
        await tables.event(f"{service}-{name}")
        await tables.cdevent(
            f"{service}-c-{name}", f"{service}-{name}", told_of(service, f"{service}-{name}")
        )
    await tables.connection.execute("TRUNCATE deployment_frequency")
    await tables.keep_frequency()


async def others(tables, sink) -> None:
    """Everything that must not be seen: other teams', nobody's, and what is partly theirs."""
    await life_of(tables, sink, "pay", "acme/pay")
    await life_of(tables, sink, "pay-ledger", "acme/ledger", "their-environment")
    await life_of(tables, sink, "orphan", "acme/orphan")
    await tell(sink, incident(1, 2, "of-nobody", service=None))
    await tables.event("half-theirs")
    await tables.cdevent("half-ours", "half-theirs", told_of("shop"))
    await tables.cdevent("their-half", "half-theirs", told_of("pay"))
    await tables.event("half-nobodys")
    await tables.cdevent("half-ours-2", "half-nobodys", told_of("shop"))
    await tables.cdevent("nobodys-half", "half-nobodys", {})
    for fate in ("unmapped", "ignored", "dead"):
        await tables.event(f"became-nothing-{fate}", fate=fate, reason="because of their-environment")
    await tables.deadletter(source="/cluster", id="shop-d1", reason="conflict: pay sent it, too")
    await tables.deadletter(source="/cluster", id="pay-d1")


QUESTIONS = [
    "/",
    *(f"/deploy-frequency/{bucket}" for bucket in ("day", "week", "month", "year")),
    "/deploy-frequency/day?timezone=Asia/Tokyo",
    "/v1/metrics",
    "/v1/score",
    f"/v1/score?{WINDOW}",
    *(f"/v1/metrics/{name}" for name in METRICS),
    *(f"/v1/metrics/{name}?{WINDOW}&bucket=week" for name in METRICS),
    *(f"/v1/metrics/{name}?{WINDOW}&bucket=week&timezone=Asia/Tokyo" for name in METRICS),
    *(f"/v1/metrics/{name}?{WINDOW}&environment=production&service=shop" for name in METRICS),
    *(f"/v1/metrics/{name}?{WINDOW}&environment=their-environment" for name in METRICS),
    *(f"/v1/metrics/{name}?{WINDOW}&team=storefront" for name in METRICS),
    *(
        f"/v1/metrics/{name}?{WINDOW}&bucket=week&by={each}"
        for name in METRICS
        for each in ("service", "team")
    ),
    *(f"/v1/metrics/{name}?{WINDOW}&bucket=week&compare=previous" for name in METRICS),
    *(f"/v1/metrics/{METRICS[1]}?{WINDOW}&by=service&format={kind}" for kind in ("csv", "openmetrics")),
    *(f"/v1/{name}" for name in LISTS),
    *(f"/v1/{name}?limit=1" for name in LISTS),
    "/v1/changes?deployed=true",
    "/v1/changes?deployed=true&measured=change-lead-time",
    "/v1/changes?repository=acme/shop",
    "/v1/deployments?counted=true&failed=true",
    "/v1/incidents?open=true",
    *(f"/v1/events?fate={fate}" for fate in ("mapped", "unmapped", "ignored", "dead")),
    "/v1/events?source=/cluster&id=shop-d1",
    "/v1/events?source=/cluster&id=shop-c-d1",
    "/v1/events?source=/cluster&id=half-theirs",
    "/v1/events?source=/cluster&id=half-ours",
    "/v1/events?source=/cluster&id=half-nobodys",
    "/v1/events?source=/cluster&id=became-nothing-unmapped",
    "/v1/events?source=/cluster&id=pay-c-d1",
    "/v1/events?source=/cluster&id=tells-of-theirs",
    *(f"/v1/deadletters/{number}" for number in (1, 2)),
]


def told(answer: httpx.Response) -> tuple[int, str]:
    """An answer without the id of its request."""
    text = answer.text
    if answer.status_code >= 400:
        text = text.replace(answer.json()["trace_id"], "TRACE")
    assert answer.status_code < 500, text
    return answer.status_code, text


async def asked(api, questions) -> dict[str, list[tuple[int, str]]]:
    """The answers, and those of the pages behind them."""
    answers = {}
    for question in questions:
        following, pages = question, []
        while following:
            answer = await api.get(following)
            pages.append(told(answer))
            body = answer.json() if answer.headers["content-type"] == "application/json" else None
            following = body.get("next") if isinstance(body, dict) else None
        answers[question] = pages
    return answers


def test_every_route_is_asked():
    app = create_app(Settings(postgres="postgresql://127.0.0.1:1/none"), Catalog.empty())
    # What goes on without end is asked in tests/query/test_stream.py.
    paths = {path for path in app.openapi()["paths"] if path not in OPEN | ENDLESS}
    places = {
        "/deploy-frequency/day": "/deploy-frequency/{bucket}",
        "/v1/deadletters/1": "/v1/deadletters/{deadletter_id}",
    }
    questions = {question.partition("?")[0] for question in QUESTIONS}
    assert {places.get(question, question) for question in questions} >= paths


async def test_q3_nothing_that_others_do_changes_an_answer(keyed, everybody, tables, sink):
    await life_of(tables, sink, "shop", "acme/shop")
    await life_of(tables, sink, "shop-search", "acme/search")
    await tables.event("tells-of-theirs")
    await tables.cdevent("tells", "tells-of-theirs", told_of("shop", "pay-d1"))
    before, open_before = await asked(keyed, QUESTIONS), await asked(everybody, QUESTIONS)
    await others(tables, sink)
    after, open_after = await asked(keyed, QUESTIONS), await asked(everybody, QUESTIONS)
    for question in QUESTIONS:
        assert after[question] == before[question], question
    # The test could see it: to somebody who sees everything, these answers are others now.
    same = {question for question in QUESTIONS if open_after[question] == open_before[question]}
    assert same <= {
        "/v1/metrics",
        "/v1/changes?repository=acme/shop",
        "/v1/events?source=/cluster&id=shop-c-d1",
        *(question for question in QUESTIONS if "service=shop" in question or "team=storefront" in question),
    }
    # And somebody who sees nothing but this still sees all of it.
    assert [status for status, _ in before["/v1/events?source=/cluster&id=shop-d1"]] == [200]
    assert len(before["/v1/services?limit=1"]) == 2
    assert '"sample_count":4' in before[f"/v1/metrics/deployment-frequency?{WINDOW}&bucket=week"][0][1]
    assert '"id":"shop-d2"' in before["/v1/events"][0][1]


PROBES = [
    f"/v1/score?{WINDOW}&service={{}}",
    f"/v1/score?{WINDOW}&team={{}}",
    "/deploy-frequency/week?service={}",
    "/deploy-frequency/week?service={}&timezone=Asia/Tokyo",
    *(f"/v1/metrics/{name}?{WINDOW}&bucket=week&service={{}}" for name in METRICS),
    *(f"/v1/metrics/{name}?{WINDOW}&bucket=week&team={{}}" for name in METRICS),
    "/v1/metrics/change-failure-rate?service={0}&team={0}",
    "/v1/metrics/change-failure-rate?service={}&team=storefront",
    "/v1/metrics/change-failure-rate?service=shop&team={}",
    *(f"/v1/{name}?service={{}}" for name in ("deployments", "changes", "incidents")),
    *(f"/v1/{name}?team={{}}" for name in ("services", "deployments", "changes", "incidents")),
    *(f"/v1/{name}?service={{}}&limit=1" for name in ("deployments", "changes", "incidents")),
    "/v1/changes?deployed=true&service={}",
    "/v1/events?source=/cluster&id={}-d1",
    "/v1/events?source=/cluster&id={}-c-d1",
]


async def test_q3_what_others_have_is_answered_like_what_nobody_has(keyed, tables, sink):
    await life_of(tables, sink, "shop", "acme/shop")
    await others(tables, sink)
    for probe in PROBES:
        for name in ("pay", "orphan"):
            theirs = told(await keyed.get(probe.format(name)))
            nobodys = told(await keyed.get(probe.format("ghost")))
            assert (theirs[0], theirs[1].replace(name, "ghost")) == nobodys, probe
        theirs = told(await keyed.get(probe.format("payments")))
        assert (theirs[0], theirs[1].replace("payments", "ghost")) == nobodys, probe
    pair = "/v1/metrics/change-failure-rate?service={}&team={}"
    theirs, nobodys = [
        told(await keyed.get(pair.format(*each))) for each in (("pay", "payments"), ("gho", "st"))
    ]
    assert theirs[0] == nobodys[0] == 422
    assert theirs[1].replace("payments", "st").replace("pay", "gho") == nobodys[1]
    for number in (1, 2, 999):
        answer = told(await keyed.get(f"/v1/deadletters/{number}"))
        missing = told(await keyed.get("/v1/deadletters/777"))
        assert answer == (404, missing[1].replace("letter 777;", f"letter {number};"))


async def test_a_page_of_few_events_among_many_leads_on(keyed, tables, sink, monkeypatch):
    monkeypatch.setattr("query.routes.events.LOOKED_THROUGH", 10)
    ours = []
    for number in range(60):
        service = "shop" if number % 17 == 0 else "pay"
        await tables.event(f"e{number}")
        await tables.cdevent(f"c{number}", f"e{number}", told_of(service))
        ours += [f"e{number}"] if service == "shop" else []
    for limit in (1, 2, 100):
        found, following, pages = [], f"/v1/events?limit={limit}", 0
        while following:
            page = (await keyed.get(following)).json()
            found += [item["id"] for item in page["items"]]
            following, pages = page["next"], pages + 1
        assert found == list(reversed(ours))
        assert pages >= 6
    assert (await keyed.get(f"/v1/events?cursor={'A' * 20}")).status_code == 422


async def test_a_cdevent_without_a_service_belongs_to_that_of_its_deployment(keyed, tables):
    """A native CDEvent names no service in customData; the deployment that it decided has one."""
    for name, service in (("ours", "shop"), ("theirs", "pay")):
        await tables.deployment(service, "2026-06-03T10:00:00+00:00", cd_id=name)
        await tables.event(name)
        await tables.cdevent(name, name, {"context": {}})
    assert (await keyed.get("/v1/events?source=/cluster&id=ours")).status_code == 200
    assert (await keyed.get("/v1/events?source=/cluster&id=theirs")).status_code == 404
    assert [item["id"] for item in (await keyed.get("/v1/events")).json()["items"]] == ["ours"]


async def test_the_claim_of_a_token_says_whose_services_are_seen(database, catalog, tables):
    for service in ("shop", "pay", "orphan"):
        await tables.deployment(service, "2026-06-03T10:00:00+00:00")
    await tables.keep_frequency()
    settings = {
        "query_oidc_audience": AUDIENCE,
        "query_oidc_teams_claim": "groups",
        "query_oidc_all_teams": "platform",
    }
    async with answering() as issuer:
        app = create_app(
            Settings(postgres=database, query_auth="oidc", query_oidc_issuer=issuer.url, **settings), catalog
        )
        async with client_of(app) as api:
            for groups, seen in (
                (["storefront"], ["shop"]),
                ("payments", ["pay"]),
                (["storefront", "payments", "others"], ["pay", "shop"]),
                (["nobodys"], []),
                (["storefront", "platform"], ["orphan", "pay", "shop"]),
            ):
                headers = {"Authorization": f"Bearer {issuer.token(groups=groups)}"}
                items = (await api.get("/v1/services", headers=headers)).json()["items"]
                assert [item["service"] for item in items] == seen
