"""Reading a catalog file: its grammar, and faults named by line and path with what to do about them.

The YAML is read as a tree of nodes and not as values. Only nodes know their lines, a key that is given twice
is seen, and an environment called ``no`` or ``1.10`` stays that text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import yaml

from schemas.patterns import is_pattern

Kind = Literal["workload", "repository", "pipeline", "application"]
MEMBERS: dict[str, Kind] = {
    "workloads": "workload",
    "repositories": "repository",
    "pipelines": "pipeline",
    "applications": "application",
}

SECONDS = {"m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(?P<number>[1-9][0-9]{0,4})(?P<unit>[mhd])")


class CatalogError(ValueError):
    """The catalog cannot be used. The message names the line and the path in it, and says what to do."""


@dataclass(frozen=True, slots=True)
class Member:
    """A name or pattern under a service; ``environment`` is where it deploys to, when the catalog says."""

    kind: Kind
    name: str
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """What the catalog says of one service, or of all services that fit when ``name`` is a pattern."""

    name: str
    team: str | None = None
    deployments_from: str | None = None
    members: tuple[Member, ...] = ()
    environments: tuple[tuple[str, str], ...] = ()
    incident_within: int | None = None  # seconds


@dataclass(frozen=True, slots=True)
class Contents:
    """A catalog as it was read. ``environments``: (name or pattern that sources use, our name), in order."""

    services: tuple[Service, ...] = ()
    environments: tuple[tuple[str, str], ...] = ()
    production: tuple[str, ...] = ()


def spelled(kind: Kind, name: str) -> str:
    """Write a name in the one way in which it is compared."""
    # GitHub, GitLab and Bitbucket take Acme/Checkout and acme/checkout for the same repository.
    return name.lower() if kind == "repository" else name


def read(text: str) -> Contents:
    """What ``text``, a YAML document, says. Raises ``CatalogError``."""
    node = _compose(text)
    if node is None:
        return Contents()
    parts = Place("", node).fields("services", "environments", "production")
    services = [_service(place) for place in _entries(parts.get("services"))]
    _refuse_shared_members(services)
    return Contents(
        services=tuple(service for service, _ in services),
        environments=tuple(_renames(parts.get("environments"))),
        production=tuple(place.text() for place in _items(parts.get("production"))),
    )


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the document, and the path that leads to it."""

    path: str
    node: yaml.Node

    def fault(self, problem: str) -> CatalogError:
        """``problem`` as an error that says where in the file it is."""
        where = f"line {self.node.start_mark.line + 1}"
        return CatalogError(f"{where}, {self.path}: {problem}" if self.path else f"{where}: {problem}")

    def text(self) -> str:
        """The node's text, as it is written: ``no`` is not a truth value here, and ``1.10`` no number."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.fault("expected one name; write plain text here")
        if not self.node.value.strip() or self.node.tag == "tag:yaml.org,2002:null":
            raise self.fault("has no value; give it one, or remove the key")
        return str(self.node.value)

    def items(self) -> "list[Place]":
        """The items of a list; a single text is a list of one."""
        if isinstance(self.node, yaml.SequenceNode):
            return [Place(f"{self.path}[{index}]", item) for index, item in enumerate(self.node.value)]
        if isinstance(self.node, yaml.ScalarNode):
            return [self]
        raise self.fault("expected a list; write each name on a line of its own after '- '")

    def entries(self) -> "dict[str, Place]":
        """The values of a mapping by their keys."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.fault("expected 'key: value' lines")
        found: dict[str, Place] = {}
        for key_node, value in self.node.value:
            key = Place(self.path, key_node).text()
            place = Place(f"{self.path}.{key}" if self.path else key, value)
            if key in found:
                raise Place(place.path, key_node).fault("is given twice; put both under one key")
            found[key] = place
        return found

    def fields(self, *names: str) -> "dict[str, Place]":
        """The values of a mapping whose keys are among ``names``."""
        found = self.entries()
        for name, place in found.items():
            if name not in names:
                near = get_close_matches(name, names, n=1)
                advice = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(names)}"
                raise place.fault(f"unknown key; {advice}")
        return found


Placed = tuple[Member, Place]


def _compose(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = "" if mark is None else f"line {mark.line + 1}: "
        raise CatalogError(f"{where}not valid YAML ({error.problem}); correct the syntax there") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise CatalogError("not valid YAML; write the catalog as plain UTF-8 text") from error


def _entries(place: Place | None) -> list[tuple[str, Place]]:
    return [] if place is None else list(place.entries().items())


def _items(place: Place | None) -> list[Place]:
    return [] if place is None else place.items()


def _service(entry: tuple[str, Place]) -> tuple[Service, list[Placed]]:
    name, place = entry
    fields = place.fields("team", "deployments_from", "incident_within", *MEMBERS, "environments")
    if is_pattern(name):
        for key in MEMBERS.keys() & fields.keys():
            raise fields[key].fault("a pattern names no one service; list these under a service's full name")
    members = [
        _member(kind, item) for key, kind in MEMBERS.items() if key in fields for item in fields[key].items()
    ]
    service = Service(
        name,
        team=fields["team"].text() if "team" in fields else None,
        deployments_from=fields["deployments_from"].text() if "deployments_from" in fields else None,
        members=tuple(member for member, _ in members),
        environments=tuple(_renames(fields.get("environments"))),
        incident_within=_duration(fields["incident_within"]) if "incident_within" in fields else None,
    )
    return service, members


def _duration(place: Place) -> int:
    """Seconds of a duration as people write it: 90m, 24h, 3d."""
    found = _DURATION.fullmatch(place.text())
    if found is None:
        raise place.fault("expected a number and m, h or d, as 90m, 24h or 3d")
    return int(found["number"]) * SECONDS[found["unit"]]


def _member(kind: Kind, place: Place) -> Placed:
    """A name, or ``{name: ..., environment: ...}`` for a thing that deploys to one environment only."""
    if isinstance(place.node, yaml.MappingNode):
        fields = place.fields("name", "environment")
        if "name" not in fields:
            raise place.fault("has no 'name'; add it")
        name = fields["name"].text()
        environment = fields["environment"].text() if "environment" in fields else None
    else:
        name, environment = place.text(), None
    if kind == "repository" and "://" in name:
        raise place.fault("expected owner/name as events spell it; remove the scheme and the host")
    return Member(kind, name, environment), place


def _renames(place: Place | None) -> Iterator[tuple[str, str]]:
    """Of ``{our name: [names that sources use]}``, the pairs (source's name, our name)."""
    seen: dict[str, str] = {}
    for environment, names in _entries(place):
        for item in names.items():
            name = item.text()
            if name in seen:
                raise item.fault(f"{name!r} is already {seen[name]!r}; keep one of the two")
            seen[name] = environment
            yield name, environment


def _refuse_shared_members(services: list[tuple[Service, list[Placed]]]) -> None:
    owners: dict[tuple[Kind, str], str] = {}
    for service, members in services:
        for member, place in members:
            owner = owners.setdefault((member.kind, spelled(member.kind, member.name)), service.name)
            if owner != service.name:
                raise place.fault(f"{member.name!r} already belongs to {owner!r}; keep one of the two")
