"""Links in PostgreSQL: whatever order facts come in, they end as the links that all facts give together."""

import asyncio
from dataclasses import astuple
from random import Random

import pytest

from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent
from streams.facts import Fact, facts_of
from streams.links import Links, link
from streams.sinks import cdevents
from streams.sinks import links as links_sink
from streams.sinks.database import Database, statement
from streams.sinks.links import relink
from tests.links.telling import (
    ENVIRONMENT,
    SERVICE,
    build,
    deploy,
    flat,
    history_of,
    incident,
    merge,
    push,
    roll_back,
)

pytestmark = pytest.mark.connected

DIGEST = "sha256:" + "1" * 64
STORY = flat(
    [
        push(1, "a", "b"),
        push(2, "f1", "f2", branch="feature"),
        push(4, "s"),
        merge(4, "pull/1", commit="s", head="f2", opened=3),
        push(7, "c", reverts="b"),
        push(9, "d", hotfix=True),
        deploy(3, "d1", "b"),
        deploy(5, "d2", "s", repository=None),
        deploy(6, "staged", "s", environment="staging"),
        build(f"pkg:oci/shop@{DIGEST}?tag=1", "c"),
        deploy(8, "d3", artifact=f"pkg:oci/shop@{DIGEST}?tag=2"),
        deploy(10, "d4", "d"),
        deploy(11, "d5", "d"),
        roll_back(12, "r1", commit="d", to="d4"),
        incident(5.5, 6.5, "i1"),
        incident(8.5, None, "i2", commit="f1", service=None),
        incident(20, 21, "i3", deploy_id="d4"),
    ]
)


async def tell(sink: Database, batches: list[list[CDEvent]], *, in_between: bool) -> None:
    for batch in batches:
        await cdevents.store(sink, [], [fact for each in batch for fact in facts_of(each, Catalog.empty())])
        if in_between:
            await relink(sink, Catalog.empty())
    while await relink(sink, Catalog.empty()) is not None:
        pass


async def stored(sink: Database) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    attributions = await sink.fetch(statement("attributions_of_place"), SERVICE, ENVIRONMENT)
    changes = await sink.fetch(
        "SELECT * FROM deployed_changes WHERE service = $1 AND environment = $2", SERVICE, ENVIRONMENT
    )
    return sorted(map(tuple, attributions), key=repr), sorted(map(tuple, changes), key=repr)


def rows_of(links: Links) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    return sorted(map(astuple, links.attributions), key=repr), sorted(map(astuple, links.changes), key=repr)


EXPECTED = rows_of(link(history_of(STORY)))


def test_the_story_has_something_of_everything():
    links = link(history_of(STORY))
    rules = {each.failure_rule for each in links.attributions}
    assert rules == {None, "link", "rollback", "revert", "hotfix"}
    assert {each.rule for each in links.changes} == {"revision", "push order", "merged change"}
    assert {each.rework_rule for each in links.attributions} >= {"rollback", "hotfix", "revert"}


@pytest.mark.parametrize("seed", range(12))
async def test_any_order_repetition_and_batching_ends_in_the_same_links(database, seed):
    random = Random(seed)
    events = [*STORY, *random.sample(STORY, 8)]
    random.shuffle(events)
    batches = []
    while events:
        size = random.randint(1, 7)
        batches.append(events[:size])
        events = events[size:]
    sink = Database(f"{database}?synchronous_commit=off", 1)
    await tell(sink, batches, in_between=bool(seed % 2))
    found = await stored(sink)
    await sink.close()
    assert found == EXPECTED


async def test_workers_that_store_and_relink_at_the_same_time_end_in_the_same_links(database):
    sinks = [Database(f"{database}?synchronous_commit=off", 1) for _ in range(3)]
    events = [[each] for each in STORY]
    Random(7).shuffle(events)
    await asyncio.gather(*(tell(sink, events[n::3], in_between=True) for n, sink in enumerate(sinks)))
    found = await stored(sinks[0])
    for sink in sinks:
        await sink.close()
    assert found == EXPECTED


