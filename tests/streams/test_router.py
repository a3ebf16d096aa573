"""Routing: the upstream's routes map, the sources that claim types, and one fate of several answers."""

import copy
from typing import Any

import pytest
import yaml

from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent, Draft, derive_id
from schemas.cloudevents.event import CloudEvent
from streams.outcome import Ignored, Mapped, Observed, Outcome, Unmapped
from streams.router import Fate, InvalidRoutes, Routes, combine, decide, read_routes
from streams.source import Source
from streams.sources import find_sources

# The upstream's ConfigMap, key ce-routes.yaml.
UPSTREAM = """
routes:
  "dev.knative.apiserver.resource.add": [
    http://api-server-to-service-deployment-function.dora-cloudevents.svc.cluster.local,
    http://sockeye.default.svc.cluster.local]
  "dev.knative.github.pr.new": [http://sockeye.default.svc.cluster.local]
"""
FUNCTION = "http://api-server-to-service-deployment-function.dora-cloudevents.svc.cluster.local"
SOCKEYE = "http://sockeye.default.svc.cluster.local"


def draft(name: str = "build.finished.0.3.0", **fields: Any) -> Draft:
    return Draft(
        type=f"dev.cdevents.{name}",
        source="/ci",
        subject_id="run-1",
        timestamp="2026-03-05T10:00:00Z",
        **fields,
    )


def source_that(answers: Outcome, name: str = "one", prefix: str = "com.example.") -> Source:
    source = Source(name, prefixes=(prefix,))
    source.on("*")(lambda *_: answers)
    return source


def routes(*sources: Source, mapping: dict[str, list[str]] | None = None) -> Routes:
    return Routes({source.name: source for source in sources}, mapping)


def event(event_type: str = "com.example.built", event_id: str = "1") -> CloudEvent:
    return CloudEvent({"specversion": "1.0", "id": event_id, "source": "/s", "type": event_type}, b"{}")


def decided(table: Routes, event_type: str = "com.example.built") -> Any:
    return decide(event(event_type), table, Catalog.empty())


def test_the_routes_map_of_the_upstream_is_taken_as_it_is():
    table = Routes(find_sources(), read_routes(yaml.safe_load(UPSTREAM)))
    assert table.targets("dev.knative.apiserver.resource.add") == (FUNCTION, SOCKEYE)
    assert table.targets("dev.knative.github.pr.new") == (SOCKEYE,)


def test_types_that_the_map_does_not_list_go_to_the_source_that_claims_them():
    table = Routes(find_sources(), read_routes(yaml.safe_load(UPSTREAM)))
    assert table.targets("dev.knative.apiserver.resource.update") == ("kubernetes",)
    assert table.targets("dev.cdevents.service.deployed.0.3.0") == ("cdevents",)
    assert table.targets("dev.knative.github.pr.newer") == ()


def test_the_mapping_may_stand_without_the_key_routes():
    assert read_routes({"a": ["cdevents"]}) == {"a": ["cdevents"]}


def test_an_exact_type_goes_before_a_prefix_and_a_long_prefix_before_a_short_one():
    one, two, three = (source_that(Ignored("x"), name) for name in ("one", "two", "three"))
    table = routes(one, two, three, mapping={"com.*": ["one"], "com.a.*": ["two"], "com.a.b": ["three"]})
    assert table.targets("com.a.b") == ("three",)
    assert table.targets("com.a.bc") == ("two",)
    assert table.targets("com.z") == ("one",)
    assert table.targets("org.z") == ()


def test_a_star_takes_every_type():
    one = source_that(Ignored("x"))
    assert routes(one, mapping={"*": ["one"]}).targets("anything.at.all") == ("one",)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (None, "expected a mapping"),
        ([], "expected a mapping"),
        ({"routes": None}, "expected a mapping"),
        ({"t": "cdevents"}, "t: expected a list"),
        ({"t": [1]}, "t: expected a list"),
        ({"t": None}, "t: expected a list"),
        ({1: ["cdevents"]}, "1: expected a list"),
    ],
)
def test_what_is_no_routes_map_is_refused_with_the_place(document, said):
    with pytest.raises(InvalidRoutes, match=said):
        read_routes(document)


def test_an_unknown_transformer_is_refused_with_the_names_there_are():
    with pytest.raises(InvalidRoutes, match=r"t: no transformer 'kubernets'; there are: .*\bkubernetes\b"):
        Routes(find_sources(), {"t": ["kubernets"]})


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "https://:80/",
        "http://a b/",
        "http://h/a b",
        "http://[::1",
        "http://h:port/",
        "http://h\n/",
    ],
)
def test_a_url_that_cannot_be_called_is_refused_at_the_start(url):
    """At the first event it would be every event's fault."""
    with pytest.raises(InvalidRoutes, match="t: not an http"):
        Routes({}, {"t": [url]})


@pytest.mark.parametrize(
    "url",
    ["http://h", "https://h:8443/a/b?c=d", "http://[::1]:80/", "http://user:word@h/", "http://10.0.0.1:8080"],
)
def test_a_url_that_can_be_called_is_a_target(url):
    assert Routes({}, {"t": [url]}).targets("t") == (url,)


