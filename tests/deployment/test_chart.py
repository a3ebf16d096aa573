"""deploy/helm/dora-events: it renders, Kubernetes takes it, and it keeps the rules of a careful cluster."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import ingress.server as ingress_server
from access.kafka import KafkaSettings
from deploy.cli import application, available
from ingress.producers import STOP_GRACE
from streams.app import create_app
from streams.frontier import Frontier
from streams.progress import IDLE_DEADLINE
from streams.settings import Settings
from streams.watchdog import STOP_DEADLINE
from tests.deployment.kubernetes import CHART, ROOT, conform, helm, objects, render
from tests.deployment.value_sets import MANAGED_KAFKA, VALUES
from tests.docs.pages import rows
from tests.infra.certificates import Authority

PAGE = ROOT / "docs" / "kubernetes.md"
VERSIONS = ("1.31.0", "1.32.0", "1.33.0", "1.34.0")
SETS = pytest.mark.parametrize("name", VALUES)


@pytest.fixture(params=VALUES)
def rendered(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """The objects of one set of values."""
    return objects(render(VALUES[request.param]))


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
def test_kubernetes_takes_it(name: str, version: str, schemas: dict[str, Path]):
    assert conform(render(VALUES[name]), version, schemas[version]) == ""


def test_s1_pods_are_restricted(rendered: list[dict[str, Any]]):
    """Pod Security Standards, level restricted, field by field."""
    for name, _, spec in pods(rendered):
        security = spec["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["runAsUser"] > 0, name
        assert security["runAsGroup"] > 0, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), name
        assert spec["automountServiceAccountToken"] is False, name
        kinds = {kind for volume in spec.get("volumes", ()) for kind in volume if kind != "name"}
        assert kinds <= {"emptyDir", "configMap", "secret", "projected"}, name
    for name, container in containers(rendered):
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False, name
        assert security["capabilities"] == {"drop": ["ALL"]}, name
        if "dora-events" in container["image"]:
            assert security["readOnlyRootFilesystem"] is True, name


def test_s6_containers_have_limits_and_images_have_versions(rendered: list[dict[str, Any]]):
    for name, container in containers(rendered):
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
        assert container["resources"]["limits"].keys() == {"cpu", "memory"}, name
        assert re.search(r":(?!latest)[\w.-]+(@sha256:[0-9a-f]{64})?$", container["image"]), name


def servers(rendered: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every pod that stays: its component, its specification, its one container."""
    for each in rendered:
        if each["kind"] in {"Deployment", "StatefulSet"}:
            template = each["spec"]["template"]
            (container,) = template["spec"]["containers"]
            yield template["metadata"]["labels"]["app.kubernetes.io/component"], template["spec"], container


def test_s5_what_serves_is_probed(rendered: list[dict[str, Any]]):
    """Alive while there is progress, ready with its dependencies, and with time to read its tables back."""
    for part, _, container in servers(rendered):
        assert container.keys() >= {"startupProbe", "livenessProbe", "readinessProbe"}, part
        if part in {"kafka", "postgres"}:
            continue
        paths = {kind: container[kind]["httpGet"]["path"] for kind in ("startupProbe", "livenessProbe")}
        assert set(paths.values()) == {"/healthz"}
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"] > 60


def test_s6_a_pod_has_longer_to_end_than_its_process_takes(rendered: list[dict[str, Any]]):
    settings = {"ingress": ingress_server.GRACE + STOP_GRACE, "worker": IDLE_DEADLINE + STOP_DEADLINE}
    for part, spec, container in servers(rendered):
        drain = next((each["value"] for each in container.get("env", ()) if each["name"] == "DORA_DRAIN"), 0)
        assert spec["terminationGracePeriodSeconds"] > float(drain) + settings.get(part, 20), part


