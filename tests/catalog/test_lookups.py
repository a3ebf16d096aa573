"""What a catalog answers."""

from datetime import timedelta

import pytest

from schemas.catalog import LONGEST_NAME, Catalog, CatalogError

TEXT = """
production: [production, "prod-*"]
environments:
  production: [prod, "*-live"]
  staging: "stg-?"
services:
  checkout:
    team: payments
    deployments_from: kubernetes
    repositories: [acme/checkout, "acme/checkout-*"]
    workloads: [staging/checkout, checkout, "payments/*"]
    pipelines:
      - release-checkout
      - {name: "deploy-checkout-*", environment: production}
    applications: [argocd/checkout]
    environments: {preview: [prod, "pr-*"]}
  search:
    workloads: ["**-search"]
    repositories: ["acme/**"]
  "pay-*": {team: payments}
  "*": {team: platform, deployments_from: argocd}
"""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.parse(TEXT)


@pytest.mark.parametrize(
    ("kind", "name", "namespace", "service"),
    [
        ("workload", "checkout", "staging", "checkout"),
        ("workload", "checkout", None, "checkout"),
        ("workload", "anything", "payments", "checkout"),
        ("workload", "anything", None, "anything"),
        ("workload", "product-search", "shop", "search"),
        ("workload", "other", "shop", "other"),
        ("repository", "acme/checkout", None, "checkout"),
        ("repository", "Acme/Checkout-API", None, "checkout"),
        ("repository", "acme/group/search", None, "search"),
        ("repository", "other/checkout", None, "other/checkout"),
        ("pipeline", "release-checkout", None, "checkout"),
        ("pipeline", "Release-Checkout", None, "Release-Checkout"),
        ("application", "argocd/checkout", None, "checkout"),
        # A workload's pattern says nothing of an application.
        ("application", "product-search", None, "product-search"),
    ],
)
def test_service(catalog: Catalog, kind: str, name: str, namespace: str | None, service: str):
    assert catalog.service(kind, name, namespace=namespace) == service  # type: ignore[arg-type]


def test_what_is_listed_of_a_service(catalog: Catalog):
    assert catalog.lists("repository", "checkout")
    assert catalog.lists("application", "checkout")
    assert not catalog.lists("application", "search")
    assert not catalog.lists("repository", "pay-later")
    assert not Catalog.empty().lists("repository", "checkout")


def test_a_full_name_beats_an_earlier_pattern_and_the_first_pattern_a_later_one():
    catalog = Catalog.parse(
        'services: {a: {workloads: ["c*"]}, b: {workloads: ["ch*"]}, c: {workloads: [checkout]}}'
    )
    assert catalog.service("workload", "checkout") == "c"
    assert catalog.service("workload", "checker") == "a"


def test_a_name_with_its_namespace_beats_one_without():
    catalog = Catalog.parse("services: {a: {workloads: [web]}, b: {workloads: [shop/web]}}")
    assert catalog.service("workload", "web", namespace="shop") == "b"
    assert catalog.service("workload", "web", namespace="blog") == "a"


def test_environment_of_a_thing(catalog: Catalog):
    assert catalog.environment_of("pipeline", "deploy-checkout-eu") == "production"
    assert catalog.environment_of("pipeline", "release-checkout") is None
    assert catalog.environment_of("pipeline", "unknown") is None


@pytest.mark.parametrize(
    ("native", "service", "environment"),
    [
        ("prod", None, "production"),
        ("eu-live", None, "production"),
        ("stg-1", None, "staging"),
        ("stg-12", None, "stg-12"),
        # What a service says goes before what is said for all.
        ("prod", "checkout", "preview"),
        ("pr-17", "checkout", "preview"),
        ("eu-live", "checkout", "production"),
        ("pr-17", "search", "pr-17"),
        ("development", None, "development"),
    ],
)
def test_environment(catalog: Catalog, native: str, service: str | None, environment: str):
    assert catalog.environment(native, service=service) == environment


def test_an_environment_in_full_beats_an_earlier_pattern():
    catalog = Catalog.parse('environments: {testing: ["prod*"], production: [prod]}')
    assert catalog.environment("prod") == "production"
    assert catalog.environment("prod-test") == "testing"


