"""What a changelog may hold."""

import pytest

from streams.tables import Table
from streams.tally import Placement, is_placement

PLACED = list(Placement(1, 2, "s", "i", 3, True, "service", "environment"))


@pytest.mark.parametrize(
    ("value", "readable"),
    [
        (b"no JSON", False),
        (b"", False),
        (b'[1, 2, "s", "i", 3, true, "service", "environment"]', True),
        (b'[1, 2, "s", "i", 3, true, "service", "environment", "and more"]', False),
        (b"{}", False),
        (None, True),
    ],
)
def test_r13_r21_placements_of_another_version_are_not_taken_for_ours(value: bytes | None, readable: bool):
    table = Table.__new__(Table)
    table.is_value = is_placement
    assert table._is_readable(value) is readable


def test_what_is_written_can_be_read():
    assert is_placement(PLACED)