async def test_a_relinker_that_is_killed_leaves_the_mark(database, monkeypatch):
    sink = Database(database, 1)
    await cdevents.store(sink, [], [fact for each in STORY for fact in facts_of(each, Catalog.empty())])

    def killed(_: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr("streams.sinks.links.link", killed)
    before = await sink.fetch("SELECT * FROM relinks")
    with pytest.raises(RuntimeError, match="killed"):
        await relink(sink, Catalog.empty())
    assert before == await sink.fetch("SELECT * FROM relinks") != []
    await sink.close()


async def test_a_deployment_that_is_told_elsewhere_leaves_no_links_behind(database):
    sink = Database(database, 1)
    moved = [deploy(3, "d1", "b", evidence=1, environment="staging")]
    await tell(sink, [STORY, moved], in_between=True)
    attributions, changes = await stored(sink)
    assert "d1" not in {row[0] for row in attributions}
    assert {row[5] for row in changes} <= {row[0] for row in attributions}
    rows = await sink.fetch("SELECT environment FROM attributions WHERE deploy_id = 'd1'")
    assert [row["environment"] for row in rows] == ["staging"]


def told_by(*events: CDEvent | list[CDEvent]) -> list[Fact]:
    return [fact for each in flat(events) for fact in facts_of(each, Catalog.empty())]


async def places_marked(sink: Database) -> list[tuple[str, str]]:
    return sorted(tuple(row) for row in await sink.fetch("SELECT service, environment FROM relinks"))


async def test_a_fact_of_a_repository_finds_its_places_and_no_other(database):
    """Also where the repository is known from a commit alone: the deployment does not name it."""
    sink = Database(database, 1)
    await tell(sink, [push(1, "a", "b"), flat([deploy(3, "d1", "b", repository=None)])], in_between=True)
    await tell(
        sink, [flat([deploy(3, "other", "z", repository="acme/else", service="else")])], in_between=True
    )
    assert await places_marked(sink) == []
    await cdevents.store(sink, [], told_by(merge(4, "pull/1", commit="s", head="f2", opened=3)))
    assert await places_marked(sink) == [(SERVICE, ENVIRONMENT)]
    await sink.close()


async def test_a_fact_that_comes_while_a_repository_is_looked_at_for_the_first_time_is_not_missed(
    database, monkeypatch
):
    sink, other = Database(database, 1), Database(database, 1)
    await cdevents.store(sink, [], told_by(push(1, "a", "b"), deploy(3, "d1", "b")))
    reading = links_sink.read_history

    async def read_and_be_overtaken(*given: object) -> object:
        history = await reading(*given)
        late = told_by(merge(2, "pull/1", commit="s", head="f2", opened=1))
        await cdevents.store(other, [], late)
        return history

    monkeypatch.setattr(links_sink, "read_history", read_and_be_overtaken)
    await relink(sink, Catalog.empty())
    assert await places_marked(sink) == [(SERVICE, ENVIRONMENT)]
    await sink.close()
    await other.close()


async def test_what_a_version_without_homes_linked_is_linked_again(database):
    sink = Database(database, 1)
    await tell(sink, [flat([push(1, "a", "b"), deploy(3, "d1", "b")])], in_between=False)
    async with sink.transaction() as connection:
        await connection.execute("UPDATE attributions SET kept_homes = NULL; DELETE FROM homes")
    await tell(sink, [], in_between=False)
    assert [row["repository"] for row in await sink.fetch("SELECT repository FROM homes")] == ["acme/shop"]
    assert await relink(sink, Catalog.empty()) is None
    await sink.close()
    await sink.close()


async def test_the_catalog_divides_a_repository_among_its_services(database):
    catalog = Catalog.parse(
        "services:"
        "\n  shop: {repositories: [{name: acme/shop, paths: [shop]}]}"
        "\n  search: {repositories: [{name: acme/shop, paths: [search]}]}"
    )
    told = flat([push(1, "a", services=["shop"]), push(2, "b", services=["search"]), deploy(3, "d1", "b")])
    sink = Database(database, 1)
    await cdevents.store(sink, [], [fact for each in told for fact in facts_of(each, catalog)])
    while await relink(sink, catalog) is not None:
        pass
    rows = await sink.fetch("SELECT change_id FROM deployed_changes WHERE service = $1", SERVICE)
    assert [row["change_id"] for row in rows] == ["a"]
    await sink.close()
