"""Rows and columns of what is written many at a time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

Row = Callable[[Any], tuple[Any, ...]]


def row_of(kind: type[Any]) -> Row:
    """What makes the row of a dataclass of two or more fields, in their order.

    ``dataclasses.astuple`` copies each value deeply, which cost a worker a twentieth of its time.
    """
    return attrgetter(*names_of(kind))


def names_of(kind: type[Any]) -> list[str]:
    """The names of a dataclass's fields, in their order."""
    return [field.name for field in fields(kind)]


def columns(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """The columns of one or more rows, as ``unnest`` takes them."""
    return [list(column) for column in zip(*rows, strict=True)]
