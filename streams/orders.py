"""Orders about dead letters, which people give by ``dora redrive`` and ``dora deadletters drop``. Pure.

They are CloudEvents like all others (docs/operating.md, "Dead letters"), so that the log says who asked for
what. They tell nothing of deliveries and become no CDEvent, and no routes map leads them elsewhere. A redrive
names the attempts that its sender knows of: given twice it is done once, and one that comes after another
failure does nothing.
"""

import re
from dataclasses import dataclass
from typing import Any

from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from streams.router import Fate
from streams.shapes import Unfit
from streams.texts import words

RULE = "order"
REDRIVE, DROP = "dev.dora.deadletter.redrive.v1", "dev.dora.deadletter.drop.v1"
MOST_ATTEMPTS = 999_999_999
_IDENTITY = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Redo:
    """Handle a dead letter again, if it has failed just so often."""

    identity: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class Drop:
    """Do not handle a dead letter any more."""

    identity: bytes
    because: str


Order = Redo | Drop


def is_order(event: CloudEvent) -> bool:
    """Whether the event is meant for the workers themselves."""
    return event.type in (REDRIVE, DROP)


def understood(event: CloudEvent) -> tuple[Fate, Order | None]:
    """The event's fate, and the order that it gives, if it can be understood."""
    try:
        order = _read_redrive(event.data) if event.type == REDRIVE else _read_drop(event.data)
    except (InvalidCloudEvent, Unfit) as error:
        return Fate("unmapped", f"{event.type}: {error}", RULE), None
    except (KeyError, TypeError) as error:
        return Fate("unmapped", f"{event.type}: not as it should be ({type(error).__name__})", RULE), None
    name = order.identity.hex()
    if isinstance(order, Redo):
        return Fate(
            "ignored", f"an order to redrive dead letter {name}, which tells what came of it", RULE
        ), order
    return Fate("ignored", f"an order to drop dead letter {name}: {order.because}", RULE), order


def _read_redrive(data: Any) -> Redo:
    """``{deadletter, attempts}``: the identity in hexadecimal, and a number."""
    attempts = data["attempts"]
    if type(attempts) is not int or not 0 <= attempts <= MOST_ATTEMPTS:
        raise Unfit("'attempts' is no number of attempts")
    return Redo(_identity(data["deadletter"]), attempts)


def _read_drop(data: Any) -> Drop:
    """``{deadletter, because}``: the identity in hexadecimal, and the reason."""
    because = words(data["because"])
    if because is None:
        raise Unfit("'because' says nothing; say why it need not be handled")
    return Drop(_identity(data["deadletter"]), because)


def _identity(told: Any) -> bytes:
    if not isinstance(told, str) or not _IDENTITY.fullmatch(told):
        raise Unfit("'deadletter' is not the identity of a dead letter: 64 hexadecimal digits")
    return bytes.fromhex(told)
