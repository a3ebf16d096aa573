"""JSON as strict as an envelope must be read: one meaning, or a refusal with a reason.

Refused: anything but UTF-8, a byte order mark, a name twice in one object, NaN, Infinity and numbers that
become infinite, lone surrogates, and nesting beyond ``DEEPEST``. What is accepted, ``CloudEvent.data`` reads.
"""

import json
from collections.abc import Sequence
from typing import Any

import orjson

from schemas.cloudevents.event import InvalidCloudEvent

# Levels of arrays and objects. Kubernetes objects, the deepest payloads that we know, stay below 30. Beyond
# some 900 levels Python's own parser would raise RecursionError; orjson, which comes first, refuses 1024.
DEEPEST = 128


def parse(text: bytes) -> Any:
    """The JSON value that ``text`` is. Raises ``InvalidCloudEvent``, and nothing else, for any bytes.

    Integers beyond 64 bits come back as floats: take exact payloads from the bytes.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidCloudEvent(f"not valid JSON: {error}") from None
    if text.count(b"{") + text.count(b"[") > DEEPEST and _is_deeper(document, DEEPEST):
        raise InvalidCloudEvent(f"JSON nested deeper than {DEEPEST} levels")
    json.loads(text, object_pairs_hook=_refuse_repeats)
    return document


def _is_deeper(document: Any, levels: int) -> bool:
    level = [document]
    for _ in range(levels):
        containers = (item.values() if type(item) is dict else item for item in level)
        level = [item for items in containers for item in items if type(item) in (dict, list)]
        if not level:
            return False
    return True


def _refuse_repeats(members: Sequence[tuple[str, Any]]) -> None:
    if len(dict(members)) != len(members):
        raise InvalidCloudEvent("JSON with the same name twice in one object")
