"""The one table of topics: names, partitions, retention. ``dora topics`` creates exactly these.

Workers need no right to create topics (docs/operating.md), so Faust's changelogs are in the table too.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

# What Kafka takes for a topic.
NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,249}", re.ASCII)

DAY_MS = 24 * 60 * 60 * 1000

# Bytes. What the stages write is what came in and what is known of it, which is more than a broker takes by
# default; a record that came in and could not be passed on would stop the workers for good.
LARGEST_RECORD = 2_097_152

# Sources that keep state per object, and the windowed tables of deployment frequency: one changelog each.
TABLES = ("objects", "placed", "day", "week", "month", "year")


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. A compacted topic, ``retention_ms`` ``None``, keeps the last value of each key."""

    role: str
    name: str
    partitions: int
    retention_ms: int | None

    @property
    def config(self) -> Mapping[str, str]:
        """The topic's Kafka configuration. The size of what others write is left to the broker."""
        # When an event arrived is the broker's to say: later times are not believed (streams/skew.py).
        arrival = {"message.timestamp.type": "LogAppendTime"}
        own = arrival if self.role == "cloudevents" else {"max.message.bytes": str(LARGEST_RECORD)}
        if self.retention_ms is None:
            return {"cleanup.policy": "compact", **own}
        return {"cleanup.policy": "delete", "retention.ms": str(self.retention_ms), **own}


ROLES: Mapping[str, int] = {
    "cloudevents": 7 * DAY_MS,
    "cdevents": 30 * DAY_MS,
    "deadletters": 30 * DAY_MS,
    "observations": 7 * DAY_MS,
    "functions": 7 * DAY_MS,
}


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one installation; ``prefix`` separates installations that share a cluster."""

    partitions: int = 8
    prefix: str = ""
    names: Mapping[str, str] | None = None

    def __getitem__(self, role: str) -> str:
        """The name of the topic with this role."""
        if role not in ROLES:
            raise KeyError(role)
        return (self.names or {}).get(role) or self.prefix + role

    def application(self, generation: int) -> str:
        """Faust's application id, which is also the consumer group and the beginning of changelog names."""
        return f"{self.prefix}dora-g{generation}"

    def changelog(self, table: str, generation: int) -> str:
        """The changelog topic that Faust uses for ``table``."""
        return f"{self.application(generation)}-{table}-changelog"

    def replay(self, generation: int) -> str:
        """The topic over which a recompute plays the recorded events to the workers of its generation."""
        return f"{self.prefix}cloudevents-replay-g{generation}"

    def all(self, generation: int = 1) -> Iterator[Topic]:
        """Every topic that the workers of ``generation`` read or write."""
        for role, retention_ms in ROLES.items():
            yield Topic(role, self[role], self.partitions, retention_ms)
        yield Topic("replay", self.replay(generation), self.partitions, DAY_MS)
        for table in TABLES:
            yield Topic("changelog", self.changelog(table, generation), self.partitions, None)

    def with_partitions(self, partitions: int) -> "Topics":
        """The same topics with another number of partitions."""
        return replace(self, partitions=partitions)


def read_names(text: str) -> dict[str, str]:
    """The overrides in ``role=name,role=name``, as in ``cloudevents=platform.events``.

    Raises ``ValueError`` naming what is wrong.
    """
    names: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        role, equals, name = (piece.strip() for piece in entry.partition("="))
        if not equals or not NAME.fullmatch(name):
            raise ValueError(f"{entry!r}: write role=name, with a name that Kafka takes for a topic")
        if role not in ROLES:
            raise ValueError(f"{role!r} is no topic of ours; there are: {', '.join(ROLES)}")
        names[role] = name
    return names
