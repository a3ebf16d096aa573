"""Messages and events as Faust hands them over, as far as the stages look at them."""

from types import SimpleNamespace
from typing import Any

from faust.types import TP

IN, CDEVENTS = TP("cloudevents", 0), TP("cdevents", 1)


def message(offset: int, tp: TP = IN, generation: int = 0, **fields: Any) -> Any:
    """A consumed message; ``generation`` is that of the consumer group."""
    known = {"offset": offset, "tp": tp, "topic": tp.topic, "partition": tp.partition}
    known["timestamp"] = 1_900_000_000.0  # later than any time that a test tells
    known |= {"key": None, "value": b"v", "headers": [], "generation_id": generation}
    return SimpleNamespace(**known | fields)


class Event:
    """An event; it can be weakly referenced, as Faust's can."""

    def __init__(self, message: Any) -> None:
        self.message = message

    def ack(self) -> None:
        raise AssertionError("a batch acknowledges nothing; the frontier does")


def event(offset: int, tp: TP = IN, generation: int = 0, **fields: Any) -> Any:
    """The event of such a message."""
    return Event(message(offset, tp, generation, **fields))
