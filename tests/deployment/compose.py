"""The compose file as a user runs it, beside other runs of it: a project name and ports of its own."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

from deploy.embedded.ports import free_port

ROOT = Path(__file__).parents[2]
PASSWORDS = (
    "POSTGRES_PASSWORD",
    "DORA_OWNER_PASSWORD",
    "DORA_WORKER_PASSWORD",
    "DORA_READER_PASSWORD",
    "DORA_DASHBOARDS_PASSWORD",
    "GRAFANA_PASSWORD",
)
PORTS = ("INGRESS_PORT", "QUERY_PORT", "KAFKA_PORT", "POSTGRES_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT")
CORE = ("kafka", "postgres", "ingress", "worker", "query")


class Compose:
    """One project of docker-compose.yml. ``left_out`` are services whose image cannot be had."""

    def __init__(self, command: list[str], image: str) -> None:
        self.command = command
        self.name = f"dora-test-{uuid4().hex[:8]}"
        self.ports = {name: str(free_port()) for name in PORTS}
        self.passwords = {name: uuid4().hex for name in PASSWORDS}
        self.left_out: tuple[str, ...] = ()
        self.environment = {"DORA_IMAGE": image, **self.ports, **self.passwords}

    def run(self, *arguments: str, timeout: float = 300) -> str:
        """What a compose command prints; it must succeed."""
        done = subprocess.run(
            [*self.command, "--project-name", self.name, "--env-file", "/dev/null", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == 0, f"{arguments}: {done.stderr[-3000:]}"
        return done.stdout

    def up(self, *options: str) -> None:
        """Start everything whose image is there, and return when it is ready."""
        services = [name for name in (*CORE, "prometheus", "grafana") if name not in self.left_out]
        self.run("up", "--detach", "--no-build", "--wait", "--wait-timeout", "180", *options, *services)

    def images(self) -> dict[str, str]:
        """The image of each service."""
        services = json.loads(self.run("config", "--format", "json"))["services"]
        return {name: service["image"] for name, service in services.items()}

    def containers(self, service: str) -> list[dict[str, Any]]:
        """The containers of a service."""
        lines = self.run("ps", "--all", "--format", "json", service).splitlines()
        return [json.loads(line) for line in lines]

    def url(self, port: str) -> str:
        """The base URL of a published port, by the name of its variable."""
        return f"http://127.0.0.1:{self.ports[port]}"