def test_an_event_of_no_target_is_unmapped_and_named():
    decision = decided(routes(), "com.example.built")
    assert decision.fate == Fate("unmapped", "no transformer is routed for type 'com.example.built'")
    assert decided(routes(mapping={"com.example.built": []})).fate == decision.fate


@pytest.mark.parametrize(
    ("outcome", "fate"),
    [
        (Ignored("queued only"), Fate("ignored", "queued only", "one")),
        (Unmapped("no field 'x'"), Fate("unmapped", "no field 'x'", "one")),
    ],
)
def test_a_reason_is_kept_with_the_transformer_that_gave_it(outcome, fate):
    assert decided(routes(source_that(outcome))).fate == fate


def test_a_reason_that_no_column_could_hold_is_made_to_fit():
    """Reasons may quote what others chose: names of fields, types."""
    fate = decided(routes(source_that(Unmapped("no field '\0" + "x" * 5000)))).fate
    assert fate.reason.startswith("no field '")
    assert "\0" not in fate.reason
    assert len(fate.reason) <= 1000


def test_a_mapped_event_gets_cdevents_with_ids_that_every_replay_repeats():
    table = routes(source_that(Mapped(draft(), draft("build.queued.0.3.0"))))
    first, second = decided(table).fate.cdevents
    assert (first.id, second.id) == tuple(derive_id("one", "/s", "1", str(n)) for n in (0, 1))
    assert (first.cause, first.rule) == (("/s", "1"), "one")
    assert decided(table) == decided(table)


def test_the_same_fact_under_another_event_id_has_the_same_id():
    table = routes(source_that(Mapped(draft(fact="uid:3"))))
    ids = {decide(event(event_id=name), table, Catalog.empty()).fate.cdevents[0].id for name in ("1", "2")}
    assert ids == {derive_id("one", "uid:3", "dev.cdevents.build.finished")}


def test_an_invalid_cdevent_of_ours_is_a_dead_letter_and_not_published():
    fate = decided(routes(source_that(Mapped(draft("service.deployed.0.3.0"))))).fate
    assert (fate.fate, fate.cdevents) == ("dead", ())
    assert fate.reason.startswith("transformer one made an invalid CDEvent: ")


def test_several_targets_each_get_the_event():
    mapped = source_that(Mapped(draft()), "one")
    ignored = source_that(Ignored("not mine"), "two")
    table = routes(mapped, ignored, mapping={"com.example.built": ["two", "one", "http://viewer"]})
    decision = decided(table)
    assert decision.functions == ("http://viewer",)
    assert decision.settler == "transform"
    assert (decision.fate.fate, decision.fate.reason, decision.fate.rule) == (
        "mapped",
        "not mine",
        "two, one",
    )
    assert len(decision.fate.cdevents) == 1


def test_what_only_functions_get_is_settled_by_their_answers():
    decision = decided(routes(mapping={"com.example.built": ["http://a", "http://b"]}))
    assert (decision.fate, decision.functions, decision.settler) == (None, ("http://a", "http://b"), "call")


def test_an_observation_is_settled_by_the_fold():
    table = routes(
        source_that(Observed("uid", {}), "one"), mapping={"com.example.built": ["one", "http://viewer"]}
    )
    decision = decided(table)
    assert (decision.fate, decision.observations, decision.settler) == (None, (("uid", "one"),), "observe")
    assert decision.functions == ("http://viewer",)


FATES = {
    name: Fate(name, None if name == "mapped" else f"is {name}", name)
    for name in ("mapped", "dead", "unmapped", "ignored")
}


@pytest.mark.parametrize(
    ("answers", "fate", "reason"),
    [
        (["ignored", "mapped"], "mapped", "is ignored"),
        (["dead", "mapped"], "mapped", "is dead"),
        (["ignored", "dead", "unmapped"], "dead", "is ignored; is dead; is unmapped"),
        (["ignored", "unmapped"], "unmapped", "is ignored; is unmapped"),
        (["ignored", "ignored"], "ignored", "is ignored; is ignored"),
    ],
)
def test_the_best_of_several_answers_is_the_fate_and_every_reason_is_kept(answers, fate, reason):
    found = combine([FATES[name] for name in answers])
    assert (found.fate, found.reason, found.rule) == (fate, reason, ", ".join(answers))


def test_the_cdevents_of_every_answer_are_kept():
    made = [CDEvent({"context": {"id": name}}, ("/s", "1"), "r") for name in ("a", "b")]
    found = combine([Fate("mapped", None, "r", (made[0],)), Fate("mapped", None, "r", (made[1],))])
    assert [each.id for each in found.cdevents] == ["a", "b"]


def test_deciding_changes_neither_the_event_nor_the_routes():
    table = routes(source_that(Mapped(draft(content={"a": {}}))))
    before = copy.deepcopy(event().attributes)
    given = event()
    decide(given, table, Catalog.empty())
    assert given.attributes == before