def test_teams(catalog: Catalog):
    assert catalog.team_of("checkout") == "payments"
    assert catalog.team_of("pay-later") == "payments"
    assert catalog.team_of("anything") == "platform"
    assert catalog.services_of("payments") == ("checkout",)
    assert catalog.services_of("payments", known=["pay-later", "web", "checkout"]) == (
        "checkout",
        "pay-later",
    )
    assert catalog.services_of("platform") == ("search",)
    assert catalog.services_of("nobody", known=["web"]) == ()
    assert catalog.describes_services_by_pattern
    assert not Catalog.parse("services: {shop: {team: storefront}}").describes_services_by_pattern


def test_deployments_from(catalog: Catalog):
    assert catalog.deployments_from("checkout") == "kubernetes"
    assert catalog.deployments_from("pay-later") == "argocd"


def test_production(catalog: Catalog):
    assert catalog.production_environments == ("production", "prod-*")
    assert catalog.is_production("production")
    assert catalog.is_production("prod-eu")
    assert not catalog.is_production("prod")
    assert not catalog.is_production("staging")


@pytest.mark.parametrize("catalog", [Catalog.empty(), Catalog.parse(""), Catalog.parse("# nothing yet\n")])
def test_without_a_catalog_every_name_stays_what_it_is(catalog: Catalog):
    assert catalog.service("repository", "Acme/Checkout") == "Acme/Checkout"
    assert catalog.environment("prod", service="checkout") == "prod"
    assert catalog.environment_of("pipeline", "deploy") is None
    assert catalog.team_of("checkout") is None
    assert catalog.deployments_from("checkout") is None
    assert catalog.production_environments == ()
    assert not catalog.is_production("production")
    assert catalog.digest == Catalog.empty().digest


def test_the_digest_changes_with_answers_only():
    catalog = Catalog.parse(TEXT)
    assert catalog.digest == Catalog.parse(f"# a comment\n{TEXT}").digest
    assert catalog.digest != Catalog.parse(TEXT.replace("team: payments", "team: money", 1)).digest
    # The order of patterns decides which of them wins.
    one = Catalog.parse('services: {a: {workloads: ["c*"]}, b: {workloads: ["*t"]}}')
    other = Catalog.parse('services: {b: {workloads: ["*t"]}, a: {workloads: ["c*"]}}')
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("change", "remade"),
    [
        (("team: payments", "team: money"), False),
        (("services:", "services:\n  bare: {team: money}"), False),
        (("payments/*", "payment/*"), True),
    ],
)
def test_the_digest_of_facts_changes_with_what_rows_are_made_with(change, remade):
    catalog = Catalog.parse(TEXT)
    changed = Catalog.parse(TEXT.replace(*change, 1))
    assert changed.digest != catalog.digest
    assert (changed.facts_digest != catalog.facts_digest) is remade


@pytest.mark.parametrize(
    ("production", "remade"),
    [("[production]", False), ('["prod-*", production]', False), ("[live]", True), ('["live*", live]', True)],
)
def test_of_production_only_where_incidents_are_put_makes_rows(production, remade):
    changed = Catalog.parse(f"production: {production}")
    assert (changed.facts_digest != Catalog.empty().facts_digest) is remade


def test_names_longer_than_any_are_in_no_catalog(catalog: Catalog):
    long = "x" * LONGEST_NAME + "-search"
    assert catalog.service("workload", long) == long
    assert catalog.environment(long + "-live") == long + "-live"
    assert catalog.team_of(long) is None
    assert not catalog.is_production("prod-" + long)


def test_how_long_an_incident_can_be_a_deployments_fault():
    limits = '"pay-*": {incident_within: 3d}, "*": {incident_within: 12h}'
    catalog = Catalog.parse(f"services: {{checkout: {{incident_within: 90m}}, {limits}}}")
    assert catalog.incident_within("checkout") == timedelta(minutes=90)
    assert catalog.incident_within("pay-in") == timedelta(days=3)
    assert catalog.incident_within("search") == timedelta(hours=12)
    assert Catalog.empty().incident_within("search") is None
    assert (
        catalog.digest != Catalog.parse(f"services: {{checkout: {{incident_within: 91m}}, {limits}}}").digest
    )


@pytest.mark.parametrize("told", ["1", "h", "0h", "-1h", "1.5h", "1 h", "100000d", "1w"])
def test_a_duration_that_is_none_is_named(told):
    with pytest.raises(CatalogError, match=r"services\.checkout\.incident_within: expected a number"):
        Catalog.parse(f"services: {{checkout: {{incident_within: '{told}'}}}}")
