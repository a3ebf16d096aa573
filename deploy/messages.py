"""Events to send, read from files: CloudEvents as JSON or JSONL, or recorded HTTP requests."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

STRUCTURED = (("Content-Type", "application/cloudevents+json; charset=utf-8"),)
# What belongs to the connection of the recording and not to the message.
OF_THE_CONNECTION = {
    "host",
    "content-length",
    "connection",
    "accept-encoding",
    "transfer-encoding",
    "keep-alive",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One request to make. ``origin`` is `file:line`, ``weight`` the bytes that it took in its file."""

    origin: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    weight: int = 0


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A place in a file that holds no message, and why; ``text`` is what it holds, when that is a line."""

    origin: str
    reason: str
    weight: int = 0
    text: bytes = b""


def read_files(names: Iterable[str]) -> Iterator[Message | Unreadable]:
    """The messages of all files in order; ``-`` is standard input. ``OSError`` for a missing file."""
    for name in names:
        if name == "-":
            yield from read_file("standard input", sys.stdin.buffer)
            continue
        with Path(name).open("rb") as file:
            yield from read_file(name, file)


def read_file(name: str, file: IO[bytes]) -> Iterator[Message | Unreadable]:
    """The messages of one file: one JSON object a line, or one JSON document of an object or an array."""
    first = file.readline()
    if is_object(first):
        yield from read_lines(name, first, file)
        return
    text = first + file.read()
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        line = text.count(b"\n", 0, error.pos) + 1
        yield Unreadable(f"{name}:{line}", f"no JSON: {error.msg}", len(text))
        return
    items = document if isinstance(document, list) else [document]
    for position, item in enumerate(items):
        origin = f"{name}[{position}]" if isinstance(document, list) else f"{name}:1"
        yield message_of(item, None, origin, len(text) // len(items))


def is_object(line: bytes) -> bool:
    """Whether a first line is a whole JSON object, as in JSONL."""
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def read_lines(name: str, first: bytes, rest: Iterable[bytes]) -> Iterator[Message | Unreadable]:
    """One message a line; empty lines are passed over."""
    number = 0
    for lines in ([first], rest):
        for line in lines:
            number += 1
            if not line.strip():
                continue
            try:
                value = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                yield Unreadable(f"{name}:{number}", f"no JSON: {error.msg}", len(line), line)
            else:
                yield message_of(value, line.strip(), f"{name}:{number}", len(line))


def message_of(value: Any, text: bytes | None, origin: str, weight: int) -> Message | Unreadable:
    """A recorded request, or a CloudEvent in structured mode; ``text`` is its bytes if it has a line."""
    if isinstance(value, dict) and "headers" in value and "body" in value:
        return Message(
            origin, str(value.get("path", "/")), headers_of(value["headers"]), body_of(value["body"]), weight
        )
    if isinstance(value, dict) and "specversion" in value:
        return Message(origin, "/", STRUCTURED, text or body_of(value), weight)
    reason = "neither a CloudEvent (specversion) nor a recorded request (headers, body)"
    return Unreadable(origin, reason, weight, text or b"")


def headers_of(recorded: Any) -> tuple[tuple[str, str], ...]:
    """The message's own headers, from pairs or an object."""
    pairs = recorded.items() if isinstance(recorded, dict) else recorded
    return tuple(
        (str(name), str(value)) for name, value in pairs if str(name).lower() not in OF_THE_CONNECTION
    )


def body_of(recorded: Any) -> bytes:
    """The bytes of a body that was recorded as text, or as JSON."""
    # Not orjson: integers beyond 64 bits stay what they are.
    return (
        recorded.encode() if isinstance(recorded, str) else json.dumps(recorded, ensure_ascii=False).encode()
    )
