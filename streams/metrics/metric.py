"""What every metric says of itself, so that no number is ever shown without its meaning."""

from dataclasses import dataclass
from typing import Literal

# The clusters of the State of DevOps reports. 2025 has none, and 2024's failure rates do not rise from one to
# the next, so that 2023 is the last edition that can be cut by.
Performance = Literal["elite", "high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's name in URLs, its meaning in a paragraph, its unit, and the edition of its classes."""

    name: str
    definition: str
    unit: str
    edition: str
