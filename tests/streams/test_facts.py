"""Facts: what one CDEvent reports, and how several reports of one deployment merge."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.calendar import bucket_of
from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent, derive_id
from streams.facts import FIRST_YEAR, LAST_YEAR, Deployment, deployment_of, merge, merge_all, partition_key
from streams.tally import COUNTING
from tests.streams.reports import histories, of_one_deployment, report

CATALOG = Catalog.parse(
    """
services:
  checkout:
    workloads: [checkout-eu, checkout-us]
    deployments_from: kubernetes
environments:
  production: [prod, live]
"""
)


FIRST = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
LAST = datetime(LAST_YEAR, 12, 31, 23, 59, 59, tzinfo=UTC)


def cdevent(kind: str = "service.deployed.0.3.0", **dora: Any) -> CDEvent:
    document: dict[str, Any] = {
        "context": {
            "specversion": "0.5.1",
            "id": "e1",
            "source": "/ci",
            "type": f"dev.cdevents.{kind}" if "." in kind and not kind.startswith("dev.") else kind,
            "timestamp": "2026-03-05T10:00:00.5+01:00",
        },
        "subject": {
            "id": "checkout-eu",
            "content": {"environment": {"id": "prod"}, "artifactId": "pkg:oci/c@1"},
        },
    }
    if dora:
        document["customData"] = {"dora": dora}
    return CDEvent(document, ("/ci", "e1"))


def deployment(
    kind: str = "service.deployed.0.3.0", catalog: Catalog | None = None, **dora: Any
) -> Deployment:
    found = deployment_of(cdevent(kind, **dora), catalog or Catalog.empty())
    assert found is not None
    return found


def test_a_native_event_is_placed_by_what_the_standard_says():
    found = deployment()
    assert found == Deployment(
        deploy_id=derive_id("/ci", "e1"),
        time_created=datetime(2026, 3, 5, 9, 0, 0, 500_000, tzinfo=UTC),
        deploy_name="checkout-eu",
        service="checkout-eu",
        environment="prod",
        repository=None,
        commit=None,
        artifact="pkg:oci/c@1",
        channel="cdevents",
        kind="deployed",
        outcome="success",
        counted=True,
        counted_reason="a successful rollout told by cdevents",
        basis=None,
        evidence=0,
        decided_at=datetime(2026, 3, 5, 9, 0, 0, 500_000, tzinfo=UTC),
        cd_source="/ci",
        cd_id="e1",
    )


def test_what_customdata_says_goes_before_the_catalog_and_the_catalog_before_the_names():
    told = {"deploy_id": "d", "service": "s", "environment": "e", "repository": "r", "commit": "c"}
    found = deployment(
        catalog=CATALOG, **told, artifact="a", channel="kubernetes", basis="object", evidence=7
    )
    assert (found.deploy_id, found.service, found.environment) == ("d", "s", "e")
    assert (found.repository, found.commit, found.artifact) == ("r", "c", "a")
    assert (found.channel, found.basis, found.evidence) == ("kubernetes", "object", 7)
    native = deployment(catalog=CATALOG)
    assert (native.service, native.environment) == ("checkout", "production")


@pytest.mark.parametrize(
    ("kind", "outcome", "counted", "why"),
    [
        ("service.deployed.0.3.0", "success", True, "a successful rollout told by cdevents"),
        ("service.upgraded.0.3.0", "success", True, "a successful rollout told by cdevents"),
        ("service.rolledback.0.3.0", "success", False, "a rollback is not a deployment"),
        ("dev.cdeventsx.dora-deployment.failed.0.1.0", "failure", False, "the rollout failed"),
        (
            "dev.cdeventsx.dora-deployment.withdrawn.0.1.0",
            "withdrawn",
            False,
            "it turned out not to be a deployment",
        ),
    ],
)
def test_only_what_succeeded_counts(kind, outcome, counted, why):
    found = deployment(kind)
    assert (found.outcome, found.counted, found.counted_reason) == (outcome, counted, why)


def test_only_the_channel_that_the_catalog_names_counts():
    found = deployment(catalog=CATALOG, service="checkout", channel="github")
    assert (found.counted, found.counted_reason) == (
        False,
        "the catalog counts deployments from kubernetes, not from github",
    )
    assert deployment(catalog=CATALOG, service="checkout", channel="kubernetes").counted
    assert deployment(catalog=CATALOG, service="other", channel="github").counted


def test_a_withdrawal_says_why_in_the_words_of_its_source():
    found = deployment("dev.cdeventsx.dora-deployment.withdrawn.0.1.0", reason="the object decides")
    assert found.counted_reason == "the object decides"


@pytest.mark.parametrize("kind", ["service.removed.0.3.0", "service.published.0.3.0", "build.finished.0.3.0"])
def test_other_events_report_no_deployment(kind):
    assert deployment_of(cdevent(kind), Catalog.empty()) is None


@pytest.mark.parametrize("strange", [True, "9", 1.5, None, {}])
def test_evidence_that_is_no_number_is_none(strange):
    assert deployment(evidence=strange).evidence == 0


@pytest.mark.parametrize("name", ["deploy_id", "service", "environment", "artifact", "channel"])
@pytest.mark.parametrize("nothing", ["", None, 3])
def test_empty_and_null_mean_unknown(name, nothing):
    assert deployment(**{name: nothing, "commit": "c"}) == replace(deployment(), commit="c")


@pytest.mark.parametrize("timestamp", ["9999-12-31T23:00:00Z", "0001-01-01T00:00:00Z", "yesterday"])
def test_a_time_that_no_window_can_hold_is_refused(timestamp):
    """Else the deployment would be a row that no number accounts for."""
    event = cdevent()
    event.document["context"]["timestamp"] = timestamp
    with pytest.raises(ValueError, match=r"time|year"):
        deployment_of(event, Catalog.empty())


@pytest.mark.parametrize("instant", [FIRST, LAST])
def test_every_window_holds_the_first_and_the_last_time_that_is_accepted(instant):
    for name in available_timezones() - {"localtime", "posixrules", "Factory"}:
        for bucket in COUNTING:
            start, end = bucket_of(instant, bucket, ZoneInfo(name))
            assert start.timestamp() <= instant.timestamp() < end.timestamp()


@pytest.mark.parametrize("kind", ["service.deployed.0.3.0", "dev.cdeventsx.dora-deployment.failed.0.1.0"])
@pytest.mark.parametrize("environment", ["prod", "live", "production"])
@pytest.mark.parametrize("workload", ["checkout-eu", "checkout-us", "checkout"])
def test_what_the_catalog_calls_one_service_shares_a_partition(kind, environment, workload):
    """A window of a partition knows only what is in it."""
    event = cdevent(kind)
    event.document["subject"]["id"] = workload
    event.document["subject"]["content"]["environment"]["id"] = environment
    assert partition_key(event, CATALOG) == b"production/checkout"
    assert partition_key(event, Catalog.empty()) == f"{environment}/{workload}".encode()


def test_other_events_are_keyed_by_what_they_say():
    assert partition_key(cdevent("build.finished.0.3.0"), CATALOG) == b"checkout-eu"


@given(of_one_deployment, st.randoms())
@example([report("a", datetime(9000, 1, 1, microsecond=n, tzinfo=UTC), cd_id=str(n)) for n in (1, 2)], None)
def test_merging_is_commutative_associative_and_idempotent(reports, random):
    merged = reduce(merge, reports)
    shuffled = [*reports, *reports]
    if random is not None:
        random.shuffle(shuffled)
    assert reduce(merge, reversed(reports)) == merged
    assert reduce(merge, shuffled) == merged
    assert merge(merged, merged) == merged
    half = len(reports) // 2
    if half:
        assert merge(reduce(merge, reports[:half]), reduce(merge, reports[half:])) == merged


@given(of_one_deployment)
def test_most_evidence_decides_then_the_earliest_and_the_earliest_time_stays(reports):
    merged = reduce(merge, reports)
    best = max(each.evidence for each in reports)
    earliest = min(each.decided_at for each in reports if each.evidence == best)
    assert (merged.evidence, merged.decided_at) == (best, earliest)
    assert merged.time_created == min(each.time_created for each in reports)
    assert replace(merged, time_created=merged.decided_at) in reports


@given(histories)
def test_merge_all_merges_by_deploy_id(reports):
    merged = merge_all(reports)
    assert merged.keys() == {each.deploy_id for each in reports}
    for deploy_id, found in merged.items():
        assert found == reduce(merge, [each for each in reports if each.deploy_id == deploy_id])
