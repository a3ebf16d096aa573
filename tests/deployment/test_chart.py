"""deploy/helm/dora-events: it renders, Kubernetes takes it, and it keeps the rules of a careful cluster."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.cli import available
from tests.deployment.kubernetes import CHART, ROOT, conform, helm, objects, render
from tests.deployment.value_sets import VALUES
from tests.docs.pages import rows

PAGE = ROOT / "docs" / "kubernetes.md"
VERSIONS = ("1.31.0", "1.32.0", "1.33.0", "1.34.0")
SETS = pytest.mark.parametrize("name", VALUES)


@pytest.fixture(params=VALUES)
def rendered(request: pytest.FixtureRequest, tmp_path: Path) -> list[dict[str, Any]]:
    """The objects of one set of values."""
    return objects(render(VALUES[request.param], tmp_path))


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {version: tmp_path_factory.mktemp(version) for version in VERSIONS}


def pods(rendered: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every pod of the objects: the object's name, labels, specification."""
    for each in rendered:
        name = f"{each['kind']} {each['metadata']['name']}"
        if each["kind"] == "Pod":
            yield name, each["metadata"]["labels"], each["spec"]
        elif each["kind"] in {"Deployment", "StatefulSet", "Job"}:
            template = each["spec"]["template"]
            yield name, template["metadata"]["labels"], template["spec"]
        elif each["kind"] == "CronJob":
            template = each["spec"]["jobTemplate"]["spec"]["template"]
            yield name, template["metadata"]["labels"], template["spec"]


def containers(rendered: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, _, spec in pods(rendered):
        for container in (*spec.get("initContainers", ()), *spec["containers"]):
            yield f"{name}: {container['name']}", container


def test_helm_finds_nothing_wrong():
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout


@SETS
@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_it(name: str, version: str, schemas: dict[str, Path], tmp_path: Path):
    assert conform(render(VALUES[name], tmp_path), version, schemas[version]) == ""


def test_pods_are_restricted(rendered: list[dict[str, Any]]):
    """Pod Security Standards, level restricted, field by field."""
    for name, _, spec in pods(rendered):
        security = spec["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["runAsUser"] > 0, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), name
        assert spec["automountServiceAccountToken"] is False, name
        kinds = {kind for volume in spec.get("volumes", ()) for kind in volume if kind != "name"}
        assert kinds <= {"emptyDir", "configMap", "secret"}, name
    for name, container in containers(rendered):
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False, name
        assert security["capabilities"] == {"drop": ["ALL"]}, name
        if "dora-events" in container["image"]:
            assert security["readOnlyRootFilesystem"] is True, name


def test_containers_have_limits_and_images_have_versions(rendered: list[dict[str, Any]]):
    for name, container in containers(rendered):
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
        assert container["resources"]["limits"].keys() == {"cpu", "memory"}, name
        assert re.search(r":(?!latest)[\w.-]+(@sha256:[0-9a-f]{64})?$", container["image"]), name


def test_what_serves_is_probed(rendered: list[dict[str, Any]]):
    for each in rendered:
        if each["kind"] in {"Deployment", "StatefulSet"}:
            for container in each["spec"]["template"]["spec"]["containers"]:
                wanted = {"startupProbe", "livenessProbe", "readinessProbe"}
                assert container.keys() >= wanted, each["metadata"]["name"]
            assert each["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= 30


def test_no_password_is_in_plain_text(rendered: list[dict[str, Any]]):
    for name, container in containers(rendered):
        for variable in container.get("env", ()):
            if re.search("PASSWORD|POSTGRES", variable["name"]):
                assert "secretKeyRef" in variable["valueFrom"], f"{name}: {variable['name']}"
    texts = [yaml.safe_dump(each) for each in rendered if each["kind"] != "Secret"]
    assert not [text for text in texts if re.search(r"postgres(ql)?://[^\s/]*:[^\s/]*@", text)]


def selects(policy: dict[str, Any], labels: dict[str, str]) -> bool:
    return (policy["spec"]["podSelector"].get("matchLabels") or {}).items() <= labels.items()


@SETS
def test_every_pod_is_denied_what_is_not_allowed(name: str, tmp_path: Path):
    rendered = objects(render(VALUES[name], tmp_path))
    policies = [each for each in rendered if each["kind"] == "NetworkPolicy"]
    if VALUES[name].get("networkPolicy", {}).get("enabled") is False:
        assert policies == []
        return
    denied = [each for each in policies if not {"ingress", "egress"} & each["spec"].keys()]
    assert denied
    for pod, labels, _ in pods(rendered):
        kinds = {kind for each in denied if selects(each, labels) for kind in each["spec"]["policyTypes"]}
        assert kinds == {"Ingress", "Egress"}, pod
    for each in policies:
        for rule in each["spec"].get("egress") or ():
            assert rule.get("to"), "an empty peer is everywhere, the Internet and 169.254.169.254 included"
            assert rule["ports"]


def test_who_reaches_kafka_and_postgres(tmp_path: Path):
    rendered = objects(render({}, tmp_path))
    reach: dict[str, set[int]] = {}
    for each in rendered:
        if each["kind"] == "NetworkPolicy":
            part = (each["spec"]["podSelector"].get("matchLabels") or {}).get("app.kubernetes.io/component")
            ports = {entry["port"] for rule in each["spec"].get("egress") or () for entry in rule["ports"]}
            if part:
                reach[part] = ports
    assert reach["ingress"] == {9092}
    assert reach["worker"] == {9092, 5432}
    assert reach["query"] == {5432}
    assert reach["migrate"] == {5432}
    assert reach["topics"] == {9092}


def test_selectors_find_pods(rendered: list[dict[str, Any]]):
    """Of services, budgets and policies; a policy for the scheduled jobs may have none."""
    labels = [found for _, found, _ in pods(rendered)]
    for each in rendered:
        if each["kind"] == "Service":
            selector = each["spec"]["selector"]
        elif each["kind"] == "PodDisruptionBudget":
            selector = each["spec"]["selector"]["matchLabels"]
        else:
            continue
        assert [found for found in labels if selector.items() <= found.items()], each["metadata"]["name"]


def test_jobs_come_before_the_release_where_the_stores_are_elsewhere(tmp_path: Path):
    rendered = objects(render(VALUES["managed stores"], tmp_path))
    jobs = [each for each in rendered if each["kind"] == "Job"]
    assert {each["metadata"]["annotations"]["helm.sh/hook"] for each in jobs} == {"pre-install,pre-upgrade"}
    made = {each["metadata"]["name"] for each in rendered if each["kind"] in {"Secret", "ConfigMap"}}
    for _, _, spec in pods(jobs):
        assert not [name for name in made if name in json.dumps(spec)], "a hook runs before these are made"


def test_jobs_of_own_stores_are_part_of_the_release(tmp_path: Path):
    jobs = [each for each in objects(render({}, tmp_path)) if each["kind"] == "Job"]
    assert [each["metadata"].get("annotations") for each in jobs] == [None, None]
    assert all(each["metadata"]["name"].endswith("-1") for each in jobs)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"image": {"tag": "latest"}}, "tag"),
        ({"wrong": 1}, "wrong"),
        ({"worker": {"replicas": 9}}, "9 workers, but 8 partitions"),
        ({"kafka": {"bootstrapServers": "b:9092"}}, "kafka.peers"),
        ({"postgres": {"existingSecret": "s"}}, "postgres.peers"),
        ({"worker": {"autoscaling": {"kind": "keda"}}}, "prometheus"),
        ({"ingress": {"http": {"enabled": True}}}, "host"),
        ({"ingress": {"settings": {"KAFKA": "x"}}}, "KAFKA"),
    ],
)
def test_values_that_cannot_work_are_refused(values: dict[str, Any], told: str, tmp_path: Path):
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    done = helm("template", "dora", str(CHART), "--values", str(file))
    assert done.returncode != 0
    assert told in done.stderr


