"""The object that a transformer module offers, and how modules are found."""

import sys
import types
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import streams.transformers
from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from streams import sources
from streams.outcome import Ignored, Mapped, Observed, Outcome, Unmapped
from streams.source import Source
from streams.sources import DuplicateSource, UnusableSource, find_sources

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


def event(event_type: str, body: bytes | None = b"{}") -> CloudEvent:
    attributes = {"specversion": "1.0", "id": "1", "source": "/s", "type": event_type}
    return CloudEvent(attributes, body)


def transformed(source: Source, event_type: str, body: bytes | None = b"{}") -> Outcome:
    return source.transform(event(event_type, body), Catalog.empty())


@pytest.fixture
def source() -> Source:
    source = Source("git", types=("push",), prefixes=("com.git.", "dev.knative.git."))

    @source.on("deployment")
    def deployment(event: CloudEvent, _: Catalog) -> Outcome:
        return Ignored(f"deployment {event.data['state']['name']}")

    @source.on("deployment.deleted")
    def deleted(event: CloudEvent, _: Catalog) -> Outcome:
        return Ignored("deleted")

    @source.on("push", "tag")
    def pushed(event: CloudEvent, _: Catalog) -> Outcome:
        return Ignored(f"pushed {len(event.data)}")

    return source


@pytest.mark.parametrize(
    ("event_type", "claimed"),
    [
        ("push", True),
        ("com.git.x", True),
        ("dev.knative.git.", True),
        ("pushed", False),
        ("com.gitlab.x", False),
    ],
)
def test_a_source_claims_its_types_and_prefixes(source, event_type, claimed):
    assert source.claims(event_type) is claimed
    assert not Source("none").claims(event_type)


@pytest.mark.parametrize(
    ("event_type", "reason"),
    [
        ("com.git.deployment", "deployment ready"),
        ("dev.knative.git.deployment", "deployment ready"),
        ("com.git.deployment.created", "deployment ready"),
        ("com.git.deployment.deleted", "deleted"),
        ("push", "pushed 1"),
        ("com.git.tag", "pushed 1"),
    ],
)
def test_a_handler_is_found_by_the_whole_kind_then_by_its_first_word(source, event_type, reason):
    assert transformed(source, event_type, b'{"state": {"name": "ready"}}') == Ignored(reason)


def test_a_type_without_a_handler_is_unmapped_by_name(source):
    assert transformed(source, "com.git.fork") == Unmapped("git: no rule for type 'com.git.fork'")


def test_a_star_takes_the_rest(source):
    source.on("*")(lambda *_: Ignored("the rest"))
    assert transformed(source, "com.git.fork") == Ignored("the rest")
    assert transformed(source, "com.git.tag") == Ignored("pushed 0")


def test_two_handlers_for_one_kind_are_refused(source):
    with pytest.raises(ValueError, match="git: two handlers for 'tag'"):
        source.on("tag")(lambda *_: Ignored("x"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{}", "deployment: no field 'state'"),
        (b'{"state": {}}', "deployment: no field 'state.name'"),
        (b'{"state": []}', "deployment: unexpected shape (TypeError) near 'state'"),
        (b"[]", "deployment: unexpected shape (TypeError)"),
        (None, "deployment: unexpected shape (TypeError)"),
        (b"{", "git: data is not valid JSON"),
    ],
)
def test_what_a_payload_lacks_is_the_reason(source, body, reason):
    assert transformed(source, "com.git.deployment", body) == Unmapped(reason)


@given(json_values, st.sampled_from(sorted(find_sources())), st.data())
def test_no_payload_makes_a_built_in_source_raise(payload, name, data):
    source = find_sources()[name]
    kinds = [*source.types, *(prefix + kind for prefix in source.prefixes for kind in source._handlers)]
    event_type = data.draw(st.sampled_from(kinds))
    outcome = transformed(source, event_type.replace("*", "x.y.0.1.0"), _json(payload))
    assert isinstance(outcome, Mapped | Ignored | Unmapped | Observed)


def _json(payload: Any) -> bytes:
    import orjson

    return orjson.dumps(payload)


def test_the_built_in_sources_are_found_by_name():
    found = find_sources()
    assert {"cdevents", "kubernetes"} <= found.keys()
    assert all(source.name == name for name, source in found.items())


def test_two_modules_with_one_name_are_an_error_that_names_both(monkeypatch):
    for name in ("first", "second"):
        module: Any = types.ModuleType(f"streams.transformers.{name}")
        module.source = Source("same")
        monkeypatch.setitem(sys.modules, module.__name__, module)
    infos = [types.SimpleNamespace(name=name) for name in ("first", "second")]
    monkeypatch.setattr(sources.pkgutil, "iter_modules", lambda _: infos)
    with pytest.raises(DuplicateSource, match="second and first are both called 'same'"):
        find_sources()


def test_a_module_without_a_source_is_no_source(monkeypatch):
    monkeypatch.setitem(sys.modules, "streams.transformers.helper", types.ModuleType("helper"))
    monkeypatch.setattr(sources.pkgutil, "iter_modules", lambda _: [types.SimpleNamespace(name="helper")])
    assert find_sources() == {}
    assert streams.transformers.__path__


SHIP = """
from streams.outcome import Ignored
from streams.source import Source

source = Source("{name}", prefixes=("com.example.ship.",))
source.on("*")(lambda event, catalog: Ignored("a ship"))
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Installs a package that offers ``value`` as an entry point of the group."""

    def install(value: str, name: str = "ship", code: str = SHIP) -> None:
        (tmp_path / "ship_of_a_stranger.py").write_text(code.replace("{name}", name))
        information = tmp_path / "dora_ship-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: dora-ship\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[dora.transformers]\nship = {value}\n")
        monkeypatch.syspath_prepend(tmp_path)

    yield install
    sys.modules.pop("ship_of_a_stranger", None)


@pytest.mark.parametrize("value", ["ship_of_a_stranger:source", "ship_of_a_stranger"])
def test_an_installed_package_may_offer_a_source(installed, value):
    installed(value)
    found = find_sources()
    assert transformed(found["ship"], "com.example.ship.sailed") == Ignored("a ship")
    assert {"kubernetes", "github"} <= found.keys()


def test_a_strangers_source_may_not_take_the_name_of_ours(installed):
    installed("ship_of_a_stranger:source", name="github")
    with pytest.raises(DuplicateSource, match=r"dora-ship \(ship_of_a_stranger:source\) and github are both"):
        find_sources()


@pytest.mark.parametrize(
    ("value", "code", "says"),
    [
        (
            "ship_of_a_stranger:missing",
            SHIP,
            "dora-ship: its entry point .* cannot be loaded .AttributeError",
        ),
        ("no_such_module", SHIP, "cannot be loaded .ModuleNotFoundError"),
        ("ship_of_a_stranger", "raise OSError('disk full')", "disk full.; repair or uninstall the package"),
        ("ship_of_a_stranger", "source = 7", "is no Source, and no module with one"),
    ],
)
def test_a_source_that_cannot_be_used_stops_the_start(installed, value, code, says):
    installed(value, code=code)
    with pytest.raises(UnusableSource, match=says):
        find_sources()
