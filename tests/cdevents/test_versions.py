import json
from importlib.resources import files

import pytest

from schemas.cdevents.event import SPECVERSION
from schemas.cdevents.versions import CUSTOM, OFFICIAL, OWN_VERSIONS, VERSIONS, split_type, type_of
from tests.cdevents.documents import load

PACKAGE = files("schemas.cdevents")


def test_the_table_says_what_the_official_schemas_say():
    told = set()
    for file in (PACKAGE / SPECVERSION).iterdir():
        if file.name.endswith(".json"):
            told |= set(json.loads(file.read_text())["properties"]["context"]["properties"]["type"]["enum"])
    assert {type_of(name) for name in VERSIONS} == told
    assert len(told) == 45


def test_the_table_says_what_the_generated_table_says():
    assert {type_of(name) for name in VERSIONS} == {row["type"] for row in load("cdevents/types.json")}


def test_each_of_our_types_has_the_schema_of_its_version():
    schemas = {
        f"{name}.{version}.json": json.loads((PACKAGE / "custom" / f"{name}.{version}.json").read_text())
        for name, version in OWN_VERSIONS.items()
    }
    for (name, version), schema in zip(OWN_VERSIONS.items(), schemas.values(), strict=True):
        assert schema["properties"]["context"]["properties"]["type"]["const"] == f"{CUSTOM}{name}.{version}"
    custom = {file.name for file in (PACKAGE / "custom").iterdir() if file.name.endswith(".json")}
    assert custom == {*schemas, "dora.json"}


def test_official_and_own_names_have_their_own_prefix():
    assert type_of("service.deployed") == "dev.cdevents.service.deployed.0.3.0"
    assert type_of("dora-commit.pushed") == "dev.cdeventsx.dora-commit.pushed.0.1.0"
    assert all(type_of(name).startswith(OFFICIAL) for name in VERSIONS)


def test_an_unknown_name_has_no_type():
    with pytest.raises(KeyError):
        type_of("service.teleported")


@pytest.mark.parametrize(
    ("event_type", "expected"),
    [
        ("dev.cdevents.service.deployed.0.3.0", ("service.deployed", "0.3.0")),
        ("dev.cdeventsx.mytool-resource.created.0.1.0", ("mytool-resource.created", "0.1.0")),
        ("dev.cdevents.service.deployed", ("service.deployed", "")),
        ("dev.cdevents.service.deployed.0.3.0-draft", ("service.deployed", "0.3.0-draft")),
        ("dev.cdevents.", ("", "")),
    ],
)
def test_a_type_is_split_into_name_and_version(event_type, expected):
    assert split_type(event_type) == expected
