"""`dora import` as a user runs it: what it sends, how it goes on, what it says of mistakes."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from deploy.imports.presets import PRESETS
from tests.deploy.test_send import Ingress, ingress
from tests.docs.pages import DOCS, rows, section
from tests.infra.commands import dora, environment

__all__ = ["ingress"]  # a fixture

HEAD = "service,environment,time,outcome\n"


def row(day: int, outcome: str = "success") -> str:
    return f"checkout,production,2025-{1 + day // 28:02}-{1 + day % 28:02}T12:00:00Z,{outcome}\n"


def reports(ingress: Ingress) -> list[dict[str, Any]]:
    return [json.loads(body)["data"] for _, _, body in ingress.requests]


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    file = tmp_path / "deployments.csv"
    file.write_text(HEAD + row(0) + row(1, "FAILED") + row(2, "rolled back"))
    return file


def test_rows_are_sent_as_the_reports_of_dora_report(ingress: Ingress, sheet: Path) -> None:
    done = dora("import", "deployments", str(sheet), cwd=sheet.parent, DORA_INGRESS_URL=ingress.url)
    span = "from 2025-01-01T12:00:00Z to 2025-01-03T12:00:00Z"
    assert (done.returncode, done.stdout, done.stderr) == (0, f"accepted 3, refused 0, {span}\n", "")
    sent = sorted(ingress.requests, key=lambda each: json.loads(each[2])["time"])
    assert [json.loads(body)["data"]["outcome"] for _, _, body in sent] == ["success", "failure", "rollback"]
    ingress.requests.clear()
    about = ("--service", "checkout", "--environment", "production", "--outcome", "success")
    at = ("--time", "2025-01-01T12:00:00Z")
    assert dora("report", "deployment", *about, *at, DORA_INGRESS_URL=ingress.url).returncode == 0
    (path, _, body), first = ingress.requests[0], json.loads(sent[0][2])
    assert path == sent[0][0]
    assert json.loads(body) == first | {"id": json.loads(body)["id"]}


def test_the_same_again_sends_nothing_and_an_edited_file_the_same_ids(ingress: Ingress, sheet: Path) -> None:
    arguments = ("import", "deployments", "--ingress-url", ingress.url, str(sheet))
    assert dora(*arguments, cwd=sheet.parent).returncode == 0
    ids = {json.loads(body)["id"] for _, _, body in ingress.requests}
    assert len(ids) == 3
    ingress.requests.clear()
    assert dora(*arguments, cwd=sheet.parent).stdout == "accepted 0, refused 0, 3 done before\n"
    assert ingress.requests == []
    # Another order of columns and rows, another separator and another way to write times: the same facts.
    sheet.write_bytes(
        b"\xef\xbb\xbfTime;Outcome;Service;Environment;Remark\r\n"
        b'2025-01-02 13:00;failure;checkout;production;"a\r\nb"\r\n'
        b"2025-01-01 13:00;ok;checkout;production;\r\n"
        b"2025-01-04 13:00;ok;checkout;production;\r\n"
    )
    done = dora(*arguments, "--timezone", "Europe/Berlin", cwd=sheet.parent)
    assert done.stdout.startswith("accepted 3, refused 0, from 2025-01-01")
    assert len({json.loads(body)["id"] for _, _, body in ingress.requests} - ids) == 1


def test_with_a_token_of_reports_it_goes_to_the_web_hook(ingress: Ingress, sheet: Path) -> None:
    settings = {"DORA_INGRESS_URL": ingress.url, "DORA_REPORT_TOKEN": "secret"}
    done = dora("import", "deployments", str(sheet), cwd=sheet.parent, **settings)
    assert done.stdout.startswith("accepted 3, refused 0, from 2025-01-01")
    path, headers, body = ingress.requests[0]
    assert (path, headers["Authorization"], json.loads(body)["kind"]) == (
        "/webhooks/generic",
        "Bearer secret",
        "deployment",
    )
    ingress.script = [(404, {})]
    done = dora("import", "deployments", "--again", str(sheet), cwd=sheet.parent, **settings)
    assert done.returncode == 1
    assert "set DORA_REPORT_TOKEN to a secret of DORA_WEBHOOK_GENERIC_SECRETS" in done.stderr
    assert not (sheet.parent / ".dora" / "import-rejects.jsonl").exists()


def test_bad_rows_are_told_and_kept_and_the_rest_goes_on(ingress: Ingress, tmp_path: Path) -> None:
    file = tmp_path / "deployments.csv"
    bad = "checkout,production,yesterday,success\n"
    file.write_text(HEAD + row(0) + bad + row(1, "shipped") + row(2, "canceled") + row(3) + row(3))
    arguments = ("import", "deployments", "--ingress-url", ingress.url, str(file))
    done = dora(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("accepted 3, refused 2, from 2025-01-01T12:00:00Z to 2025-01-04")
    for told in (
        ":3: 'time' is 'yesterday', not a time with a zone; write it as",
        ":4: 'outcome' is 'shipped', none of success, failure, rollback; say what it means: --word",
        ": 1 left out: outcome canceled",
        ": 1 say the same as an earlier row: they are one",
    ):
        assert f"{file}{told}" in done.stderr
    kept = tmp_path / ".dora" / "import-rejects.jsonl"
    assert [json.loads(line)["text"] for line in kept.read_text().splitlines()] == [bad, row(1, "shipped")]
    assert {each["time"][:10] for each in reports(ingress)} == {"2025-01-01", "2025-01-04"}


def test_an_interrupted_import_goes_on_where_it_stopped(ingress: Ingress, tmp_path: Path) -> None:
    file, number = tmp_path / "deployments.csv", 300
    file.write_text(HEAD + "".join(row(day) for day in range(number)))
    arguments = ["import", "deployments", "--ingress-url", ingress.url, str(file)]
    command = [sys.executable, "-P", "-m", "deploy.cli", *arguments, "--rate", "100"]
    running = subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 30
    while len(ingress.requests) < 60 and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    told, errors = running.communicate(timeout=30)
    assert running.returncode == 130, errors
    accepted = int(told.split()[1].rstrip(","))
    assert 25 <= accepted < number
    done = dora(*arguments, cwd=tmp_path)
    assert done.stdout.startswith(f"accepted {number - accepted}, refused 0, {accepted} done before")
    assert len({each["time"] for each in reports(ingress)}) == number


def test_a_dry_run_shows_the_first_rows_and_sends_nothing(ingress: Ingress, tmp_path: Path) -> None:
    file = DOCS / "examples" / "incidents.csv"
    done = dora("import", "--dry-run", "incidents", str(file), "--ingress-url", ingress.url, cwd=tmp_path)
    assert (done.returncode, ingress.requests, list(tmp_path.iterdir())) == (0, [], [])
    *shown, counts = done.stdout.splitlines()
    sent = [json.loads(line.removeprefix("/ ")) for line in shown]
    assert [each["data"]["status"] for each in sent] == ["opened", "resolved", "opened"]
    assert counts == "would send 3, refused 0, from 2025-03-10T13:00:00Z to 2025-03-11T09:30:00Z"
    assert f"{file}: service from 'service', environment from 'environment'" in done.stderr


def test_standard_input_is_a_file_too(ingress: Ingress, tmp_path: Path) -> None:
    lines = "".join(
        json.dumps({"service": "a", "environment": "b", "time": 1735732800 + each}) + "\n"
        for each in range(3)
    )
    command = [sys.executable, "-P", "-m", "deploy.cli", "import", "deployments", "-"]
    for accepted in ("accepted 3, refused 0, from 2025-01-01", "accepted 0, refused 0, 3 done before"):
        done = subprocess.run(
            command,
            input=lines,
            cwd=tmp_path,
            env=environment(DORA_INGRESS_URL=ingress.url),
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(accepted)


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        (b"", 1, "dora: f.csv: it is empty"),
        (HEAD.encode(), 1, "dora: f.csv: it has no rows below the names of its columns"),
        (b"PK\x03\x04...", 1, "dora: f.csv is a workbook; save the sheet as CSV UTF-8"),
        (b"service,env,time\na,b,c\n", 1, "is it 'env'? say --map \"env=environment\""),
        (b"service,time,time,environment\na,b,c,d\n", 1, "more than one column is called 'time'"),
        ("service,environment,time\ncafé,b,2025-01-01T00:00:00Z\n".encode("cp1252"), 1, "is not UTF-8"),
        (
            "service,environment,time\na,b,2025-01-01T00:00:00Z\n".encode("utf-16"),
            0,
            "service from 'service'",
        ),
    ],
)
def test_files_that_are_no_table_are_told_before_anything_is_sent(
    content: bytes, code: int, told: str, tmp_path: Path
) -> None:
    (tmp_path / "f.csv").write_bytes(content)
    done = dora("import", "--dry-run", "deployments", "f.csv", cwd=tmp_path)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("deployments", "missing.csv"), 1, "dora: missing.csv: No such file or directory\n"),
        (("releases", "x.csv"), 2, "releases"),
        (("deployments",), 2, "Missing argument"),
        (("deployments", "--timezone", "CEST+1", "x.csv"), 2, "unknown time zone"),
        (("deployments", "--encoding", "ebcdic-9", "x.csv"), 2, "unknown encoding"),
        (("changes", "--preset", "devlake", "x.csv"), 2, "there is four-keys"),
    ],
)
def test_mistakes_are_told_without_a_stack_trace(
    arguments: tuple[str, ...], code: int, told: str, tmp_path: Path
) -> None:
    done = dora("import", *arguments, cwd=tmp_path)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_every_preset_is_in_the_help_and_in_the_documentation() -> None:
    words = " ".join(dora("import", "--help").stdout.split())
    assert all(name in words for name in PRESETS)
    told = {
        cells[0].strip("`"): set(cells[1].split(", "))
        for cells in rows(section((DOCS / "operating.md").read_text(), "Import"))
        if cells[0].strip("`") in PRESETS
    }
    assert told == {name: {f"{kind}s" for kind in kinds} for name, kinds in PRESETS.items()}
