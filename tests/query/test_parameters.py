"""What is refused, by name, before PostgreSQL is asked: the application of these tests has none."""

import pytest

from schemas.problems import MEDIA_TYPE

LISTS = ["/v1/services", "/v1/deployments", "/v1/events", "/v1/deadletters"]
ROUTES = [*LISTS, "/deploy-frequency/day", "/v1/metrics/deployment-frequency"]
METRIC = "/v1/metrics/deployment-frequency"


def refused(answer) -> dict[str, str]:
    """The reasons of a refusal by parameter."""
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    problem = answer.json()
    assert problem["status"] == 422
    assert problem["type"] == "urn:dora:problem:invalid-parameter"
    reasons = {error["parameter"]: error["reason"] for error in problem["errors"]}
    assert all(name in problem["detail"] for name in reasons)
    return reasons


@pytest.mark.parametrize("route", [*ROUTES, "/v1/metrics", "/v1/deadletters/1"])
async def test_q2_an_unknown_parameter_is_named(offline, route):
    assert refused(await offline.get(f"{route}?nonsense=1")).keys() == {"nonsense"}


async def test_a_misspelt_parameter_gets_advice(offline):
    assert "did you mean service?" in refused(await offline.get("/v1/deployments?servce=shop"))["servce"]
    assert "known here: service" in refused(await offline.get(f"{METRIC}?x=1"))["x"].replace("from, to, ", "")


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", ["limit", "service", "from", "timezone", "cursor", "source"])
async def test_q2_a_repeated_parameter_is_named(offline, route, name):
    assert refused(await offline.get(f"{route}?{name}=1&{name}=1"))[name]


async def test_only_environment_may_be_repeated(offline):
    answer = await offline.get("/v1/deployments?environment=a&environment=b")
    assert answer.status_code == 503  # it got as far as asking PostgreSQL
    reasons = refused(await offline.get("/v1/deployments?environment=a&environment=a"))
    assert "twice" in reasons["environment"]
    many = "&".join(f"environment=e{number}" for number in range(101))
    assert "environment" in refused(await offline.get(f"/v1/deployments?{many}"))


@pytest.mark.parametrize("bad", ["%00", "a%00b", "%0A", "a%0d%0ab", "%7f", "%C2%85", "%1b[31m"])
@pytest.mark.parametrize(
    ("route", "name"),
    [
        ("/deploy-frequency/day", "service"),
        ("/deploy-frequency/day", "environment"),
        ("/deploy-frequency/day", "timezone"),
        ("/deploy-frequency/day", "from"),
        (METRIC, "team"),
        (METRIC, "bucket"),
        ("/v1/deployments", "cursor"),
        ("/v1/deployments", "limit"),
        ("/v1/deployments", "kind"),
        ("/v1/deadletters", "stage"),
        ("/v1/events", "type"),
    ],
)
async def test_q1_control_characters_are_refused(offline, route, name, bad):
    assert refused(await offline.get(f"{route}?{name}={bad}")).keys() == {name}


async def test_control_characters_are_refused_in_source_and_id(offline):
    assert refused(await offline.get("/v1/events?source=a%00&id=b%0A")).keys() == {"source", "id"}


async def test_control_characters_in_a_name_are_not_repeated(offline):
    answer = await offline.get("/v1/events?a%0Ab=1")
    assert refused(answer).keys() == {"a?b"}
    assert b"\\n" not in answer.content


@pytest.mark.parametrize("query", ["service=%ff", "service=%ed%a0%80", "%ff=1", "service=%C3"])
async def test_what_is_not_utf8_is_refused(offline, query):
    assert refused(await offline.get(f"/v1/deployments?{query}")).keys() == {"query"}


@pytest.mark.parametrize("route", LISTS)
async def test_an_empty_parameter_is_refused(offline, route):
    assert "leave it out" in refused(await offline.get(f"{route}?limit="))["limit"]
    assert "leave it out" in refused(await offline.get(f"{route}?limit"))["limit"]


