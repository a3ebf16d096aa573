"""Dead letters in words, for a terminal: what came in is printed so that it cannot command the terminal."""

import base64
from collections.abc import Mapping
from typing import Any

import orjson

from schemas.cdevents.validate import shown
from schemas.instant import format_instant

LONGEST_REASON = 120  # characters of a reason in a list; `show` has it whole
LONGEST_BODY = 4000  # characters; --bytes has it whole


def line(row: Mapping[str, Any]) -> str:
    """One dead letter on one line."""
    place = f"{row['origin_topic']}/{row['origin_partition']}@{row['origin_offset']}"
    event = f" {row['source']} {row['id']}" if row["id"] is not None else ""
    told = f"{row['deadletter_id']:>6} {row['state']:<8} {row['stage']:<9} {row['attempts']:>2}x"
    when = format_instant(row["last_failed_at"].replace(microsecond=0))
    return f"{told} {when} {shown(place + event, 160)}: {shown(row['reason'], LONGEST_REASON)}"


def page(row: Mapping[str, Any]) -> str:
    """One dead letter whole, its bytes as text where they are that."""
    told = document(row)
    told = {name: value for name, value in told.items() if name != "headers" and not name.endswith("_base64")}
    lines = [f"{name}: {shown(str(told[name]), 2000)}" for name in told if name != "value_text"]
    lines += [f"header {shown(name, 200)}: {readable(value)}" for name, value in headers_of(row)]
    return "\n".join([*lines, f"value: {readable(row['value'])}"])


def document(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON can hold it: bytes as text where they are UTF-8, and always as base64."""
    told = {name: value for name, value in row.items() if value is not None and name != "headers"}
    told["identity"] = row["identity"].hex()
    for name in ("key", "value"):
        content = told.pop(name, None)
        if content is not None:
            told[f"{name}_base64"] = base64.b64encode(content).decode()
            if (text := text_of(content)) is not None:
                told[f"{name}_text"] = text
    if "headers" in row:
        told["headers"] = orjson.loads(row["headers"])
    return told


def headers_of(row: Mapping[str, Any]) -> list[tuple[str, bytes | None]]:
    """The original headers."""
    return [
        (name, None if value is None else base64.b64decode(value))
        for name, value in orjson.loads(row["headers"])
    ]


def readable(content: bytes | None) -> str:
    """Bytes as text where they are that, else their number."""
    if content is None:
        return "(none)"
    text = text_of(content)
    return f"({len(content)} bytes; --bytes writes them)" if text is None else shown(text, LONGEST_BODY)


def text_of(content: bytes) -> str | None:
    """Bytes as text, when they are UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
