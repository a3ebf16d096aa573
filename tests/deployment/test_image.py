"""The image: small, without rights, without tools, started at once."""

import json
import re
import time
from typing import Any

import httpx
import pytest

from tests.deployment.engine import BASE, ROOT, docker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]
LARGEST = 130_000_000  # bytes above the base
LONGEST_START = 3.0  # seconds
LOCKED_DOWN = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")


def inspect(name: str) -> Any:
    return json.loads(docker("image", "inspect", name))[0]


def test_what_it_adds_to_its_base_is_small(image: str):
    assert inspect(image)["Size"] - inspect(BASE)["Size"] < LARGEST


def test_s1_it_runs_the_command_without_rights(image: str):
    config = inspect(image)["Config"]
    assert config["Entrypoint"] == ["dora"]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", config["User"])
    assert config["Labels"]["org.opencontainers.image.revision"] == "test"
    assert config["Healthcheck"]["Test"]


def test_s3_there_is_no_secret_in_it(image: str):
    config = inspect(image)["Config"]
    told = [
        *config["Env"],
        *docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image).splitlines(),
    ]
    assert not [line for line in told if re.search("(PASSWORD|SECRET|TOKEN)[A-Z_]*=|://[^/]*:[^/]*@", line)]


def test_s1_it_has_no_tools_to_build_or_install(image: str):
    tools = "gcc cc make pip pip3 uv git"
    found = docker("run", "--rm", "--entrypoint", "sh", image, "-c", f"command -v {tools} || true")
    assert found == ""


def test_s4_the_bill_of_materials_names_what_is_locked(image: str):
    told = json.loads(
        docker("run", "--rm", "--entrypoint", "/opt/dora/bin/python", image, "-c",
               "print(open('/opt/dora/sbom.cdx.json').read())")
    )  # fmt: skip
    lock = (ROOT / "requirements.lock").read_text()
    locked = {
        f"{name}=={version}"
        for name, version, rest in re.findall(r"^([\w.-]+)==(\S+)(.*)$", lock, re.MULTILINE)
        if "win32'" not in rest or "!=" in rest
    }
    assert {
        f"{each['name'].lower().replace('_', '-')}=={each['version']}" for each in told["components"]
    } == {each.replace("_", "-") for each in locked}


@pytest.mark.parametrize(("process", "port"), [("ingress", "8080"), ("query", "8081")])
def test_it_answers_at_once(image: str, process: str, port: str):
    """Alive before Kafka and PostgreSQL are there. The quickest of three: others may use the machine, too."""
    assert min(seconds_to_start(image, process, port) for _ in range(3)) < LONGEST_START


def seconds_to_start(image: str, process: str, port: str) -> float:
    """From `docker run` until the process answers; its own health check must agree."""
    settings = {
        "DORA_KAFKA": "127.0.0.1:1",
        "DORA_POSTGRES": "postgresql://127.0.0.1:1/dora",
        "DORA_OPEN": "true",  # it listens on all addresses of its container
    }
    environment = [word for name, value in settings.items() for word in ("--env", f"{name}={value}")]
    publish = ("--publish", f"127.0.0.1::{port}")
    started = time.monotonic()
    container = docker("run", "--detach", "--rm", *publish, *LOCKED_DOWN, *environment, image, process)
    try:
        url = f"http://{docker('port', container, port)}/healthz"
        while not is_alive(url):
            assert time.monotonic() - started < 30, docker("logs", container)
            time.sleep(0.05)
        took = time.monotonic() - started
        docker("exec", container, "/opt/dora/bin/python", "-P", "-m", "deploy.docker.health")
    finally:
        docker("kill", container)
    return took


def is_alive(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def test_a_wrong_use_is_told_with_2(image: str):
    with pytest.raises(AssertionError, match="--postgres"):
        docker("run", "--rm", *LOCKED_DOWN, image, "migrate")
