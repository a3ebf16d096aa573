"""Reading a payload by dotted paths: ``told.text("deployment.sha")``. Pure.

What must be there, and is missing or of another kind, raises ``Unfit`` with its whole path; the source
then answers ``Unmapped`` with it. What may be missing is ``None`` when it cannot be used: an event is not
lost over a description that is a number.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from schemas.cloudevents.attributes import LONGEST_INDEXED
from schemas.cloudevents.syntax import is_uri
from schemas.instant import instant_text
from streams import texts
from streams.shapes import Unfit

# Paths stand in the code of sources, so there are only so many.
_steps = lru_cache(maxsize=1024)(lambda path: path.split("."))


class Fields:
    """A JSON value and its place in the payload; the empty path is the value itself."""

    __slots__ = ("_path", "_value")

    def __init__(self, value: Any, path: str = "") -> None:
        if type(value) is not dict:
            raise Unfit(f"{path!r} is not an object" if path else "the data is not a JSON object")
        self._value, self._path = value, path

    def find(self, path: str) -> Any:
        """What stands at ``path``; ``None`` where nothing does."""
        value: Any = self._value
        for name in _steps(path):
            if type(value) is not dict:
                return None
            value = value.get(name)
        return value

    def text(self, path: str) -> str:
        """A name: 1 to 256 characters, none of control."""
        value = self.find(path)
        return value if texts.is_plain(value) else texts.name(self._needed(path), self._whole(path))

    def optional(self, path: str) -> str | None:
        """A name that may be missing."""
        value = self.find(path)
        if value is None or texts.is_plain(value):
            return value
        try:
            return texts.optional_name(value, path)
        except Unfit:
            return None

    def words(self, path: str) -> str | None:
        """Text for people to read, as one line of at most 256 characters; it may be missing."""
        return texts.words(self.find(path))

    def prose(self, path: str) -> str:
        """Text as it was written, only to be searched; empty when it is missing."""
        value = self.find(path)
        return value if isinstance(value, str) else ""

    def number(self, path: str) -> int:
        """A whole number that is not negative."""
        value = self._needed(path)
        if type(value) is not int or value < 0:
            raise Unfit(f"{self._whole(path)!r} is not a whole number")
        return value

    def flag(self, path: str) -> bool:
        """Whether ``true`` stands at ``path``."""
        return self.find(path) is True

    def uri(self, path: str) -> str:
        """An absolute URI."""
        value = self._needed(path)
        if not isinstance(value, str) or len(value) > LONGEST_INDEXED // 2 or not is_uri(value):
            raise Unfit(f"{self._whole(path)!r} is not a URI")
        return value

    def instant(self, *paths: str) -> str:
        """RFC 3339 text of the time at the first of ``paths`` that is there, as any source writes times."""
        path = next((each for each in paths if self.find(each) is not None), paths[0])
        try:
            return instant_text(self._needed(path))
        except Unfit:
            raise
        except ValueError as error:
            raise Unfit(f"{self._whole(path)!r}: {error}") from None

    def optional_instant(self, path: str) -> str | None:
        """The time at ``path``; ``None`` when it is none."""
        try:
            return instant_text(self.find(path))
        except ValueError:
            return None

    def within(self, path: str) -> "Fields":
        """The object at ``path``."""
        return Fields(self._needed(path), self._whole(path))

    def each(self, path: str) -> Iterator["Fields"]:
        """The objects of the list at ``path``; none when it is missing."""
        value = self.find(path)
        if value is not None and type(value) is not list:
            raise Unfit(f"{self._whole(path)!r} is not a list")
        for index, item in enumerate(value or ()):
            yield Fields(item, f"{self._whole(path)}[{index}]")

    def _needed(self, path: str) -> Any:
        value = self.find(path)
        if value is None:
            raise Unfit(f"no field {self._whole(path)!r}")
        return value

    def _whole(self, path: str) -> str:
        return f"{self._path}.{path}" if self._path else path
