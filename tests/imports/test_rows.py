"""Rows as reports: columns, words, times, ids; what is left out and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.ci import Job
from deploy.imports.columns import FIELDS, columns_of
from deploy.imports.options import plan_of
from deploy.imports.reports import LeftOut, reports_of
from deploy.imports.tables import BadRow, NoTable, Row, read_table
from deploy.reporting import document_of
from schemas import report
from tests.docs.pages import DOCS

EXPORTS = Path(__file__).parent / "exports"
AT = "2025-03-10T12:00:00Z"
DEPLOYED = {"service": "checkout", "environment": "production", "time": AT}
BROKEN = {"id": "INC-17", "service": "checkout", "environment": "production", "time": AT}
CHANGED = {"repository": "acme/checkout", "time": AT, "commit": "5f2c1c9d"}
START = {"deployment": DEPLOYED, "incident": BROKEN, "change": CHANGED}


def told(kind: str, cells: dict[str, Any], **options: Any) -> Any:
    """The reports of one row, or why there are none."""
    plan = plan_of(kind, **options)
    columns = columns_of(plan, dict.fromkeys(cells, 1))
    match reports_of(Row(2, cells, "text"), columns, plan):
        case BadRow(reason=reason):
            return reason
        case LeftOut(why=why):
            return f"left out: {why}"
        case bodies:
            return [json.loads(body) for body in bodies]


def one(kind: str, cells: dict[str, Any], **options: Any) -> Any:
    found = told(kind, START[kind] | cells, **options)
    return found[0] if isinstance(found, list) else found


def exported(kind: str, name: str, **options: Any) -> list[Any]:
    plan = plan_of(kind, **options)
    with (EXPORTS / name).open(encoding="utf-8", newline="") as lines:
        table = read_table(lines)
        found = []
        for row in table.rows:
            assert isinstance(row, Row)
            columns = columns_of(plan, table.headings or dict.fromkeys(row.cells, 1))
            result = reports_of(row, columns, plan)
            found += [json.loads(each) for each in result] if isinstance(result, list) else [result]
        return found


@pytest.mark.parametrize("kind", START)
def test_a_row_is_the_report_that_the_command_sends(kind: str):
    (body,) = told(kind, START[kind] | {"source": "/sheet", "reason": "because"})
    said = {name: value for name, value in body.items() if name != "kind"}
    assert json.loads(document_of(kind, said, Job(), AT)) == body
    assert report.kind_of(report.read(json.dumps(body).encode())) == kind


@pytest.mark.parametrize(
    ("struct", "kind"),
    [(report.Deployment, "deployment"), (report.Incident, "incident"), (report.Change, "change")],
)
def test_every_field_of_a_report_can_be_a_column_except_lists(struct: Any, kind: str):
    assert set(FIELDS[kind]) - {"resolved_at"} == set(struct.__struct_fields__) - {"commits"}


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        *((word, "success") for word in ("success", "SUCCESS", " succeeded ", "Successful", "passed", "OK")),
        *((word, "failure") for word in ("failure", "FAILED", "error")),
        *((word, "rollback") for word in ("rollback", "rolled back", "Rolled-Back", "rolled_back")),
    ],
)
def test_words_of_outcomes_are_understood(word: str, outcome: str):
    assert one("deployment", {"outcome": word})["outcome"] == outcome


@pytest.mark.parametrize(
    ("kind", "cells", "why"),
    [
        ("deployment", {"outcome": "shipped"}, "'outcome' is 'shipped', none of success, failure, rollback"),
        ("deployment", {"outcome": ""}, "'outcome' is empty"),
        ("deployment", {"outcome": "cancelled"}, "left out: outcome cancelled"),
        ("deployment", {"time": ""}, "'time' is empty"),
        ("deployment", {"service": "\\N"}, "service is missing; add it"),
        ("deployment", {"service": "x" * 300}, "not a report"),
        ("deployment", {"service": "a\x00b"}, "control character"),
        ("deployment", {"service": "caf\udce9"}, "'service' is not UTF-8"),
        ("deployment", {"service": ["a"]}, "'service' holds a list"),
        ("deployment", {"hotfix": "perhaps"}, "'hotfix' is 'perhaps'; write true or false"),
        ("deployment", {"artifact": "no artifact"}, "artifact is neither a purl"),
        ("change", {"status": "closed"}, "'status' is 'closed', none of merged, opened, abandoned"),
        ("change", {"status": "open"}, "has an id"),
        ("change", {"commit": ""}, "a merged change has a commit"),
        ("incident", {"url": "INC-17"}, "url is not an absolute URI"),
        ("incident", {"resolved_at": "2025-03-10T11:00:00Z"}, "before it began"),
        ("incident", {"resolved_at": "", "status": "Closed"}, "'resolved_at' is empty"),
        ("incident", {"id": "", "status": "closed"}, "id is empty"),
    ],
)
def test_a_row_that_says_nothing_sensible_says_why(kind: str, cells: dict[str, Any], why: str):
    assert why in one(kind, cells)


@pytest.mark.parametrize(
    ("text", "options", "instant"),
    [
        ("2025-03-10T12:00:00Z", {}, AT),
        ("2025-03-10 13:00:00+01:00", {}, AT),
        ("2025-03-10 12:00:00 UTC", {}, AT),
        ("2025-03-10T13:00+0100", {}, AT),
        ("1741608000", {}, AT),
        ("1741608000500", {}, "2025-03-10T12:00:00.500000Z"),
        ("2025-03-10 13:00", {"timezone": "Europe/Berlin"}, AT),
        ("2025-03-10T13:00:00.1234567", {"timezone": "Europe/Berlin"}, "2025-03-10T12:00:00.123456Z"),
        ("2025-07-10", {"timezone": "Europe/Berlin"}, "2025-07-09T22:00:00Z"),
        ("2025-03-10T12:00:00Z", {"timezone": "Asia/Tokyo"}, AT),
        ("10.03.2025 13:00", {"timezone": "Europe/Berlin", "time_format": "%d.%m.%Y %H:%M"}, AT),
        ("10/Mar/25 1:00 PM +0100", {"time_format": "%d/%b/%y %I:%M %p %z"}, AT),
        ("2025-10-26T02:30:00+01:00", {"timezone": "Europe/Berlin"}, "2025-10-26T01:30:00Z"),
    ],
)
def test_a_time_is_an_instant(text: str, options: dict[str, str], instant: str):
    assert one("deployment", {"time": text}, **options)["time"] == instant


@pytest.mark.parametrize(
    ("text", "options", "why"),
    [
        ("2025-03-10 12:00:00", {}, "without a zone; say which one: --timezone"),
        ("2025-03-10", {}, "without a zone"),
        (
            "03/10/2025",
            {"timezone": "Europe/Berlin"},
            "not a time with a zone; write it as 2026-01-31T12:00:00Z",
        ),
        ("soon", {}, "--time-format"),
        ("2025-02-30 12:00", {"timezone": "Europe/Berlin"}, "no time of the calendar"),
        ("1066-10-14T12:00:00Z", {}, "outside of the years"),
        ("12", {}, "not a count of seconds"),
        ("2025-10-26 02:30", {"timezone": "Europe/Berlin"}, "showed twice, when the clock was put back"),
        (
            "2025-03-30 02:30",
            {"timezone": "Europe/Berlin"},
            "showed never, because the clock was put forward",
        ),
        ("0001-01-01 00:00", {"timezone": "Asia/Tokyo"}, "outside of the years 1990 to 2200"),
        ("2025-03-10", {"time_format": "%d.%m.%Y"}, "not written as '%d.%m.%Y' says"),
    ],
)
def test_a_time_that_is_none_or_not_one_is_refused(text: str, options: dict[str, str], why: str):
    assert why in one("deployment", {"time": text}, **options)


def test_an_incident_that_is_over_is_two_reports_with_one_id():
    opened, resolved = told(
        "incident", BROKEN | {"resolved_at": "2025-03-10T15:00:00Z", "status": "In review"}
    )
    assert (opened["status"], opened["time"]) == ("opened", AT)
    assert (resolved["status"], resolved["time"]) == ("resolved", "2025-03-10T15:00:00Z")
    assert opened["id"] == resolved["id"] == "INC-17"
    [still] = told("incident", BROKEN | {"resolved_at": ""})
    assert still["status"] == "opened"


def test_ids_come_from_what_a_row_says():
    assert one("deployment", {"commit": "5f2c"})["id"] == f"{AT}/5f2c"
    assert "id" not in one("deployment", {})
    assert one("deployment", {"id": "7", "commit": "5f2c"})["id"] == "7"
    nameless = {name: value for name, value in BROKEN.items() if name != "id"}
    assert told("incident", nameless)[0]["id"] == f"checkout/production/{AT}"


def test_text_for_people_is_one_line_and_fits():
    assert one("incident", {"title": "Nobody\r\n can  pay"})["title"] == "Nobody can pay"
    assert len(one("incident", {"title": "x" * 5000})["title"]) == 1000


def test_addresses_of_repositories_are_names():
    assert one("change", {"repository": "https://git.example/acme/shop.git"})["repository"] == "acme/shop"


def test_options_say_what_the_columns_do_not():
    found = told(
        "deployment",
        {"Deployed At": AT, "Env": "live", "Result": "shipped", "Note": "x", "Service": ""},
        mapped=["deployed at=time", "Env=environment", "Result=outcome"],
        constants=["service=checkout", "source=/sheet?a=b"],
        words=["shipped=success", "scrubbed="],
    )
    assert found == [
        {"kind": "deployment", "service": "checkout", "environment": "live", "outcome": "success",
         "time": AT, "source": "/sheet?a=b"}
    ]  # fmt: skip
    assert one("deployment", {"outcome": "scrubbed"}, words=["Scrubbed="]) == "left out: outcome scrubbed"


@pytest.mark.parametrize(
    ("headings", "options", "why"),
    [
        (
            ["service", "env", "time"],
            {},
            r"no column 'environment'; is it 'env'\? say --map \"env=environment\"",
        ),
        (["service", "environment", "Deployed"], {}, r"no column 'time'; is it 'Deployed'\?"),
        (["a", "b"], {}, r"no column 'service'.*no column 'environment'.*no column 'time'.*are 'a', 'b'"),
        (["service", "environment", "TIME", "Time"], {}, "more than one column is called 'time'"),
        (["service", "environment", "time"], {"mapped": ["Date=time"]}, r"no column 'Date'"),
        (["service", "environment", "time", "Status"], {}, r"is 'Status' the outcome\?"),
        (["deploy_id", "time_created", "main_commit", "source"], {}, "--preset four-keys"),
    ],
)
def test_columns_that_are_missing_or_in_doubt_are_told(
    headings: list[str], options: dict[str, Any], why: str
):
    with pytest.raises(NoTable, match=why):
        columns_of(plan_of("deployment", **options), {each: headings.count(each) for each in headings})


def test_columns_that_are_not_read_may_have_one_name():
    headings = {"service": 1, "environment": 1, "time": 1, "Labels": 3}
    assert set(columns_of(plan_of("deployment"), headings)) == {"service", "environment", "time"}
    with pytest.raises(NoTable, match="more than one column"):
        columns_of(plan_of("deployment"), headings | {"time": 2})


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"mapped": ["a"]}, "no equals sign"),
        ({"mapped": ["a=when"]}, "no deployment has a field 'when'"),
        ({"constants": ["title=x"]}, "no deployment has a field 'title'"),
        ({"words": ["shipped=done"]}, "'done' is none of success, failure, rollback"),
        ({"preset": "gitlab-issues"}, "there is devlake, four-keys"),
        ({"timezone": "Mars/Olympus"}, "unknown time zone"),
    ],
)
def test_options_that_say_nothing_are_refused(options: dict[str, Any], why: str):
    with pytest.raises(ValueError, match=why):
        plan_of("deployment", **options)


def test_an_export_of_devlake():
    found = exported(
        "deployment", "devlake_cicd_deployment_commits.csv", preset="devlake", constants=["service=shop"]
    )
    bad = [each for each in found if isinstance(each, BadRow)]
    assert [(each.line, each.reason) for each in bad] == [(9, "environment is missing; add it")]
    assert len(found) == 16
    assert found[0] == {
        "kind": "deployment", "service": "shop", "environment": "PRODUCTION", "outcome": "success",
        "id": "pipeline1", "commit": "1", "repository": "REPO111", "time": "2022-09-10T22:51:47Z",
    }  # fmt: skip
    assert [each["outcome"] for each in found if not isinstance(each, BadRow)].count("failure") == 2
    about = ["service=shop", "environment=production"]
    incidents = exported("incident", "devlake_incidents.csv", preset="devlake", constants=about)
    assert len(incidents) == 7
    assert incidents[0]["time"] == "2022-11-13T23:37:21Z"


def test_an_export_of_devlake_of_what_has_not_ended():
    row = {"id": "1", "finished_date": "", "result": "", "environment": "PRODUCTION", "repo_url": ""}
    assert told("deployment", row, preset="devlake", constants=["service=a"]) == "left out: outcome empty"
    row |= {"result": "ABORT"}
    assert told("deployment", row, preset="devlake", constants=["service=a"]) == "left out: outcome ABORT"


def test_an_export_of_four_keys():
    about = ["service=shop", "environment=production"]
    first, second = exported("deployment", "four_keys_deployments.jsonl", preset="four-keys", constants=about)
    assert (first["id"], first["time"], first["source"]) == ("123", "2021-03-01T10:00:00Z", "github")
    assert "commit" not in second
    [change] = exported(
        "change", "four_keys_changes.csv", preset="four-keys", constants=["repository=acme/shop"]
    )
    assert change["committed_at"] == change["time"] == "2021-02-28T09:00:00Z"
    incidents = exported("incident", "four_keys_incidents.csv", preset="four-keys", constants=about)
    assert [(each["id"], each["status"]) for each in incidents] == [
        ("41", "opened"), ("41", "resolved"), ("PGR0VU2", "opened"),
    ]  # fmt: skip


def test_an_export_of_gitlab():
    about = ["service=checkout", "environment=production"]
    found = exported("incident", "gitlab_issues.csv", preset="gitlab-issues", constants=about)
    assert [(each["status"], each["time"]) for each in found] == [
        ("opened", "2025-03-10T13:00:00Z"),
        ("resolved", "2025-03-10T15:00:00Z"),
        ("opened", "2025-03-11T09:30:00Z"),
    ]
    assert found[0]["id"] == found[0]["url"] == "https://gitlab.example.com/acme/checkout/-/issues/17"
    assert found[0]["title"] == "Nobody can pay"


@pytest.mark.parametrize("kind", START)
def test_the_examples_of_the_documentation_are_reports(kind: str):
    file = DOCS / "examples" / f"{kind}s.csv"
    table = read_table(file.read_text().splitlines(keepends=True))
    plan = plan_of(kind)
    columns = columns_of(plan, table.headings)
    assert set(columns.values()) == set(table.headings)
    for row in table.rows:
        assert isinstance(row, Row)
        assert isinstance(reports_of(row, columns, plan), list)


CELLS = st.dictionaries(
    st.sampled_from(FIELDS["incident"]),
    st.text(max_size=20)
    | st.integers()
    | st.none()
    | st.booleans()
    | st.floats()
    | st.lists(st.text(), max_size=1),
)


@given(CELLS)
def test_any_cells_are_reports_or_a_reason(cells: dict[str, Any]):
    plan = plan_of("incident")
    row = Row(2, BROKEN | cells, "text")
    columns = columns_of(plan, dict.fromkeys(row.cells, 1))
    first = reports_of(row, columns, plan)
    assert first == reports_of(row, columns, plan)
    if isinstance(first, list):
        for body in first:
            report.read(body)
    else:
        assert isinstance(first, BadRow)
        assert first.reason
