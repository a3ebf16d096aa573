"""What is locked is known by name and hash, and looked up; what is accepted has a reason and a day."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from threading import Thread
from typing import Any

import jsonschema_rs
import pytest

from deploy import audit
from deploy.audit import AuditError, Unanswered, Waiver, judge, read_waivers
from deploy.embedded.artifacts import read_lock
from deploy.embedded.kafka import LOCK
from deploy.locks import ROOT, wanted
from deploy.sbom import bill
from tests.infra.commands import dora

TODAY = dt.date(2026, 3, 2)
FAMOUS = {"id": "PYSEC-2014-8", "affected": [{"package": {"name": "jinja2", "ecosystem": "PyPI"}}]}


class Service:
    """A vulnerability service of this test, in OSV's words. ``known`` is by name of package."""

    def __init__(self) -> None:
        self.known: dict[str, list[dict[str, Any]]] = {"jinja2 2.4.1": [FAMOUS]}
        self.asked: list[str] = []
        self.status = 200
        self.url = ""

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        package = question["package"]
        name = package.get("purl") or f"{package['name']} {question['version']}"
        self.asked.append(name)
        found = self.known.get(name, [])
        return {"vulns": found} if found else {}


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(service.answer(question)).encode()
            self.send_response(service.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    service.url = f"http://127.0.0.1:{server.server_port}/v1/query"
    yield service
    server.shutdown()
    server.server_close()


def locked() -> set[str]:
    """Every name and version that stands in a lock."""
    texts = [(ROOT / name).read_text() for name in wanted()]
    return {
        " ".join(pair)
        for text in texts
        for pair in re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE)
    }


def vulnerability(name: str, ecosystem: str = "PyPI") -> dict[str, Any]:
    return {
        "id": "PYSEC-2026-1",
        "aliases": ["CVE-2026-1"],
        "summary": "made for a test",
        "affected": [{"package": {"name": name, "ecosystem": ecosystem}, "ranges": []}],
    }


def test_s4_everything_that_is_locked_is_looked_up(service: Service):
    done = dora("audit", "--required", DORA_OSV=service.url)
    assert done.returncode == 0, done.stderr
    assert "no known vulnerability" in done.stderr
    jars = {f"pkg:maven/{jar.group}/{jar.name}@{jar.version}" for jar in read_lock(LOCK.read_text())}
    elsewhere = {each for each in locked() if each.split()[0] in {"colorama", "pywin32", "win32-setctime"}}
    assert locked() - elsewhere | jars <= set(service.asked)


def test_s4_a_vulnerability_fails_unless_it_is_accepted(service: Service):
    package = next(each for each in locked() if each.startswith("aiohttp "))
    jar = next(jar for jar in read_lock(LOCK.read_text()) if jar.name == "log4j-core")
    service.known[package] = [vulnerability("aiohttp")]
    service.known[f"pkg:maven/{jar.group}/{jar.name}@{jar.version}"] = [vulnerability("log4j", "Maven")]
    with pytest.raises(AuditError, match=r"aiohttp .*PYSEC-2026-1, CVE-2026-1; .*log4j-core .*waivers.toml"):
        audit.audit(TODAY, service.url)
    found = [
        audit.Finding("aiohttp", "1", ("PYSEC-2026-1", "CVE-2026-1")),
        audit.Finding("org.apache.logging.log4j:log4j-core", "2", ("PYSEC-2026-1",)),
    ]
    accepted = [Waiver("CVE-2026-1", "aiohttp", "why", TODAY)]
    with pytest.raises(AuditError, match=r"^org.apache.logging.log4j:log4j-core 2: PYSEC-2026-1: "):
        judge(found, accepted)
    assert judge(found[:1], accepted) == found[:1]


@pytest.mark.parametrize(("status", "known", "why"), [(503, True, "does not answer"), (200, False, "famous")])
def test_s4_a_service_that_knows_nothing_is_told_and_never_called_clean(
    service: Service, status: int, known: bool, why: str
):
    service.status = status
    if not known:
        service.known.clear()
    with pytest.raises(Unanswered, match=why):
        audit.audit(TODAY, service.url)
    done = dora("audit", DORA_OSV=service.url)
    assert (done.returncode, done.stdout) == (0, "")
    assert "skipped, because 127.0.0.1" in done.stderr
    assert dora("audit", "--required", DORA_OSV=service.url).returncode == 1


def test_s4_what_is_accepted_has_a_reason_and_a_day_to_come():
    read_waivers(audit.WAIVERS.read_text(), dt.datetime.now(dt.UTC).date())
    entry = '[[waiver]]\nid = "A"\npackage = "p"\nreason = "{}"\nuntil = {}\n'
    assert read_waivers(entry.format("why", TODAY), TODAY) == [Waiver("A", "p", "why", TODAY)]
    for text, told in (
        (entry.format("why", "2026-03-01"), "was over on 2026-03-01"),
        (entry.format("why", "2027-03-01"), "longer than 60 days"),
        (entry.format(" ", TODAY), "no reason"),
    ):
        with pytest.raises(AuditError, match=told):
            read_waivers(text, TODAY)


def schema() -> jsonschema_rs.Validator:
    """CycloneDX's own schema, with the two that it refers to."""
    folder = files("cyclonedx.schema") / "_res"

    def read(name: str) -> Any:
        return json.loads((folder / name).read_text())

    referred = ("spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json")
    registry = jsonschema_rs.Registry(
        [(f"http://cyclonedx.org/schema/{name}", read(name)) for name in referred]
    )
    return jsonschema_rs.validator_for(read("bom-1.6.SNAPSHOT.schema.json"), registry=registry)


def test_s4_the_bill_of_materials_is_cyclonedx_and_names_all_that_is_locked():
    made = json.loads(dora("sbom").stdout)
    assert [str(error) for error in schema().iter_errors(made)] == []
    broken = {**made, "components": [{**made["components"][0], "scope": "anything"}]}
    assert not schema().is_valid(broken), "the schema is really the one that is asked"
    assert made == bill()
    components = made["components"]
    assert {f"{each['name']} {each['version']}" for each in components if "group" not in each} == locked()
    jars = {(jar.group, jar.name, jar.version, jar.sha256) for jar in read_lock(LOCK.read_text())}
    assert {
        (each["group"], each["name"], each["version"], each["hashes"][0]["content"])
        for each in components
        if "group" in each
    } == jars
    for each in components:
        assert each["purl"].endswith(f"@{each['version']}")
        assert each["hashes"]
        assert {known["alg"] for known in each["hashes"]} == {"SHA-256"}
    text = (ROOT / "requirements.lock").read_text()
    assert len(re.findall("--hash", text)) == sum(
        len(each["hashes"])
        for each in components
        if each["properties"][0]["value"] == "requirements.lock"
    )  # fmt: skip
