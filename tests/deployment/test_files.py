"""What is deployed, looked at without an engine: part of every run."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import uvloop
import yaml

from deploy.docker import health, roles, sbom, slim
from tests.deployment.compose import PASSWORDS
from tests.deployment.engine import compose_command
from tests.deployment.kubernetes import ROOT
from tests.docs.pages import first_cells, quoted, rows

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SAMPLE = (ROOT / ".env.example").read_text()
TOKENS = {"DORA_INGRESS_CORRECTION_TOKENS"}
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_ports_are_bound_to_loopback():
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert len(ports) == 6
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_page_tells_the_ports():
    told = {
        (cells[0], *quoted(cells[1:2], "[A-Z_]+"))
        for cells in rows((ROOT / "docs/deploying.md").read_text())
        if cells[0].isdecimal()
    }
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert told == {
        (default, name) for port in ports for name, default in re.findall(r"{(\w+):-(\d+)}", port)
    }


def test_s3_no_password_has_a_default():
    text = (ROOT / "docker-compose.yml").read_text()
    used = set(re.findall(r"\$\{(\w*PASSWORD)", text))
    assert used == set(PASSWORDS)
    assert not re.findall(r"\$\{\w*PASSWORD:?-", text)
    assert all(re.search(rf"\${{{name}:\?", text) for name in used)


def test_the_sample_names_every_variable():
    text = (ROOT / "docker-compose.yml").read_text()
    used = {
        name
        for name in re.findall(r"\$\{(\w+)", text)
        if not name.endswith(("_IMAGE", "CLUSTER_ID", "DIGEST"))
    }
    told = set(re.findall(r"^#?([A-Z_]+)=", SAMPLE, re.MULTILINE))
    assert used - told == {"DORA_SESSION_TIMEOUT"}
    assert told <= used


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_sample_can_be_filled_with_passwords_of_their_own():
    (command,) = re.findall(r"^awk .*?(?= > \.env$)", (ROOT / "docs/deploying.md").read_text(), re.MULTILINE)
    assert f"#   {command} > .env\n" in SAMPLE
    made = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    values = dict(re.findall(r"^([A-Z_]+)=([0-9a-f]{32})$", made, re.MULTILINE))
    assert values.keys() == {*PASSWORDS, *TOKENS}
    assert len(set(values.values())) == len(values)


def test_images_have_versions():
    images = [service["image"] for service in SERVICES.values()]
    assert all(re.search(r":-[\w./-]+:(?!latest)[\w.-]+\}$", image) for image in images)


def test_each_worker_has_a_folder_of_its_own():
    assert SERVICES["worker"]["volumes"] == ["/var/lib/dora"], "a volume with a name would be shared"
    assert "DORA_INSTANCE" not in SERVICES["worker"]["environment"]
    assert "ports" not in SERVICES["worker"]
    assert "container_name" not in SERVICES["worker"]


def test_s5_what_serves_is_checked_and_starts_again():
    for name in ("kafka", "postgres", "ingress", "worker", "query"):
        assert SERVICES[name]["restart"] == "unless-stopped"
        assert SERVICES[name]["healthcheck"]["test"]
    for name in ("ingress", "worker", "query"):
        assert {each["condition"] for each in SERVICES[name]["depends_on"].values()} == {
            "service_completed_successfully"
        }


def test_s2_who_shares_a_network():
    reach = {name: set(service["networks"]) for name, service in SERVICES.items()}
    assert not reach["ingress"] & reach["postgres"]
    assert not reach["query"] & reach["kafka"]
    assert not reach["prometheus"] & (reach["kafka"] | reach["postgres"])


def test_compose_reads_it():
    command = compose_command()
    if command is None:
        pytest.skip("docker compose is not installed")
    done = subprocess.run(
        [*command, "--env-file", ".env.example", "config", "--quiet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_s1_s4_the_image_installs_what_is_locked_and_runs_as_nobody():
    stages = DOCKERFILE.split("\nFROM ")
    assert "--require-hashes" in stages[2]
    assert "requirements-embedded.lock" not in DOCKERFILE
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", stages[-1], re.MULTILINE)
    assert re.search(r"^ARG PYTHON_DIGEST=$", DOCKERFILE, re.MULTILINE)
    assert 'ENTRYPOINT ["dora"]' in stages[-1]


def test_s3_the_builder_sees_no_history_and_no_secrets():
    lines = (ROOT / ".dockerignore").read_text().split()
    assert "*" in lines
    assert not {"!.git", "!.env", "!tests"} & set(lines)
    copied = set(re.findall(r"^COPY ((?:[\w.-]+ )+)", DOCKERFILE, re.MULTILINE))
    wanted = {name for line in copied for name in line.split() if not name.startswith("--")}
    assert {f"!{name}" for name in wanted} <= set(lines)


def test_a_library_without_its_symbols_is_smaller_and_works(tmp_path: Path):
    shutil.copytree(Path(uvloop.__file__).parent, tmp_path / "uvloop")
    (library,) = (tmp_path / "uvloop").glob("loop.*.so")
    whole = library.stat().st_size
    slim.main(tmp_path)
    assert library.stat().st_size < whole / 2
    run = "import asyncio, uvloop; uvloop.run(asyncio.sleep(0.01)); print(uvloop.loop.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", run], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == str(library)
    assert slim.slim(library.read_bytes()) == library.read_bytes(), "there is nothing more to take out"
    assert slim.slim(b"no library") == b"no library"


def test_ports_that_are_asked_for_health(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DORA_PORT", "9000")
    assert list(health.ports()) == [9000, 8080, 8081, 8082]
    monkeypatch.setenv("DORA_PORT", "8081")
    assert list(health.ports()) == [8081, 8080, 8082]


def test_health_is_1_when_nobody_answers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(health, "ports", lambda: iter([1]))
    assert health.main([]) == 1


def test_roles_say_what_is_missing(capsys: pytest.CaptureFixture[str]):
    assert roles.main({"ADMIN_POSTGRES": "postgresql://x"}) == 2
    assert "OWNER_PASSWORD, WORKER_PASSWORD, READER_PASSWORD, DASHBOARDS_PASSWORD" in capsys.readouterr().err


def test_the_bill_of_materials_names_each_package_once():
    made = sbom.bill()
    components = made["components"]
    assert isinstance(components, list)
    references = [each["bom-ref"] for each in components]
    assert "pkg:pypi/faust-streaming@0.15.3" in references
    assert made["bomFormat"] == "CycloneDX"


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (apt-get install prometheus)"
)
def test_alerts_fire_when_they_must():
    for command in (
        ["promtool", "check", "rules", "deploy/prometheus/alerts.yml"],
        ["promtool", "check", "config", "deploy/prometheus/prometheus.yml"],
        ["promtool", "test", "rules", "tests/deployment/alerts_test.yml"],
    ):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_documented_and_says_what_to_do():
    told = quoted(first_cells((ROOT / "docs/grafana.md").read_text()), "Dora[A-Za-z]+")
    groups = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["alert"] for rule in rules} == told
    for rule in rules:
        assert rule["annotations"].keys() == {"summary", "do"}
        assert rule["labels"]["severity"] in {"warning", "critical"}
