"""Where an incident is and what caused it, by its labels and the catalog."""

from typing import Any

import pytest

from schemas.catalog import Catalog
from streams.incidents import Place, causes_of, labels_of, place_of, production_of
from streams.shapes import Unfit

CATALOG = Catalog.parse(
    """
production: ["live-*", production]
environments: {production: [prod, shop]}
services:
  checkout:
    workloads: [checkout-api, {name: batch/settle, environment: nightly}]
    applications: [Checkout on call, {name: Checkout staging, environment: staging}]
"""
)
SHA = "8f14e45fceea167a5a36dedd4bea2543d1f5b1c3"


def place(catalog: Catalog = CATALOG, called: str | None = None, **labels: Any) -> Place:
    return place_of(labels_of(labels), catalog, called=called)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"service": "checkout-api", "environment": "prod"}, Place("checkout", "production")),
        ({"service": "search", "env": "qa"}, Place("search", "qa")),
        ({"service": "search", "namespace": "shop"}, Place("search", "production")),
        ({"service": "search", "environment": "qa", "namespace": "shop"}, Place("search", "qa")),
        ({"deployment": "settle", "namespace": "batch"}, Place("checkout", "nightly")),
        ({"deployment": "settle", "namespace": "other"}, Place("settle", "other")),
        ({"service": "prometheus", "deployment": "settle"}, Place("prometheus", "production")),
        ({"app.kubernetes.io/name": "search"}, Place("search", "production")),
        ({"Service": " checkout-api ", "ENVIRONMENT": "prod"}, Place("checkout", "production")),
        # The labels of kube-state-metrics' own service, and of what its metrics are about.
        (
            {"job": "kube-state-metrics", "service": "ksm", "deployment": "search", "namespace": "shop"},
            Place("search", "production"),
        ),
        (
            {
                "service": "prom-kube-state-metrics",
                "statefulset": "db",
                "exported_namespace": "a",
                "namespace": "b",
            },
            Place("db", "a"),
        ),
        (
            {"service": "kube-state-metrics", "namespace": "monitoring"},
            Place("kube-state-metrics", "monitoring"),
        ),
        ({"alertname": "Down", "host": "andromeda"}, Place(None, "production")),
        ({}, Place(None, "production")),
        ({"service": "", "environment": "  "}, Place(None, "production")),
    ],
)
def test_labels_say_where_an_incident_is(labels: dict[str, Any], expected: Place):
    assert place(**labels) == expected


def test_what_a_pager_calls_a_service_is_an_application_to_the_catalog():
    assert place(called="Checkout on call") == Place("checkout", "production")
    assert place(called="Checkout staging") == Place("checkout", "staging")
    assert place(called="API Service") == Place("API Service", "production")
    assert place(called="Checkout staging", environment="prod") == Place("checkout", "production")
    assert place(called="Checkout staging", service="search") == Place("search", "production")


def test_an_incident_that_says_nothing_is_in_production():
    assert production_of(Catalog.empty()) == "production"
    assert production_of(CATALOG) == "production"  # not a pattern
    assert production_of(Catalog.parse('production: ["live-*"]')) == "production"
    assert production_of(Catalog.parse("production: [live, prod]")) == "live"


@pytest.mark.parametrize(
    "told", [None, [], "x", 7, {"service": None}, {"service": ["x"]}, {"service": {"a": 1}}]
)
def test_what_is_no_label_names_nothing(told: Any):
    assert labels_of(told) == {}


@pytest.mark.parametrize("value", ["x" * 257, "a\0b", "a\nb"])
def test_a_name_that_cannot_be_kept_is_not_passed_on(value: str):
    with pytest.raises(Unfit, match="service"):
        place(service=value)
    with pytest.raises(Unfit, match="environment"):
        place(environment=value)


@pytest.mark.parametrize(
    ("labels", "causes"),
    [
        ({"deploy_id": "u-1:7", "commit": SHA}, {"deploy_id": "u-1:7", "commit": SHA}),
        ({"deployment-id": "u-1:7"}, {"deploy_id": "u-1:7"}),
        ({"revision": SHA, "repository": "acme/shop"}, {"commit": SHA, "repository": "acme/shop"}),
        ({"revision": "main"}, {}),
        ({"artifact": "pkg:oci/shop@sha256%3Aabc"}, {"artifact": "pkg:oci/shop@sha256%3Aabc"}),
        ({"image": "r.example/shop", "pod": "shop-1"}, {}),
        ({}, {}),
    ],
)
def test_labels_may_name_what_caused_an_incident(labels: dict[str, Any], causes: dict[str, str]):
    assert causes_of(labels_of(labels)) == causes
