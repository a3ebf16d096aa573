"""A catalog that cannot be used says where, and what to do. Whatever the text, no other exception escapes."""

from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalog import Catalog, CatalogError

FAULTS = {
    "servces: {}": "line 1, servces: unknown key; did you mean 'services'?",
    "zebra: {}": "line 1, zebra: unknown key; known here: services, environments, production, backstage",
    "services:\n  a:\n    tem: x": "line 3, services.a.tem: unknown key; did you mean 'team'?",
    "services:\n  a:\n    workload: [x]": (
        "line 3, services.a.workload: unknown key; did you mean 'workloads'?"
    ),
    "services:\n  a: {}\n  a: {}": "line 3, services.a: is given twice; put both under one key",
    "services:\n  a: [x]": "line 2, services.a: expected 'key: value' lines",
    "services:\n  a:": "line 2, services.a: expected 'key: value' lines",
    "[a]": "line 1: expected 'key: value' lines",
    "production:": "line 1, production: has no value; give it one, or remove the key",
    "production: {a: b}": (
        "line 1, production: expected a list; write each name on a line of its own after '- '"
    ),
    "production:\n  - [a]": "line 2, production[0]: expected one name; write plain text here",
    'services: {a: {team: ""}}': "line 1, services.a.team: has no value; give it one, or remove the key",
    "services:\n  a: {workloads: [x]}\n  b: {workloads: [y, x]}": (
        "line 3, services.b.workloads[1]: 'x' already belongs to 'a'; keep one of the two"
    ),
    "services: {a: {repositories: [acme/x]}, b: {repositories: [Acme/X]}}": (
        "line 1, services.b.repositories[0]: 'Acme/X' already belongs to 'a'; keep one of the two, "
        "or give one of them the paths that are its own"
    ),
    "environments:\n  a: [x]\n  b: [x]": "line 3, environments.b[0]: 'x' is already 'a'; keep one of the two",
    "services:\n  'a-*': {workloads: [x]}": (
        "line 2, services.a-*.workloads: a pattern names no one service; "
        "list these under a service's full name"
    ),
    "services: {a: {repositories: ['https://github.com/acme/a']}}": (
        "line 1, services.a.repositories[0]: expected owner/name as events spell it; "
        "remove the scheme and the host"
    ),
    "services: {a: {pipelines: [{environment: x}]}}": (
        "line 1, services.a.pipelines[0]: has no 'name'; add it"
    ),
    "services: {a: {pipelines: [{name: x, enviroment: y}]}}": (
        "line 1, services.a.pipelines[0].enviroment: unknown key; did you mean 'environment'?"
    ),
    "services: [": (
        "line 1: not valid YAML (expected the node content, but found '<stream end>'); "
        "correct the syntax there"
    ),
    "a: b: c": "line 1: not valid YAML (mapping values are not allowed here); correct the syntax there",
    "\x00": "not valid YAML; write the catalog as plain UTF-8 text",
    "[" * 5000: "not valid YAML; write the catalog as plain UTF-8 text",
    "{}\n---\n{}": "line 3: another document; a catalog is one, only Backstage's files hold several",
}


@pytest.mark.parametrize(("text", "message"), FAULTS.items(), ids=lambda text: text[:40])
def test_fault(text: str, message: str):
    with pytest.raises(CatalogError) as caught:
        Catalog.parse(text)
    assert str(caught.value) == message


def test_names_that_yaml_takes_for_values_stay_names():
    catalog = Catalog.parse("production: [no, 1.10, 2026-01-01, null-island]\nenvironments: {on: [0x10]}")
    assert catalog.production_environments == ("no", "1.10", "2026-01-01", "null-island")
    assert catalog.environment("0x10") == "on"


def test_aliases_are_not_expanded_into_endless_work():
    bomb = "\n".join(
        ["x0: &x0 [a]"] + [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 12)]
    )
    with pytest.raises(CatalogError, match="unknown key"):
        Catalog.parse(bomb)


@given(st.text(max_size=200))
def test_no_text_raises_anything_else(text: str):
    with suppress(CatalogError):
        Catalog.parse(text)


YAML = st.recursive(
    st.none() | st.text(max_size=8) | st.integers() | st.sampled_from(["*", "a/b", "production"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["services", "environments", "production", "team", "workloads", "name", "a", "a*"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(YAML)
def test_no_document_raises_anything_else(document: object):
    with suppress(CatalogError):
        Catalog.parse(yaml.safe_dump(document))
