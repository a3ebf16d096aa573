"""Keyset paging: a page begins behind the last row of the one before, so rows that come and go shift nothing.

A cursor is opaque: the key of that last row, and a digest over it and the question. The digest finds cursors
that were cut, changed, or used with other filters. It keeps no secret: a forged cursor would gain nothing
that the filters do not give.
"""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode

import orjson

from query.problems import Refused
from schemas.instant import parse_instant

DIGEST_BYTES = 8
UNUSABLE = "not a cursor for these filters; take it from 'next', or leave it out to begin anew"

LARGEST_BIGINT = 2**63 - 1

Key = Sequence[str | int | datetime]


@dataclass(frozen=True, slots=True)
class Paging:
    """The pages of one question: ``path`` with ``filters``, in pages of ``limit`` items."""

    path: str
    filters: Mapping[str, Any]
    limit: int

    @property
    def wanted(self) -> int:
        """How many rows to read: one more than a page shows, to know whether another page follows."""
        return self.limit + 1

    def behind(self, cursor: str | None, *kinds: type) -> Sequence[Any]:
        """The key behind which the page begins, with values of these kinds; all ``None`` for the first page.

        Raises ``Refused`` for a cursor that is none of this question's.
        """
        if cursor is None:
            return [None] * len(kinds)
        key = key_of(cursor, self._question())
        try:
            return [_value(kind, value) for kind, value in zip(kinds, key, strict=True)]
        except ValueError as error:
            raise Refused({"cursor": UNUSABLE}) from error

    def page(
        self,
        rows: Sequence[Mapping[str, Any]],
        shape: Callable[[Mapping[str, Any]], dict[str, Any]],
        key: Callable[[Mapping[str, Any]], Key],
        *,
        rest: Key | None = None,
    ) -> dict[str, Any]:
        """``{items, next}`` of the rows that were read; ``next`` is a URL path, or ``None`` at the end.

        ``rest`` is the key behind which to go on where the rows that were read are not all that there can be.
        """
        shown = rows[: self.limit]
        behind = key(shown[-1]) if len(rows) > len(shown) else rest
        following = None
        if behind is not None:
            cursor = cursor_of(behind, self._question())
            following = location(self.path, {**self.filters, "cursor": cursor})
        return {"items": [shape(row) for row in shown], "next": following}

    def _question(self) -> str:
        """Equal for equal questions, whatever the order of parameters and the size of pages."""
        return location(
            self.path, {name: self.filters[name] for name in sorted(self.filters) if name != "limit"}
        )


def cursor_of(key: Key, question: str) -> str:
    """The cursor behind the row with this ``key``, among the answers to ``question``."""
    payload = orjson.dumps(key)
    return _text(_digest(payload, question) + payload)


def key_of(cursor: str, question: str) -> list[Any]:
    """The key inside ``cursor``. Raises ``Refused`` for one that was not made for ``question``."""
    try:
        raw = b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise Refused({"cursor": UNUSABLE}) from error
    digest, payload = raw[:DIGEST_BYTES], raw[DIGEST_BYTES:]
    # Base64 has several texts for the same bytes; only ours is a cursor.
    if digest != _digest(payload, question) or _text(raw) != cursor:
        raise Refused({"cursor": UNUSABLE})
    return _list(payload)


def location(path: str, parameters: Mapping[str, Any]) -> str:
    """A URL path with these query parameters; those that are ``None`` or have no value are left out."""
    given = {name: value for name, value in parameters.items() if value is not None and value != []}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


def _value(kind: type, value: Any) -> Any:
    """A value of a key, checked: whoever forges a cursor is told so, and not that the service is broken."""
    if kind is datetime:
        return parse_instant(str(value))
    if kind is int and type(value) is int and 0 <= value <= LARGEST_BIGINT:
        return value
    if kind is str and type(value) is str and "\0" not in value:
        return value
    raise ValueError(UNUSABLE)


def _list(payload: bytes) -> list[Any]:
    try:
        key = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise Refused({"cursor": UNUSABLE}) from error
    if not isinstance(key, list):
        raise Refused({"cursor": UNUSABLE})
    return key


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _digest(payload: bytes, question: str) -> bytes:
    return blake2b(payload + question.encode(), digest_size=DIGEST_BYTES, person=b"dora-cursor").digest()
