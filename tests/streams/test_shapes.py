"""The path of what a payload lacks, found only when a handler has failed."""

import tracemalloc

import pytest

from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from streams.outcome import Ignored, Outcome, Unmapped
from streams.shapes import Unfit
from streams.source import Source

NAMES = {"ok": "fine"}


def reason(body: bytes, read) -> str:
    source = Source("git", prefixes=("com.git.",))

    @source.on("push")
    def pushed(event: CloudEvent, _: Catalog) -> Outcome:
        return Ignored(str(read(event.data)))

    event = CloudEvent({"specversion": "1.0", "id": "1", "source": "/s", "type": "com.git.push.made"}, body)
    outcome = source.transform(event, Catalog.empty())
    assert isinstance(outcome, Unmapped)
    return outcome.reason


@pytest.mark.parametrize(
    ("body", "read", "says"),
    [
        (b'{"a": {}}', lambda told: told["a"]["b"], "push: no field 'a.b'"),
        (b'{"a": [{"b": 1}, {}]}', lambda told: [item["b"] for item in told["a"]], "push: no field 'a[1].b'"),
        (b'{"a": {"c": 1}}', lambda told: told.get("a")["b"], "push: no field 'a.b'"),
        (
            b'{"a": {"b": null}}',
            lambda told: told["a"]["b"]["c"],
            "push: unexpected shape (TypeError) near 'a.b'",
        ),
        (b'{"a": 5}', lambda told: told["a"].upper(), "push: unexpected shape (AttributeError) near 'a'"),
        (b'{"a": []}', lambda told: told["a"][0], "push: unexpected shape (IndexError) near 'a'"),
        (b"[]", lambda told: told["a"], "push: unexpected shape (TypeError)"),
        # The handler's own table, and not the payload, lacks it.
        (b'{"a": "odd"}', lambda told: NAMES[told["a"]], "push: unexpected shape (KeyError) near 'a'"),
    ],
)
def test_the_reason_names_the_path(body, read, says):
    assert reason(body, read) == says


def test_what_a_reader_says_itself_is_the_reason():
    def read(_):
        raise Unfit("'a' is not a name")

    assert reason(b"{}", read) == "push: 'a' is not a name"


def test_a_deep_payload_with_long_names_costs_no_memory():
    """All paths of this one together would have 145 MB."""
    levels, name = 120, b"x" * 20_000
    body = b'{"a": 1, "b": ' + (b'{"' + name + b'":') * levels + b"1" + b"}" * levels + b"}"
    tracemalloc.start()
    assert reason(body, lambda told: told["c"]) == "push: no field 'c'"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000
