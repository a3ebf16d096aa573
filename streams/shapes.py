"""Where a payload is not what a handler expected: the dotted path of a field that it lacks.

Only asked for when a handler has failed: it is run once more over data that remembers where it was read, so
that handlers read plain JSON and pay nothing for it. Pure.
"""

from collections.abc import Callable
from typing import Any

from schemas.cloudevents.event import CloudEvent

# What reading a payload of an unexpected shape raises.
UNEXPECTED_SHAPE = (
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    RecursionError,
)


class Unfit(ValueError):
    """A field is missing, or is not what it should be; the message names its path and says what it lacks."""


def misfit(handle: Callable[[CloudEvent], Any], event: CloudEvent, error: Exception) -> str:
    """Say in what ``event``'s data made ``handle`` raise ``error``, one of ``UNEXPECTED_SHAPE``.

    As ``no field 'deployment.sha'``, or ``unexpected shape (TypeError) near 'deployment'``, which is the
    field that was read last.
    """
    trace = Trace()
    try:
        handle(_traced(event, trace))
    except _Missing as missing:
        return f"no field {missing.path!r}"
    except UNEXPECTED_SHAPE as again:
        error = again
    where = f" near {trace.last!r}" if trace.last else ""
    return f"unexpected shape ({type(error).__name__}){where}"


class Trace:
    """The path of the field that was read last; empty when none was."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last = ""


class _Missing(KeyError):
    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class _Object(dict[str, Any]):
    """A JSON object that knows its path. Its members learn theirs when they are read.

    All at once, the paths of a deep payload with long names would take more memory than there is.
    """

    __slots__ = ("_path", "_trace")

    def __init__(self, members: dict[str, Any], path: str, trace: Trace) -> None:
        super().__init__(members)
        self._path, self._trace = path, trace

    def __getitem__(self, name: str) -> Any:
        """Read a member; the error for one that is missing has its path."""
        path = self._read(name)
        if name not in self:
            raise _Missing(path)
        return _with_path(super().__getitem__(name), path, self._trace)

    def get(self, name: str, default: Any = None) -> Any:
        """Read a member that may be missing."""
        path = self._read(name)
        return _with_path(super().get(name, default), path, self._trace)

    def _read(self, name: object) -> str:
        path = f"{self._path}.{name}" if self._path else str(name)
        self._trace.last = path
        return path


def _traced(event: CloudEvent, trace: Trace) -> CloudEvent:
    copy = CloudEvent(event.attributes, event.body)
    copy.__dict__["data"] = _with_path(event.data, "", trace)  # where the cached property keeps it
    return copy


def _with_path(value: Any, path: str, trace: Trace) -> Any:
    if isinstance(value, dict):
        return _Object(value, path, trace)
    if isinstance(value, list):
        return [_with_path(item, f"{path}[{index}]", trace) for index, item in enumerate(value)]
    return value
