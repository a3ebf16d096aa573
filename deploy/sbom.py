"""The bill of materials of a checkout: every locked package and jar with its hashes, as CycloneDX 1.6.

The image has one of its own, made from what is installed in it (deploy/docker/sbom.py).
"""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from deploy.audit import purl
from deploy.embedded.artifacts import read_lock
from deploy.embedded.kafka import LOCK
from deploy.locks import ROOT, wanted

PACKAGE = re.compile(r"^(?P<name>[a-z0-9._-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
# Whether what runs in production has it.
SCOPES = {"requirements.lock": "required", "requirements-embedded.lock": "optional"}


def bill() -> dict[str, Any]:
    """The whole document, without time and serial number: the same locks make the same file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, dict[str, Any]] = {}
    for lock in wanted():
        for component in packages(lock):
            found.setdefault(component["bom-ref"], component)
    for component in jars():
        found[component["bom-ref"]] = component
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": project["name"],
                "name": project["name"],
                "version": project["version"],
                "licenses": [{"expression": project["license"]}],
            }
        },
        "components": sorted(found.values(), key=lambda each: str(each["bom-ref"])),
    }


def packages(lock: str) -> Iterator[dict[str, Any]]:
    """The packages of one lock. Each has the hashes of all of its files, of which one is installed."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    starts = list(PACKAGE.finditer(text))
    for match, following in zip(starts, [*starts[1:], None], strict=True):
        block = text[match.start() : following.start() if following else None]
        reference = f"pkg:pypi/{match['name']}@{match['version']}"
        yield component(
            match["name"],
            match["version"],
            reference,
            HASH.findall(block),
            SCOPES.get(lock, "excluded"),
            lock,
        )


def jars() -> Iterator[dict[str, Any]]:
    """The jars of the embedded Kafka."""
    for jar in read_lock(LOCK.read_text(encoding="utf-8")):
        made = component(jar.name, jar.version, purl(jar), [jar.sha256], "optional", LOCK.name)
        yield {**made, "group": jar.group}


def component(
    name: str, version: str, reference: str, hashes: list[str], scope: str, lock: str
) -> dict[str, Any]:
    """One entry."""
    return {
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "version": version,
        "purl": reference,
        "scope": scope,
        "hashes": [{"alg": "SHA-256", "content": each} for each in hashes],
        "properties": [{"name": "dora:lock", "value": lock}],
    }
