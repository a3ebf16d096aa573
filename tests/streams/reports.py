"""Generated reports: several tellings of a few deployments, with ties in everything that ranks."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from streams.facts import Deployment

# Instants around which calendars are difficult: both changes of the clock in Berlin, a clock put back over
# midnight in St. John's and in Goose Bay, a day that Apia skipped, the ends of a year and of a leap February.
CORNERS = (
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    datetime(2026, 10, 25, 1, 0, tzinfo=UTC),
    datetime(2010, 11, 7, 2, 31, tzinfo=UTC),
    datetime(2010, 11, 7, 3, 1, tzinfo=UTC),
    datetime(2011, 12, 30, 10, 0, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2024, 2, 29, 12, 0, tzinfo=UTC),
)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "America/Goose_Bay",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Etc/GMT-14",
    "Etc/GMT+12",
)
KINDS = {
    "deployed": ("success", True),
    "upgraded": ("success", True),
    "rolledback": ("success", False),
    "failed": ("failure", False),
    "withdrawn": ("withdrawn", False),
}

near_corners = st.builds(
    lambda corner, minutes, microseconds: corner + timedelta(minutes=minutes, microseconds=microseconds),
    st.sampled_from(CORNERS),
    st.integers(-3000, 3000),
    st.integers(-1, 1),
)
anywhere = st.datetimes(datetime(1971, 1, 1), datetime(2400, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
instants = st.one_of(st.sampled_from(CORNERS), near_corners, anywhere)


def report(
    deploy_id: str,
    at: datetime,
    *,
    evidence: int = 0,
    cd_id: str = "1",
    cd_source: str = "/ci",
    kind: str = "deployed",
    counts: bool = True,
    service: str = "checkout",
    environment: str = "production",
    artifact: str | None = None,
) -> Deployment:
    """One report; ``counts`` false: the catalog counts another channel."""
    outcome, counted = KINDS[kind]
    return Deployment(
        deploy_id=deploy_id,
        time_created=at,
        deploy_name=service,
        service=service,
        environment=environment,
        repository=None,
        commit=None,
        artifact=artifact,
        channel="test",
        kind=kind,
        outcome=outcome,
        counted=counted and counts,
        counted_reason="because",
        basis=None,
        evidence=evidence,
        decided_at=at,
        cd_source=cd_source,
        cd_id=cd_id,
    )


def identity(one: Deployment) -> tuple[object, ...]:
    """Two reports that agree in this are the same report: an id names one payload."""
    return (one.deploy_id, one.evidence, one.decided_at, one.cd_source, one.cd_id)


single = st.builds(
    report,
    deploy_id=st.sampled_from(["a", "b", "c", "d"]),
    at=instants,
    evidence=st.integers(0, 2),
    cd_id=st.sampled_from(["1", "2", "10", "é", "\U0001f600", "\ufb01"]),
    cd_source=st.sampled_from(["/ci", "/Ci", "/ci/2"]),
    kind=st.sampled_from(sorted(KINDS)),
    counts=st.booleans(),
    service=st.sampled_from(["checkout", "payment"]),
    environment=st.sampled_from(["production", "staging"]),
    artifact=st.sampled_from([None, "pkg:oci/a@1", "pkg:oci/a@2"]),
)
# Every report once; the tests repeat and shuffle by themselves.
histories = st.lists(single, max_size=14, unique_by=identity)
of_one_deployment = st.lists(
    single.map(lambda each: _renamed(each, "a")), min_size=1, max_size=6, unique_by=identity
)


def _renamed(one: Deployment, deploy_id: str) -> Deployment:
    from dataclasses import replace

    return replace(one, deploy_id=deploy_id)