@pytest.mark.parametrize(
    "time",
    [
        "2026-01-01T00:00:00",
        "2026-01-01",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00+02:00",  # a plus that was not encoded arrives as a space
        "2026-01-01T00:00:00%2B0200",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "1767225600",
        "now",
        "0001-01-01T00:00:00%2B23:59",
        "9999-12-31T23:59:59-23:59",
        "\uff12\uff10\uff12\uff16-01-01T00:00:00Z",
    ],
)
@pytest.mark.parametrize("route", ["/deploy-frequency/day", METRIC, "/v1/deployments"])
@pytest.mark.parametrize("name", ["from", "to"])
async def test_q2_a_time_that_names_no_instant_is_refused(offline, route, name, time):
    assert "2026-01-31T00:00:00Z" in refused(await offline.get(f"{route}?{name}={time}"))[name]


@pytest.mark.parametrize("route", ["/deploy-frequency/day", METRIC, "/v1/deployments"])
@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T02:00:00%2B02:00"),
    ],
)
async def test_q2_from_must_come_before_to(offline, route, start, end):
    assert refused(await offline.get(f"{route}?from={start}&to={end}")).keys() == {"from", "to"}


@pytest.mark.parametrize(
    "limit",
    ["0", "-1", "501", "1000000000", "1.5", "1e2", "abc", "+1", "1_0", "٣", "%201", "0x10", "9" * 5000],
)
@pytest.mark.parametrize("route", LISTS)
async def test_q2_a_limit_out_of_range_is_refused(offline, route, limit):
    assert refused(await offline.get(f"{route}?limit={limit}")).keys() == {"limit"}


@pytest.mark.parametrize("cursor", ["x", "not*base64", "AAAA", "A" * 9000, "'; DROP TABLE deployments; --"])
@pytest.mark.parametrize("route", LISTS)
async def test_q8_a_cursor_that_we_did_not_make_is_refused(offline, route, cursor):
    assert refused(await offline.get(route, params={"cursor": cursor})).keys() == {"cursor"}


@pytest.mark.parametrize(
    "zone", ["Mars", "europe/berlin", "../etc/passwd", "localtime", "Europe", "x" * 65, "%2B02:00"]
)
@pytest.mark.parametrize("route", ["/deploy-frequency/week", METRIC])
async def test_an_unknown_zone_is_refused(offline, route, zone):
    assert refused(await offline.get(f"{route}?timezone={zone}")).keys() == {"timezone"}


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (f"{METRIC}?bucket=hour", "bucket"),
        (f"{METRIC}?bucket=DAY", "bucket"),
        ("/v1/deployments?counted=yes", "counted"),
        ("/v1/deployments?counted=1", "counted"),
        ("/v1/deployments?kind=rollback", "kind"),
        ("/v1/deployments?outcome=ok", "outcome"),
        ("/v1/deadletters?state=closed", "state"),
        ("/v1/events?fate=lost", "fate"),
    ],
)
async def test_a_value_that_there_is_not_is_refused(offline, query, name):
    assert refused(await offline.get(query)).keys() == {name}


@pytest.mark.parametrize("name", ["service", "team", "environment"])
async def test_q2_long_values_are_refused(offline, name):
    assert refused(await offline.get(METRIC, params={name: "x" * 1025})).keys() == {name}
    assert refused(await offline.get(METRIC, params={name: "x" * 20_000})).keys() == {"query"}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("source=/cluster", {"id"}),
        ("id=1", {"source"}),
        ("source=/cluster&id=1&fate=mapped", {"fate"}),
        ("source=/cluster&id=1&limit=5&type=x", {"limit", "type"}),
    ],
)
async def test_events_take_source_and_id_or_filters(offline, query, names):
    assert refused(await offline.get(f"/v1/events?{query}")).keys() == names


@pytest.mark.parametrize("number", ["0", "-1", "abc", "1.5", "9223372036854775808", "%00"])
async def test_the_number_of_a_dead_letter_is_a_number(offline, number):
    assert refused(await offline.get(f"/v1/deadletters/{number}")).keys() == {"deadletter_id"}


async def test_everything_wrong_is_told_at_once(offline):
    reasons = refused(await offline.get("/v1/deployments?limit=0&kind=x&from=now"))
    assert reasons.keys() == {"limit", "kind", "from"}
    reasons = refused(await offline.get("/v1/deployments?a=1&service=&team=x&team=y"))
    assert reasons.keys() == {"a", "service", "team"}
