"""The Docker engine: what it has, and building the image with it."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.infra.servers import available, docker_answers

ROOT = Path(__file__).parents[2]
BASE = "python:3.11-slim-bookworm"
IMAGE = "dora-events:test"
STORES = ("kafka", "postgres")
ORNAMENTS = ("prometheus", "grafana")  # without these the pipeline runs all the same


def docker(*arguments: str, timeout: float = 120) -> str:
    """What a docker command prints; it must succeed."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def missing() -> str | None:
    """What building the image lacks."""
    answers, why = docker_answers()
    if not answers:
        return why
    return None if has_image(BASE) else f"the Docker engine cannot get {BASE}"


@cache
def has_image(name: str) -> bool:
    """Whether the engine has an image, now at the latest."""
    return available(name)


def build() -> str:
    """Build the image and return its name. Without buildx the engine's own builder is taken."""
    buildx = subprocess.run(["docker", "buildx", "version"], capture_output=True).returncode == 0
    done = subprocess.run(
        ["docker", "build", "--build-arg", "REVISION=test", "--tag", IMAGE, "."],
        cwd=ROOT,
        env={**os.environ, "DOCKER_BUILDKIT": "1" if buildx else "0"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return IMAGE


def compose_command() -> list[str] | None:
    """How compose v2 is called here."""
    client = shutil.which("docker")
    if client and subprocess.run([client, "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None
