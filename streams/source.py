"""A source: the one object that a transformer module offers to the router.

A transformer module holds ``source = Source("github", prefixes=("com.github.",))`` and functions decorated
with ``@source.on("deployment_status")``. Handlers are pure: ``(event, catalog) -> Outcome``, and need no
try/except: what a payload lacks becomes ``Unmapped`` with the path of the missing field, as
``deployment_status: no field 'deployment.sha'``.
"""

from collections.abc import Callable
from typing import Any

from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from streams.outcome import Observed, Outcome, Settled, Unmapped
from streams.shapes import UNEXPECTED_SHAPE, Unfit, misfit

Handler = Callable[[CloudEvent, Catalog], Outcome]
State = Any  # JSON: what a stateful source remembers of one object
Fold = Callable[[State | None, Observed, Catalog], tuple[State, Settled]]


class Source:
    """Event types of one system, and the pure functions that map them to CDEvents.

    ``types`` are exact CloudEvent types, ``prefixes`` the beginnings of types; together they are the routes
    that exist without a routes map. A handler's name is its rule: it enters the ids of what it emits.
    """

    def __init__(self, name: str, *, types: tuple[str, ...] = (), prefixes: tuple[str, ...] = ()) -> None:
        self.name = name
        self.types = types
        self.prefixes = prefixes
        self.fold: Fold | None = None
        self._handlers: dict[str, Handler] = {}

    def on(self, *kinds: str) -> Callable[[Handler], Handler]:
        """Register a handler for types, or for what follows one of the prefixes; ``"*"`` for the rest."""

        def register(handler: Handler) -> Handler:
            for kind in kinds:
                if kind in self._handlers:
                    raise ValueError(f"{self.name}: two handlers for {kind!r}")
                self._handlers[kind] = handler
            return handler

        return register

    def folds(self, fold: Fold) -> Fold:
        """Register the fold of a stateful source: ``(state, observation, catalog) -> (state, outcome)``."""
        self.fold = fold
        return fold

    def claims(self, event_type: str) -> bool:
        """Whether this source maps ``event_type`` without being named in a routes map."""
        return event_type in self.types or event_type.startswith(self.prefixes or ("\0",))

    def transform(self, event: CloudEvent, catalog: Catalog) -> Outcome:
        """What ``event`` becomes. Never raises for any payload."""
        kind, handler = self._handler(event.type)
        if handler is None:
            return Unmapped(f"{self.name}: no rule for type {event.type!r}")
        try:
            return handler(event, catalog)
        except InvalidCloudEvent as error:
            return Unmapped(f"{self.name}: {error.reason}")
        except Unfit as error:
            return Unmapped(f"{kind}: {error}")
        except UNEXPECTED_SHAPE as error:
            return Unmapped(f"{kind}: {misfit(lambda again: handler(again, catalog), event, error)}")

    def _handler(self, event_type: str) -> tuple[str, Handler | None]:
        """The kind that a type's handler is registered for, and the handler."""
        if event_type in self._handlers:
            return event_type, self._handlers[event_type]
        for prefix in self.prefixes:
            if event_type.startswith(prefix):
                whole = event_type.removeprefix(prefix)
                for kind in (whole, whole.partition(".")[0]):
                    if kind in self._handlers:
                        return kind, self._handlers[kind]
        return event_type, self._handlers.get("*")
