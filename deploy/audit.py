"""Known vulnerabilities of what is locked: pip-audit over Python's locks, the same service over Kafka's jars.

A service that cannot be reached, or that does not even know an old and famous vulnerability, is no reason to
call anything clean: then this says that it looked at nothing, and why.
"""

import datetime as dt
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.embedded.artifacts import Artifact, read_lock
from deploy.embedded.kafka import LOCK
from deploy.locks import ROOT, wanted

OSV = "https://api.osv.dev/v1/query"
WAIVERS = Path(__file__).with_name("waivers.toml")
# Vulnerable for certain (CVE-2014-1402 and others): who does not say so knows nothing.
FAMOUS = {"package": {"name": "jinja2", "ecosystem": "PyPI"}, "version": "2.4.1"}
TIMEOUT = 20.0  # seconds for each question
LONGEST = 60  # days for which a vulnerability may be accepted before somebody looks again


class AuditError(Exception):
    """There is a vulnerability that nobody accepted, or an acceptance that is over."""


class Unanswered(Exception):
    """The service cannot be asked; the message says why."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A vulnerability that is accepted until a day, with the reason."""

    id: str
    package: str
    reason: str
    until: dt.date


@dataclass(frozen=True, slots=True)
class Finding:
    """A known vulnerability of something that is locked; ``names`` are its id and its other names."""

    package: str
    version: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.package} {self.version}: {', '.join(self.names)}"


def audit(today: dt.date, service: str = OSV) -> list[Finding]:
    """The known vulnerabilities that are accepted. Raises ``AuditError`` for others, ``Unanswered``."""
    waivers = read_waivers(WAIVERS.read_text(encoding="utf-8"), today)
    with httpx.Client(timeout=TIMEOUT) as client:
        if not ask(client, service, FAMOUS):
            raise Unanswered(f"{httpx.URL(service).host} does not even know a famous vulnerability")
        found = [*packages(service), *jars(client, service)]
    return judge(found, waivers)


def judge(found: Sequence[Finding], waivers: Sequence[Waiver]) -> list[Finding]:
    """What was found, when all of it is accepted."""
    accepted = {(waiver.package, waiver.id) for waiver in waivers}
    new = [each for each in found if not any((each.package, name) in accepted for name in each.names)]
    if new:
        raise AuditError(
            f"{'; '.join(map(str, new))}: upgrade (./dora locks --upgrade), or accept it in"
            f" deploy/{WAIVERS.name} with a reason and a date"
        )
    return list(found)


def read_waivers(text: str, today: dt.date) -> list[Waiver]:
    """The waivers of a file. Raises ``AuditError`` for one that is over, too long, or without its reason."""
    waivers = [Waiver(**entry) for entry in tomllib.loads(text).get("waiver", [])]
    for waiver in waivers:
        if not waiver.reason.strip():
            raise AuditError(f"the waiver of {waiver.id} has no reason")
        if waiver.until < today:
            raise AuditError(f"the waiver of {waiver.id} was over on {waiver.until}: look at it again")
        if waiver.until - today > dt.timedelta(days=LONGEST):
            raise AuditError(f"the waiver of {waiver.id} is for longer than {LONGEST} days")
    return waivers


def ask(client: httpx.Client, service: str, question: dict[str, Any]) -> list[dict[str, Any]]:
    """What the service knows of one package. Raises ``Unanswered``."""
    try:
        answer = client.post(service, json=question)
        answer.raise_for_status()
        return list(answer.json().get("vulns", []))
    except (httpx.HTTPError, ValueError, AttributeError) as error:
        raise Unanswered(f"{httpx.URL(service).host} does not answer ({type(error).__name__})") from error


def packages(service: str) -> Iterator[Finding]:
    """What pip-audit finds in the locks."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", "osv", "--osv-url", service]
    command += ["--disable-pip", "--no-deps", "--require-hashes", "--strict"]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", str(int(TIMEOUT))]
    command += [word for lock in wanted() for word in ("--requirement", lock)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        told = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        raise Unanswered(f"pip-audit ended: {last}") from None
    for each in told:
        for vulnerability in each.get("vulns", []):
            names = (vulnerability["id"], *vulnerability.get("aliases", []))
            yield Finding(each["name"], each["version"], names)


def jars(client: httpx.Client, service: str) -> Iterator[Finding]:
    """What the service knows of the embedded Kafka's jars."""
    for jar in read_lock(LOCK.read_text()):
        for vulnerability in ask(client, service, {"package": {"purl": purl(jar)}}):
            names = (vulnerability["id"], *vulnerability.get("aliases", []))
            yield Finding(f"{jar.group}:{jar.name}", jar.version, names)


def purl(jar: Artifact) -> str:
    """The package URL of a jar."""
    return f"pkg:maven/{jar.group}/{jar.name}@{jar.version}"
