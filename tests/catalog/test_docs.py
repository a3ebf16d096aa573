"""The examples in the documentation are catalogs and manifests that work."""

import re
from pathlib import Path

import pytest
import yaml

from schemas.catalog import Catalog, CatalogError
from schemas.catalog_file import MEMBERS

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


def test_the_catalog_in_the_documentation_is_one():
    (text,) = blocks("catalog.md", "yaml")
    catalog = Catalog.parse(text)
    assert catalog.service("workload", "web", namespace="payments") == "checkout"
    assert catalog.environment_of("pipeline", "deploy-checkout-eu") == "production"
    assert catalog.environment("pr-7", service="checkout") == "preview"
    assert catalog.team_of("pay-later") == "payments"
    assert catalog.deployments_from("anything") == "kubernetes"
    assert catalog.is_production("prod-eu")


def test_the_fault_in_the_documentation_is_what_is_said():
    (told,) = blocks("catalog.md", "text")
    text = "\n" * 4 + "services:\n  checkout:\n    workload: [x]"
    with pytest.raises(CatalogError) as caught:
        Catalog.parse(text)
    assert str(caught.value) == told.strip()


@pytest.mark.parametrize(
    "key", ["services", "environments", "production", "team", "deployments_from", *MEMBERS]
)
def test_every_key_is_documented(key: str):
    assert f"`{key}`" in (DOCS / "catalog.md").read_text()


def test_the_manifest_in_the_documentation_sends_objects():
    manifest, *_ = map(yaml.safe_load, blocks("sources/kubernetes.md", "yaml"))
    assert manifest["spec"]["mode"] == "Resource"
    kinds = {entry["kind"] for entry in manifest["spec"]["resources"]}
    assert kinds == {"Deployment", "StatefulSet", "DaemonSet"}
