"""The examples in the documentation are catalogs and manifests that work."""

import re
from pathlib import Path

import pytest
import yaml

from schemas import catalog_backstage as backstage
from schemas.catalog import Catalog, CatalogError
from schemas.catalog_file import MEMBERS

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


def test_the_catalog_in_the_documentation_is_one():
    text, _ = blocks("catalog.md", "yaml")
    catalog = Catalog.parse(text)
    assert catalog.service("workload", "web", namespace="payments") == "checkout"
    assert catalog.environment_of("pipeline", "deploy-checkout-eu") == "production"
    assert catalog.environment("pr-7", service="checkout") == "preview"
    assert catalog.team_of("pay-later") == "payments"
    assert catalog.deployments_from("anything") == "kubernetes"
    assert catalog.is_production("prod-eu")


def test_the_fault_in_the_documentation_is_what_is_said(tmp_path):
    (told,) = blocks("catalog.md", "text")
    file = tmp_path / "catalog.yaml"
    file.write_text("\n" * 4 + "services:\n  checkout:\n    workload: [x]")
    with pytest.raises(CatalogError) as caught:
        Catalog.load(file)
    assert str(caught.value) == f"{tmp_path}/{told.strip()}"


def test_the_divided_repository_in_the_documentation_is_divided():
    _, text = blocks("catalog.md", "yaml")
    catalog = Catalog.parse(text)
    changed = ["services/checkout/main.go", "libs/money/checkout/a", "api/search.proto", "README.md"]
    assert [catalog.services_of_paths("acme/shop", [path]) for path in changed] == [
        ("checkout",),
        ("checkout",),
        ("checkout",),
        ("platform",),
    ]
    assert catalog.service("repository", "acme/checkout-config") == "checkout"


def test_every_annotation_of_backstage_is_documented():
    page = (DOCS / "catalog.md").read_text()
    annotations = (*backstage.SLUGS, backstage.SOURCE, backstage.KUBERNETES, backstage.NAMESPACE)
    assert [
        each for each in (*annotations, backstage.ARGOCD, backstage.JENKINS) if f"`{each}`" not in page
    ] == []


@pytest.mark.parametrize(
    "key", ["services", "environments", "production", "backstage", "team", "deployments_from", *MEMBERS]
)
def test_every_key_is_documented(key: str):
    assert f"`{key}`" in (DOCS / "catalog.md").read_text()


def test_the_manifest_in_the_documentation_sends_objects():
    manifest, *_ = map(yaml.safe_load, blocks("sources/kubernetes.md", "yaml"))
    assert manifest["spec"]["mode"] == "Resource"
    kinds = {entry["kind"] for entry in manifest["spec"]["resources"]}
    assert kinds == {"Deployment", "StatefulSet", "DaemonSet"}


CATALOGS = [
    (page.relative_to(DOCS).as_posix(), text)
    for page in (DOCS / "catalog.md", *sorted((DOCS / "sources").glob("*.md")))
    for text in blocks(page.relative_to(DOCS).as_posix(), "yaml")
    if re.match(r"(?:services|production|environments):", text)
]


@pytest.mark.parametrize(("page", "text"), CATALOGS, ids=[page for page, _ in CATALOGS])
def test_every_catalog_in_the_documentation_is_one(page: str, text: str):
    assert Catalog.parse(text).digest != Catalog.empty().digest, page


def test_there_are_catalogs_on_the_pages_of_sources():
    assert {"sources/gitlab.md", "sources/argocd.md", "sources/jenkins.md"} <= {page for page, _ in CATALOGS}
