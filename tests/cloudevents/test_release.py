"""Parsed data that is let go of: read again when it is asked for, while what was known of it stays known."""

import pytest

from schemas.cloudevents import strict_json
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent


def event(body: bytes | None) -> CloudEvent:
    return CloudEvent({"id": "1", "source": "/s", "type": "t", "specversion": "1.0"}, body)


@pytest.mark.parametrize(
    ("body", "is_json"),
    [(b'{"a": [1]}', True), (b"null", True), (b"", False), (b"<a/>", False), (None, False)],
)
@pytest.mark.parametrize("asked_before", [True, False])
def test_what_is_known_of_the_data_stays_known(body, is_json, asked_before):
    one = event(body)
    if asked_before and (is_json or body is None):
        _ = one.data
    one.release()
    assert one.is_json is is_json


def test_released_data_is_not_kept_and_is_read_again(monkeypatch: pytest.MonkeyPatch):
    parsed = []
    parse = strict_json.parse_exactly
    monkeypatch.setattr(strict_json, "parse_exactly", lambda text: parsed.append(text) or parse(text))
    one = event(b'{"a": [1]}')
    assert one.data == {"a": [1]}
    one.release()
    assert "data" not in one.__dict__
    assert one.is_json
    assert len(parsed) == 1
    assert one.data == {"a": [1]}
    assert len(parsed) == 2


def test_releasing_what_was_never_parsed_parses_nothing(monkeypatch: pytest.MonkeyPatch):
    def refuse(_: bytes) -> None:
        raise InvalidCloudEvent("parsed")

    monkeypatch.setattr(strict_json, "parse_exactly", refuse)
    event(b"{}").release()
