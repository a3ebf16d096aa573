"""Reading a catalog file: its grammar, and faults named by line and path with what to do about them.

The services of Backstage's files (``catalog_backstage``) are added to its own. What both say of one service,
our file says.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import yaml

from schemas import catalog_backstage
from schemas.catalog_contents import MEMBERS, Contents, Kind, Listed, Member, Service, spelled
from schemas.catalog_nodes import CatalogError, Place, documents
from schemas.patterns import is_pattern

__all__ = ["MEMBERS", "CatalogError", "Contents", "Kind", "Member", "Service", "load", "read", "spelled"]

SECONDS = {"m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(?P<number>[1-9][0-9]{0,4})(?P<unit>[mhd])")

Files = Iterable[tuple[str, str]]  # (name, text)
Beside = Callable[[str], Files]  # the files that a pattern names, from where the catalog is


def read(text: str, *, file: str = "", beside: Beside | None = None) -> Contents:
    """What ``text``, YAML, says. Raises ``CatalogError``.

    It is a catalog, or one of Backstage's files. ``file`` is what faults call it; ``beside`` reads the files
    that a catalog names under ``backstage``, and without it there can be none.
    """
    found = list(documents(text, file))
    if any(catalog_backstage.is_entity(place) for place in found):
        return _contents({}, catalog_backstage.services_of(found))
    if len(found) > 1:
        raise found[1].fault("another document; a catalog is one, only Backstage's files hold several")
    parts = found[0].fields("services", "environments", "production", "backstage") if found else {}
    listed = [_service(place) for place in _entries(parts.get("services"))]
    named = (each for place in _items(parts.get("backstage")) for each in _beside(place, beside))
    backstage = catalog_backstage.services_of(
        [place for name, told in named for place in documents(told, name)]
    )
    return _contents(parts, _merged(listed, backstage))


def load(path: Path) -> Contents:
    """What the file at ``path`` says. Raises ``CatalogError``, and ``OSError`` when it cannot be read."""

    def beside(pattern: str) -> Files:
        try:
            return [
                (str(found), _text(found)) for found in sorted(path.parent.glob(pattern)) if found.is_file()
            ]
        except (NotImplementedError, ValueError):  # glob's, for a path from the root, and for what is none
            return []

    return read(_text(path), file=str(path), beside=beside)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise CatalogError(f"{path}: not UTF-8; write the catalog as plain UTF-8 text") from None


def _beside(place: Place, beside: Beside | None) -> Files:
    if beside is None:
        raise place.fault("names files, which only a catalog that is a file itself can do")
    found = list(beside(place.text()))
    if not found:
        raise place.fault("no file has this name, beginning where the catalog is; correct it")
    return found


def _merged(ours: list[Listed], backstage: list[Listed]) -> list[Listed]:
    """Our entries with what Backstage's say besides; then the services that only those have."""
    theirs = {service.name: (service, members) for service, members in backstage}
    found = []
    for service, members in ours:
        other, more = theirs.pop(service.name, (service, []))
        known = {(each.kind, spelled(each.kind, each.name)) for each in service.members}
        added = [(m, place) for m, place in more if (m.kind, spelled(m.kind, m.name)) not in known]
        both = replace(
            service,
            team=service.team or other.team,
            members=(*service.members, *(member for member, _ in added)),
        )
        found.append((both, [*members, *added]))
    return [*found, *theirs.values()]


def _contents(parts: Mapping[str, Place], services: list[Listed]) -> Contents:
    _refuse_shared_members(services)
    return Contents(
        services=tuple(service for service, _ in services),
        environments=tuple(_renames(parts.get("environments"))),
        production=tuple(place.text() for place in _items(parts.get("production"))),
    )


def _entries(place: Place | None) -> list[tuple[str, Place]]:
    return [] if place is None else list(place.entries().items())


def _items(place: Place | None) -> list[Place]:
    return [] if place is None else place.items()


def _service(entry: tuple[str, Place]) -> Listed:
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


def _member(kind: Kind, place: Place) -> tuple[Member, Place]:
    """A name, or ``{name: ...}`` with the ``environment`` that it deploys to or the ``paths`` that count."""
    environment: str | None = None
    paths: tuple[str, ...] = ()
    if isinstance(place.node, yaml.MappingNode):
        fields = place.fields("name", "environment", *(("paths",) if kind == "repository" else ()))
        if "name" not in fields:
            raise place.fault("has no 'name'; add it")
        name = fields["name"].text()
        environment = fields["environment"].text() if "environment" in fields else None
        paths = tuple(_path(item) for item in _items(fields.get("paths")))
    else:
        name = place.text()
    if kind == "repository" and "://" in name:
        raise place.fault("expected owner/name as events spell it; remove the scheme and the host")
    return Member(kind, name, environment, paths), place


def _path(place: Place) -> str:
    """A path within a repository; ``/`` at its ends says nothing more."""
    path = place.text().removeprefix("./").strip("/")
    if not path or ".." in path.split("/"):
        raise place.fault(
            "expected a path from the top of the repository, as services/checkout or '**/*.sql'"
        )
    return path


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


def _refuse_shared_members(services: list[Listed]) -> None:
    """A thing belongs to one service; but a repository to several, of which all but one say their paths."""
    owners: dict[tuple[Kind, str], str] = {}
    for service, members in services:
        for member, place in members:
            if member.paths:
                continue
            owner = owners.setdefault((member.kind, spelled(member.kind, member.name)), service.name)
            if owner != service.name:
                advice = "keep one of the two"
                if member.kind == "repository":
                    advice += ", or give one of them the paths that are its own"
                raise place.fault(f"{member.name!r} already belongs to {owner!r}; {advice}")
