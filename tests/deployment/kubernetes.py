"""Rendering the chart with helm, and checking objects against Kubernetes' own schemas with kubeconform."""

import importlib.util
import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "dora-events"
# Objects of operators, whose schemas are not Kubernetes' own.
OPERATORS = ("ServiceMonitor", "PrometheusRule", "ScaledObject")
SCHEMAS = (
    *("configmap-v1", "secret-v1", "service-v1", "serviceaccount-v1", "pod-v1", "deployment-apps-v1"),
    *("statefulset-apps-v1", "job-batch-v1", "cronjob-batch-v1", "ingress-networking-v1"),
    *("networkpolicy-networking-v1", "poddisruptionbudget-policy-v1"),
    *("horizontalpodautoscaler-autoscaling-v2", "role-rbac-v1", "rolebinding-rbac-v1"),
    *("clusterrole-rbac-v1", "clusterrolebinding-rbac-v1"),
)
REFERENCE = re.compile(r"/api/_definitions\.json#/\$defs/([\w.]+)")
WITHIN = re.compile(r'"#/\$defs/([\w.]+)"')


def needs(program: str) -> None:
    """Skip where a program is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed: go install, see docs/kubernetes.md")


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm; see its exit code."""
    needs("helm")
    return subprocess.run(["helm", *arguments], capture_output=True, text=True, timeout=60)


def render(values: dict[str, Any], release: str = "dora") -> str:
    """The chart's objects as YAML; it must render."""
    return _text_of(yaml.safe_dump(values), release)


@cache
def _text_of(values: str, release: str) -> str:
    """Rendered once for all tests that ask for the same."""
    with NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(values)
        file.flush()
        done = helm("template", release, str(CHART), "--namespace", "dora", "--values", file.name)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(text: str) -> list[dict[str, Any]]:
    """The objects in a stream of YAML documents."""
    return [each for each in yaml.safe_load_all(text) if each]


@cache
def definitions(version: str) -> tuple[Path, dict[str, Any]]:
    """The folder of the schemas of a Kubernetes version, and what they refer to."""
    found = importlib.util.find_spec("kubernetes_validate")
    if found is None or found.origin is None:
        pytest.skip("the schemas of Kubernetes are not installed: pip install kubernetes-validate")
    folder = Path(found.origin).parent / "kubernetes-json-schema" / f"v{version}-local-strict"
    return folder, json.loads((folder / "_definitions.json").read_text())["$defs"]


def write_schemas(version: str, folder: Path) -> None:
    """Write each schema as a file that stands alone: kubeconform cannot follow their references."""
    source, shared = definitions(version)
    for name in SCHEMAS:
        text = (source / f"{name}.json").read_text()
        wanted, found = set(REFERENCE.findall(text)), {}
        while wanted:
            part = wanted.pop()
            found[part] = shared[part]
            told = json.dumps(shared[part])
            wanted |= {*REFERENCE.findall(told), *WITHIN.findall(told)} - found.keys()
        alone = json.dumps({**json.loads(text), "definitions": found})
        alone = WITHIN.sub(r'"#/definitions/\1"', REFERENCE.sub(r"#/definitions/\1", alone))
        (folder / f"{name}.json").write_text(alone)


def conform(text: str, version: str, schemas: Path) -> str:
    """What kubeconform finds wrong in strict mode."""
    needs("kubeconform")
    if not any(schemas.iterdir()):
        write_schemas(version, schemas)
    done = subprocess.run(
        [
            "kubeconform",
            "-strict",
            "-kubernetes-version",
            version,
            "-schema-location",
            f"{schemas}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json",
            "-skip",
            ",".join(OPERATORS),
        ],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 or done.stdout, done.stderr
    return done.stdout if done.returncode else ""
