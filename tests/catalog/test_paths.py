"""Several services in one repository: whose a path is, and what a catalog may say of that."""

import pytest

from schemas.catalog import Catalog, CatalogError

MONOREPO = Catalog.parse(
    """
services:
  checkout:
    repositories:
      - {name: acme/shop, paths: [services/checkout, "libs/*/checkout/", "**/*.proto"]}
      - acme/checkout-config
  search:
    repositories: [{name: Acme/Shop, paths: [./services/search/]}]
  web:
    repositories: [{name: acme/web, paths: [src]}]
  rest:
    repositories: [acme/shop]
  tools:
    repositories: [{name: "acme/tools-*", paths: [cmd/one]}]
"""
)


@pytest.mark.parametrize(
    ("paths", "services"),
    [
        (["services/checkout/main.go"], ("checkout",)),
        (["services/checkout"], ("checkout",)),
        (["services/checkout-old/main.go"], ("rest",)),
        (["libs/money/checkout/a/b.py"], ("checkout",)),
        (["libs/a/b/checkout/c"], ("rest",)),
        (["services/search/api.proto"], ("checkout", "search")),
        (["services/search/a", "services/checkout/b"], ("checkout", "search")),
        (["services/search/a", "README.md"], ("rest", "search")),
        ([], ()),
        (["x" * 5000], ("rest",)),
        (["services/checkout/" + "x" * 5000], ("rest",)),
        (["services/checkout/a\nb"], ("checkout",)),
    ],
)
def test_a_path_is_of_whoever_lists_it_or_a_folder_above_it(paths, services):
    assert MONOREPO.services_of_paths("acme/shop", paths) == services
    assert MONOREPO.services_of_paths("ACME/shop", paths) == services


def test_without_a_service_for_the_rest_it_is_nobodys():
    assert MONOREPO.services_of_paths("acme/web", ["docs/index.md"]) == ()
    assert MONOREPO.services_of_paths("acme/tools-x", ["cmd/one/main.go", "go.mod"]) == ("tools",)


def test_a_repository_of_which_no_paths_are_listed_is_not_divided():
    assert MONOREPO.services_of_paths("acme/checkout-config", ["a"]) is None
    assert MONOREPO.services_of_paths("acme/unknown", ["a"]) is None
    assert MONOREPO.services_of_paths("x" * 1000, ["a"]) is None


def test_what_is_not_about_paths_is_of_the_service_for_the_rest_or_of_the_only_one():
    assert MONOREPO.service("repository", "acme/shop") == "rest"
    assert MONOREPO.service("repository", "acme/web") == "web"
    nobody = Catalog.parse(
        "services: {a: {repositories: [{name: o/r, paths: [a]}]},"
        " b: {repositories: [{name: o/r, paths: [b]}]}}"
    )
    assert nobody.service("repository", "o/r") == "o/r"


def test_who_has_a_part():
    assert [
        each for each in ("checkout", "search", "rest", "web") if MONOREPO.divides("acme/shop", each)
    ] == [
        "checkout",
        "search",
        "rest",
    ]
    assert not MONOREPO.divides("acme/checkout-config", "checkout")


def test_paths_are_part_of_what_rows_are_made_with():
    one = Catalog.parse("services: {a: {repositories: [{name: o/r, paths: [a]}]}}")
    other = Catalog.parse("services: {a: {repositories: [{name: o/r, paths: [b]}]}}")
    assert one.facts_digest != other.facts_digest


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (
            "repositories: [{name: o/r, paths: [/]}]",
            "line 1, services.a.repositories[0].paths[0]: expected a path",
        ),
        (
            "repositories: [{name: o/r, paths: [../x]}]",
            "services.a.repositories[0].paths[0]: expected a path",
        ),
        (
            "repositories: [{name: o/r, path: [x]}]",
            "repositories[0].path: unknown key; did you mean 'paths'?",
        ),
        ("workloads: [{name: x, paths: [x]}]", "services.a.workloads[0].paths: unknown key"),
        ("repositories: [o/r]}, b: {repositories: [o/r]", "or give one of them the paths that are its own"),
    ],
)
def test_faults(member, message):
    with pytest.raises(CatalogError) as caught:
        Catalog.parse(f"services: {{a: {{{member}}}}}")
    assert message in str(caught.value)
