"""The sources that can be connected: how their events are called, and what to do (web/connections.yaml)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

OTHERS = "other"


@dataclass(frozen=True, slots=True)
class Connection:
    """A source. ``webhook`` is its name under ``/webhooks``; without one its events come as CloudEvents.

    ``beginnings`` are those of the types of its events, ``guide`` is a page of the documentation.
    """

    name: str
    title: str
    beginnings: Sequence[str]
    steps: Sequence[str]
    guide: str
    webhook: str | None = None

    @property
    def path(self) -> str:
        """Where its events are posted to."""
        return f"/webhooks/{self.webhook}" if self.webhook else "/cloudevents"

    @property
    def secret(self) -> str | None:
        """The variable of the ingress that holds what the source proves itself with."""
        return f"DORA_WEBHOOK_{self.webhook.upper()}_SECRETS" if self.webhook else None


@cache
def all_connections() -> Sequence[Connection]:
    """Every source, in the order in which they are shown."""
    text = files("query").joinpath("web", "connections.yaml").read_text(encoding="utf-8")
    return [
        Connection(**{"guide": f"docs/sources/{each['name']}.md"} | each) for each in yaml.safe_load(text)
    ]


def kind_of(event_type: str) -> str:
    """The name of the source that events of this type are from."""
    for connection in all_connections():
        if event_type.startswith(tuple(connection.beginnings)):
            return connection.name
    return OTHERS