def test_s6_what_there_is_several_of_has_a_budget(rendered: list[dict[str, Any]]):
    budgets = {
        each["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"]
        for each in rendered
        if each["kind"] == "PodDisruptionBudget"
    }
    wanted = {
        each["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]
        for each in rendered
        if each["kind"] == "Deployment" and each["spec"].get("replicas", 2) > 1
    }
    assert budgets >= wanted


def test_s6_a_worker_may_take_longer_between_polls_than_any_event_does(tmp_path: Path):
    """Its own watchdog ends it first: a batch that is in hand is never another worker's too."""
    settings = Settings(state_dir=tmp_path)
    app = create_app(settings, 1, Frontier({}))
    assert app.conf.broker_max_poll_interval > settings.stuck_after > settings.function_timeout


def test_r22_a_worker_shows_its_health_port_alone(rendered: list[dict[str, Any]]):
    for part, _, container in servers(rendered):
        if part == "worker":
            assert [port["containerPort"] for port in container["ports"]] == [8082]
    for each in rendered:
        if each["kind"] == "Service" and each["metadata"]["name"].endswith("-worker"):
            assert [port["port"] for port in each["spec"]["ports"]] == [8082]


def test_s3_no_password_is_in_plain_text(rendered: list[dict[str, Any]]):
    for name, container in containers(rendered):
        for variable in container.get("env", ()):
            if variable["name"].endswith("_FILE"):
                continue
            if re.search("PASSWORD|POSTGRES", variable["name"]):
                assert "secretKeyRef" in variable["valueFrom"], f"{name}: {variable['name']}"
    texts = [yaml.safe_dump(each) for each in rendered if each["kind"] != "Secret"]
    assert not [text for text in texts if re.search(r"postgres(ql)?://[^\s/]*:[^\s/]*@", text)]


IDENTITIES = {"ingress": "ingress", "worker": "worker", "topics": "operator", "scheduled": "operator"}


@pytest.mark.parametrize("name", [name for name in VALUES if "security" in VALUES[name].get("kafka", {})])
def test_s3_kafka_is_entered_with_mounted_secrets(name: str, tmp_path: Path):
    """What the pods are told is what the processes take, and every file of it is a secret's."""
    kafka = VALUES[name]["kafka"]
    entering = set()
    for _, labels, spec in pods(objects(render(VALUES[name]))):
        (container,) = spec["containers"]
        told = {each["name"]: each["value"] for each in container.get("env", ()) if "value" in each}
        told = {key: value for key, value in told.items() if key.startswith("DORA_KAFKA")}
        part = labels["app.kubernetes.io/component"]
        if not told:
            assert part in {"query", "migrate", "test", "postgres"}
            continue
        entering.add(part)
        mounted = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
        secrets = {each["name"]: each["secret"]["secretName"] for each in spec["volumes"] if "secret" in each}
        for variable in [each for each in told if each.endswith("_FILE")]:
            folder, _, key = told[variable].rpartition("/")
            secret = secrets[mounted[folder]]
            identity = kafka.get(IDENTITIES[part], {}).get("secret")
            assert secret == (kafka["caSecret"] if variable == "DORA_KAFKA_CA_FILE" else identity)
            told[variable] = str(files(tmp_path)[key])
        values = {key.removeprefix("DORA_").lower(): value for key, value in told.items()}
        cluster = KafkaSettings.model_validate(values).cluster
        assert cluster.protocol == kafka["security"]
        assert (cluster.login is None) == (cluster.protocol == "SSL")
    assert entering >= {"ingress", "worker", "topics"}


def files(folder: Path) -> dict[str, Path]:
    """What the secrets would hold, by key."""
    authority = Authority(folder / "certificates", "authority")
    pair = authority.sign("dora")
    password = folder / "password"
    password.write_text("s3cret\n")
    return {"ca.crt": authority.file, "tls.crt": pair, "tls.key": pair, "password": password}


def selects(policy: dict[str, Any], labels: dict[str, str]) -> bool:
    return (policy["spec"]["podSelector"].get("matchLabels") or {}).items() <= labels.items()


@SETS
def test_s2_every_pod_is_denied_what_is_not_allowed(name: str):
    rendered = objects(render(VALUES[name]))
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


def test_s2_who_reaches_kafka_and_postgres():
    rendered = objects(render({}))
    reach: dict[str, set[int | str]] = {}
    for each in rendered:
        if each["kind"] == "NetworkPolicy":
            part = (each["spec"]["podSelector"].get("matchLabels") or {}).get("app.kubernetes.io/component")
            ports = {entry["port"] for rule in each["spec"].get("egress") or () for entry in rule["ports"]}
            if part:
                reach[part] = ports
    assert reach["ingress"] == {9092}
    assert reach["worker"] == {9092, 5432}
    assert reach["query"] == {5432, "http"}, "the ingress, for corrections, and the workers, for their lag"
    assert reach["migrate"] == {5432}
    assert reach["topics"] == {9092}


@SETS
def test_the_ingress_is_told_who_may_send(name: str):
    """It listens on all addresses of its pod, and would not start without."""
    rendered = objects(render(VALUES[name]))
    (ingress,) = [container for found, container in containers(rendered) if found.endswith(": ingress")]
    told = {each["name"]: each.get("value") for each in ingress["env"]}
    assert told["DORA_OPEN"] == str(VALUES[name].get("ingress", {}).get("open", True)).lower()
    files = [
        value for variable, value in told.items() if variable.endswith("_FILE") and "INGRESS" in variable
    ]
    mounts = [each["mountPath"] for each in ingress["volumeMounts"]]
    assert all(any(file.startswith(f"{mount}/") for mount in mounts) for file in files)


def test_an_issuer_of_the_cluster_is_asked_by_a_token_of_the_pods_own():
    values = {"ingress": {"clusterIdentity": True, "open": False}}
    (spec,) = [spec for name, _, spec in pods(objects(render(values))) if name == "Deployment dora-ingress"]
    (volume,) = [each for each in spec["volumes"] if each["name"] == "cluster"]
    assert {kind for source in volume["projected"]["sources"] for kind in source} == {
        "serviceAccountToken",
        "configMap",
    }
    assert spec["automountServiceAccountToken"] is False, "it cannot be used for anything but asking for keys"


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


def test_jobs_come_before_the_release_where_the_stores_are_elsewhere():
    rendered = objects(render(VALUES["managed stores"]))
    jobs = [each for each in rendered if each["kind"] == "Job"]
    assert {each["metadata"]["annotations"]["helm.sh/hook"] for each in jobs} == {"pre-install,pre-upgrade"}
    made = {each["metadata"]["name"] for each in rendered if each["kind"] in {"Secret", "ConfigMap"}}
    for _, _, spec in pods(jobs):
        assert not [name for name in made if name in json.dumps(spec)], "a hook runs before these are made"


def test_jobs_of_own_stores_are_part_of_the_release():
    jobs = [each for each in objects(render({})) if each["kind"] == "Job"]
    assert [each["metadata"].get("annotations") for each in jobs] == [None, None]
    assert all(each["metadata"]["name"].endswith("-1") for each in jobs)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"image": {"tag": "latest"}}, "tag"),
        ({"wrong": 1}, "wrong"),
        ({"retention": {"olderThan": "forever"}}, "olderThan"),
        ({"scheduled": {"check": {"schedule": "@daily", "command": ["topics"]}}}, "propertyName 'check'"),
        ({"worker": {"replicas": 9}}, "9 workers, but 8 partitions"),
        ({"kafka": {"bootstrapServers": "b:9092"}}, "kafka.peers"),
        ({"postgres": {"existingSecret": "s"}}, "postgres.peers"),
        ({"worker": {"autoscaling": {"kind": "keda"}}}, "prometheus"),
        ({"ingress": {"http": {"enabled": True}}}, "host"),
        ({"ingress": {"http": {"enabled": True, "host": "events.example.com"}}}, "ingress.open"),
        ({"ingress": {"settings": {"KAFKA": "x"}}}, "KAFKA"),
        ({"kafka": {"security": "SSL"}}, "kafka.security: the chart's own broker speaks plain text"),
        ({"kafka": {**MANAGED_KAFKA, "security": "SASL_SSL"}}, "secret"),
        ({"kafka": {**MANAGED_KAFKA, "security": "TLS"}}, "security"),
    ],
)
def test_values_that_cannot_work_are_refused(values: dict[str, Any], told: str, tmp_path: Path):
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    done = helm("template", "dora", str(CHART), "--values", str(file))
    assert done.returncode != 0
    assert told in done.stderr