def test_names_follow_the_release(tmp_path: Path):
    rendered = objects(render({}, tmp_path, release="metrics"))
    assert all(each["metadata"]["name"].startswith("metrics-dora") for each in rendered)


def leaves(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its path; lists, and what is empty, are values."""
    if isinstance(values, dict) and values and not path.endswith("resources"):
        for key, value in values.items():
            yield from leaves(value, f"{path}.{key}" if path else key)
    else:
        yield path, values


def test_every_value_is_documented_with_its_default():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    told = {cells[0].strip("`"): cells[1] for cells in rows(PAGE.read_text()) if cells[0].startswith("`")}
    wanted = {
        path: "see values.yaml" if path.endswith("resources") else f"`{json.dumps(value)}`"
        for path, value in leaves(values)
    }
    assert {path: default for path, default in told.items() if path in wanted} == wanted
    assert told.keys() - wanted.keys() == set()


def test_every_value_has_a_schema():
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert schema["properties"].keys() - {"global"} == values.keys()


def test_the_commands_that_are_scheduled_exist():
    examples = re.findall(r"command: \[([a-z-]+)", PAGE.read_text())
    examples += [each["command"][0] for each in VALUES["everything"]["scheduled"].values()]
    assert examples
    assert set(examples) <= available().keys()


def test_the_chart_carries_the_alerts_and_dashboards_of_the_compose_file():
    files = {file.name: file.read_text() for file in (CHART / "files").iterdir()}
    wanted = {file.name: file.read_text() for file in (ROOT / "deploy/grafana/dashboards").glob("*.json")}
    wanted["alerts.yml"] = (ROOT / "deploy/prometheus/alerts.yml").read_text()
    assert files == wanted
