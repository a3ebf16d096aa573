"""Orders about dead letters: understood whole or not at all, and never an error of ours."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cloudevents.event import CloudEvent
from streams.orders import DROP, REDRIVE, Drop, Redo, is_order, understood

NAME = "ab" * 32

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(NAME),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["deadletter", "attempts", "because", "x"]), inner, max_size=4)
    ),
    max_leaves=6,
)


def order(kind: str, data: object) -> CloudEvent:
    attributes = {"specversion": "1.0", "id": "1", "source": "/s", "type": kind}
    return CloudEvent(attributes | {"datacontenttype": "application/json"}, json.dumps(data).encode())


def test_an_order_is_understood_and_tells_no_delivery():
    fate, redo = understood(order(REDRIVE, {"deadletter": NAME, "attempts": 3}))
    assert (fate.fate, redo) == ("ignored", Redo(bytes.fromhex(NAME), 3))
    assert fate.cdevents == ()
    fate, drop = understood(order(DROP, {"deadletter": NAME, "because": " a\n test "}))
    assert (fate.fate, drop) == ("ignored", Drop(bytes.fromhex(NAME), "a test"))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (REDRIVE, {"deadletter": NAME}),
        (REDRIVE, {"deadletter": NAME.upper(), "attempts": 1}),
        (REDRIVE, {"deadletter": NAME + "a", "attempts": 1}),
        (REDRIVE, {"deadletter": NAME, "attempts": True}),
        (REDRIVE, {"deadletter": NAME, "attempts": -1}),
        (REDRIVE, {"deadletter": NAME, "attempts": 2**40}),
        (REDRIVE, {"deadletter": NAME, "attempts": "1"}),
        (DROP, {"deadletter": NAME}),
        (DROP, {"deadletter": NAME, "because": " \n"}),
        (DROP, {"deadletter": 7, "because": "x"}),
    ],
)
def test_what_is_no_order_is_unmapped_with_a_reason(kind, data):
    fate, found = understood(order(kind, data))
    assert (fate.fate, found) == ("unmapped", None)
    assert str(fate.reason).startswith(kind)


@given(st.sampled_from([REDRIVE, DROP]), values)
def test_any_data_is_an_order_or_is_not(kind, data):
    fate, found = understood(order(kind, data))
    assert fate.fate == ("unmapped" if found is None else "ignored")


def test_only_these_types_are_orders():
    assert is_order(order(REDRIVE, None))
    assert not is_order(order("dev.dora.deadletter.redrive.v2", None))
    assert not is_order(order("dev.dora.attribution.set.v1", None))