def test_names_follow_the_release():
    rendered = objects(render({}, release="metrics"))
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


def scheduled(values: dict[str, Any]) -> dict[str, tuple[str, list[str]]]:
    """The CronJobs: name → schedule, arguments of `dora`."""
    return {
        each["metadata"]["name"]: (
            each["spec"]["schedule"],
            each["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"],
        )
        for each in objects(render(values))
        if each["kind"] == "CronJob"
    }


def test_retention_is_asked_for_and_the_check_is_not():
    check = {"dora-check": ("37 4 * * *", ["recompute", "--check"])}
    assert scheduled({}) == check
    assert scheduled({"retention": {"olderThan": "400d"}}) == {
        **check,
        "dora-retention": ("17 3 * * *", ["retain", "--older-than", "400d"]),
    }
    assert scheduled({"check": {"enabled": False}}) == {}


@pytest.mark.parametrize("values", [{}, VALUES["everything"]], ids=["trying out", "everything"])
def test_what_is_scheduled_is_a_command_with_these_options(values: dict[str, Any]):
    """Each is asked for its help with the options that it will get, which an unknown one would fail."""
    for _, arguments in scheduled(values).values():
        done = CliRunner().invoke(application(arguments[0]), [*arguments, "--help"])
        assert done.exit_code == 0, done.output
        assert {each for each in arguments if each.startswith("--")} <= set(done.output.split())


def test_the_chart_carries_the_alerts_and_dashboards_of_the_compose_file():
    files = {file.name: file.read_text() for file in (CHART / "files").iterdir()}
    wanted = {file.name: file.read_text() for file in (ROOT / "deploy/grafana/dashboards").glob("*.json")}
    wanted["alerts.yml"] = (ROOT / "deploy/prometheus/alerts.yml").read_text()
    assert files == wanted
