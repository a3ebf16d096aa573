"""Backstage's files, beside the catalog or alone: what is taken of them; faults name file and line."""

from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalog import Catalog, CatalogError
from schemas.catalog_backstage import ARGOCD, JENKINS, KUBERNETES, NAMESPACE, SLUGS, SOURCE

KEYS = [*SLUGS, SOURCE, KUBERNETES, NAMESPACE, ARGOCD, JENKINS]

SHOP = """
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: shop}
spec: {owner: group:default/commerce}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: checkout
  description: Takes the money
  annotations:
    github.com/project-slug: acme/shop
    backstage.io/source-location: url:https://github.com/acme/shop/tree/main/services/checkout/
    backstage.io/kubernetes-id: checkout-api
    backstage.io/kubernetes-namespace: shop
    argocd/app-name: checkout, checkout-eu
    jenkins.io/job-full-name: ci:shop/checkout
spec: {type: service, lifecycle: production, owner: payments, system: shop}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: search
  annotations:
    backstage.io/source-location: url:https://gitlab.example.com/acme/sub/search/-/tree/main
spec: {type: service, system: shop}
---
# Nothing that counts here.
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: checkout-api}
"""


def files(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        file = folder / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.with_suffix(".yaml").write_text(text)
    return folder / "catalog.yaml"


@pytest.mark.parametrize("alone", [True, False])
def test_components_are_services_with_what_their_annotations_say(tmp_path, alone):
    path = files(tmp_path, catalog="backstage: ['*/catalog-info.yaml']", shop__catalog_info=SHOP)
    (tmp_path / "shop" / "catalog_info.yaml").rename(tmp_path / "shop" / "catalog-info.yaml")
    catalog = Catalog.load(tmp_path / "shop" / "catalog-info.yaml" if alone else path)
    assert catalog.services_of("payments") == ("checkout",)
    assert catalog.services_of("commerce") == ("search",)
    assert catalog.service("workload", "checkout-api", namespace="shop") == "checkout"
    assert catalog.service("workload", "checkout-api", namespace="other") == "checkout-api"
    assert catalog.service("application", "checkout-eu", namespace="argocd") == "checkout"
    assert catalog.service("pipeline", "shop/checkout") == "checkout"
    assert catalog.service("repository", "acme/sub/search") == "search"
    assert catalog.services_of_paths("acme/shop", ["services/checkout/x", "y"]) == ("checkout",)


OURS = """
backstage: [catalog-info.yaml]
production: [live]
services:
  checkout:
    team: money
    deployments_from: argocd
    repositories: [acme/shop, acme/checkout-config]
"""


def test_what_both_say_our_file_says(tmp_path):
    path = files(tmp_path, catalog=OURS)
    (tmp_path / "catalog-info.yaml").write_text(SHOP)
    catalog = Catalog.load(path)
    assert catalog.team_of("checkout") == "money"
    assert catalog.deployments_from("checkout") == "argocd"
    assert catalog.service("application", "checkout") == "checkout"
    # The whole repository, and not the folder that Backstage names.
    assert catalog.services_of_paths("acme/shop", ["y"]) is None
    assert catalog.is_production("live")
    assert catalog.team_of("search") == "commerce"


COMPONENT = "apiVersion: backstage.io/v1alpha1\nkind: Component\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (COMPONENT + "metadata: {}", "catalog-info.yaml, line 1: has no 'metadata.name'; add it"),
        (
            COMPONENT + "metadata:\n  name: a b",
            "catalog-info.yaml, line 4, metadata.name: expected letters, digits and - _ . between them",
        ),
        (
            COMPONENT + "metadata:\n  name: a\n  annotations:\n    github.com/project-slug: acme",
            "catalog-info.yaml, line 6, metadata.annotations.github.com/project-slug: expected owner/name",
        ),
        (
            COMPONENT + "metadata:\n  name: a\n  annotations:\n    backstage.io/source-location: url:nowhere",
            "catalog-info.yaml, line 6, metadata.annotations.backstage.io/source-location: expected the",
        ),
        (
            COMPONENT + "metadata: {name: a}\nspec:\n  owner: [x]",
            "catalog-info.yaml, line 5, spec.owner: expected one name; write plain text here",
        ),
        (
            COMPONENT + "metadata: {name: a}\nspec: {owner: 'a team'}",
            "catalog-info.yaml, line 4, spec.owner: expected a reference, as payments or group:",
        ),
        (
            f"{COMPONENT}metadata: {{name: a}}\n---\n{COMPONENT}metadata: {{name: a}}",
            "catalog-info.yaml, line 7, metadata.name: a second component 'a'; give one another name",
        ),
        ("services: {}", "catalog-info.yaml, line 1: not an entity of Backstage's"),
        (
            COMPONENT + "metadata: {name: a, annotations: {backstage.io/kubernetes-id: taken}}",
            "catalog-info.yaml, line 3, metadata.annotations.backstage.io/kubernetes-id: 'taken' already",
        ),
        ("a: [", "catalog-info.yaml, line 1: not valid YAML"),
    ],
)
def test_faults_name_file_line_and_field(tmp_path, text, message):
    catalog = "backstage: [catalog-info.yaml]\nservices: {b: {workloads: [taken]}}"
    path = files(tmp_path, catalog=catalog)
    (tmp_path / "catalog-info.yaml").write_text(text)
    with pytest.raises(CatalogError) as caught:
        Catalog.load(path)
    assert str(caught.value).startswith(f"{tmp_path}/{message}")


@pytest.mark.parametrize("name", ["nowhere.yaml", "/etc/*.yaml", "[", "**"])
def test_files_that_are_not_there_are_named_in_our_file(tmp_path, name):
    path = files(tmp_path, catalog=f"backstage:\n  - '{name}'")
    path.rename(tmp_path / "c.yml")
    with pytest.raises(CatalogError, match=r"line 2, backstage\[0\]: no file has this name"):
        Catalog.load(tmp_path / "c.yml")


def test_a_catalog_that_is_no_file_can_name_none():
    with pytest.raises(CatalogError, match="only a catalog that is a file itself"):
        Catalog.parse("backstage: [x.yaml]")


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CatalogError, match=r"c\.yaml: not UTF-8"):
        Catalog.load(tmp_path / "c.yaml")


ANYTHING = st.recursive(
    st.none()
    | st.text(max_size=8)
    | st.sampled_from(["url:https://h/o/r/tree/m/", "group:default/x", "Component"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*KEYS, "kind", "metadata", "spec", "owner", "name"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@given(ANYTHING, ANYTHING, st.sampled_from(["Component", "System", "Group", None, 7]))
def test_no_entity_raises_anything_else(metadata, spec, kind):
    entity = {"apiVersion": "backstage.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
    with suppress(CatalogError):
        Catalog.parse(yaml.safe_dump(entity))


@given(st.dictionaries(st.sampled_from(KEYS), st.text(max_size=60), max_size=4))
def test_no_annotation_raises_anything_else(annotations):
    metadata = {"name": "a", "annotations": annotations}
    entity = {"apiVersion": "backstage.io/v1alpha1", "kind": "Component", "metadata": metadata}
    with suppress(CatalogError):
        Catalog.parse(yaml.safe_dump(entity))
