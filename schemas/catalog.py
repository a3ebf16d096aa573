"""The catalog: which repository, workload, pipeline or application is which service's, team's, environment's.

One YAML file, described for its readers in docs/catalog.md. Everything works without it: then a service is
called what its source calls it, and so is an environment.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

import orjson

from schemas.catalog_contents import Contents, Kind, Member, Service, spelled
from schemas.catalog_file import load, read
from schemas.catalog_nodes import CatalogError
from schemas.catalog_paths import Divided
from schemas.patterns import expression, is_pattern, matches

__all__ = ["Catalog", "CatalogError", "Kind"]

# Names come from events: whoever sends events chooses how many there are, and how long they are. So neither
# the memory of the lookups nor the time of a match is without limit; a longer name is in no catalog.
REMEMBERED_LOOKUPS = 16_384
LONGEST_NAME = 512

_Found = tuple[Service, Member]


class Catalog:
    """Lookups that depend on nothing but the file.

    A name in full beats a pattern; among patterns the first in the file wins. ``production_environments``
    holds the names and patterns that are declared production, empty when none is. ``digest`` changes when
    an answer could change, and not with comments or layout.
    """

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self.production_environments = contents.production
        self.digest = hashlib.sha256(orjson.dumps(asdict(contents))).hexdigest()
        self._divided = Divided(contents.services)
        self._members = {
            (member.kind, spelled(member.kind, member.name)): (service, member)
            for service in contents.services
            for member in service.members
            if not (member.paths and self._divided.is_shared(member.name))
        }
        self._listed = {(member.kind, each.name) for each in contents.services for member in each.members}
        remember = lru_cache(REMEMBERED_LOOKUPS)
        self._found: Callable[[Kind, str, str | None], _Found | None] = remember(self._find)
        self._said_of: Callable[[str], tuple[Service, ...]] = remember(self._entries)
        self._renamed: Callable[[str, str | None], str] = remember(self._rename)
        self._production: Callable[[str], bool] = remember(self._declared_production)

    @property
    def facts_digest(self) -> str:
        """As ``digest``, of what the rows are made with, which teams and most of production are not."""
        said = [replace(service, team=None) for service in self._contents.services]
        telling = tuple(service for service in said if service != Service(service.name))
        named = (name for name in self.production_environments if not is_pattern(name))
        production = (next(named, "production"),)  # where an incident is when nothing says where
        contents = replace(self._contents, services=telling, production=production)
        return hashlib.sha256(orjson.dumps(asdict(contents))).hexdigest()

    @classmethod
    def parse(cls, text: str) -> "Catalog":
        """The catalog that ``text``, a YAML document, describes. Raises ``CatalogError``."""
        return cls(read(text))

    @classmethod
    def load(cls, path: Path) -> "Catalog":
        """The catalog in a file, and the Backstage files it names. Raises ``CatalogError``, ``OSError``."""
        return cls(load(path))

    @classmethod
    def empty(cls) -> "Catalog":
        """No catalog: every name stays what the source calls it; no environment is declared production."""
        return cls(Contents())

    def service(self, kind: Kind, name: str, *, namespace: str | None = None) -> str:
        """The service that this thing belongs to; ``name`` itself when the catalog does not say."""
        found = self._member(kind, name, namespace)
        return name if found is None else found[0].name

    def services_of_paths(self, repository: str, paths: Iterable[str]) -> tuple[str, ...] | None:
        """The services whose part of ``repository`` has any of ``paths``, sorted; maybe none.

        ``None`` when the catalog does not divide the repository: then all of it is of everyone.
        """
        return self._divided.services_of(repository, paths) if _could_be_listed(repository) else None

    def divides(self, repository: str, service: str) -> bool:
        """Whether a part of ``repository`` is the service's, so that a change elsewhere is not its own."""
        return _could_be_listed(repository) and self._divided.has_part(repository, service)

    def lists(self, kind: Kind, service: str) -> bool:
        """Whether anything of ``kind`` is listed for ``service``: then what is not listed is not its own."""
        return (kind, service) in self._listed

    def environment_of(self, kind: Kind, name: str, *, namespace: str | None = None) -> str | None:
        """The environment that this very thing deploys to, when the catalog says: for a pipeline, mostly."""
        found = self._member(kind, name, namespace)
        return None if found is None else found[1].environment

    def environment(self, native: str, *, service: str | None = None) -> str:
        """Our name for what the source calls ``native``; ``native`` itself when the catalog does not say."""
        return self._renamed(native, service) if _could_be_listed(native, service) else native

    def team_of(self, service: str) -> str | None:
        """The team that owns ``service``, when the catalog says."""
        return next((said.team for said in self._said(service) if said.team is not None), None)

    def services_of(self, team: str, known: Iterable[str] = ()) -> tuple[str, ...]:
        """The team's services, sorted: of those that the catalog names in full, and of ``known``."""
        named = (service.name for service in self._contents.services if not is_pattern(service.name))
        return tuple(sorted(name for name in {*named, *known} if self.team_of(name) == team))

    @property
    def describes_services_by_pattern(self) -> bool:
        """Whether an entry speaks of services by a pattern: then only the data can name all of a team's."""
        return any(is_pattern(service.name) for service in self._contents.services)

    def deployments_from(self, service: str) -> str | None:
        """The one channel whose deployments count for ``service``; ``None``: all count."""
        channels = (said.deployments_from for said in self._said(service))
        return next((channel for channel in channels if channel is not None), None)

    def incident_within(self, service: str) -> timedelta | None:
        """How long after a deployment of ``service`` an incident can be its fault, when the catalog says."""
        limits = (said.incident_within for said in self._said(service))
        seconds = next((limit for limit in limits if limit is not None), None)
        return None if seconds is None else timedelta(seconds=seconds)

    def is_production(self, environment: str) -> bool:
        """Whether ``environment``, by our name, is declared production."""
        return _could_be_listed(environment) and self._production(environment)

    def _member(self, kind: Kind, name: str, namespace: str | None) -> _Found | None:
        return self._found(kind, name, namespace) if _could_be_listed(name, namespace) else None

    def _find(self, kind: Kind, name: str, namespace: str | None) -> _Found | None:
        names = (name,) if namespace is None else (f"{namespace}/{name}", name)
        spellings = [spelled(kind, each) for each in names]
        for spelling in spellings:
            if (kind, spelling) in self._members:
                return self._members[kind, spelling]
        for (of_kind, pattern), found in self._members.items():
            if of_kind == kind and is_pattern(pattern) and any(map(expression(pattern).fullmatch, spellings)):
                return found
        return None

    def _said(self, service: str) -> tuple[Service, ...]:
        return self._said_of(service) if _could_be_listed(service) else ()

    def _entries(self, service: str) -> tuple[Service, ...]:
        named = [said for said in self._contents.services if said.name == service]
        fitting = [
            said
            for said in self._contents.services
            if is_pattern(said.name) and said.name != service and matches(said.name, service)
        ]
        return (*named, *fitting)

    def _rename(self, native: str, service: str | None) -> str:
        said = () if service is None else self._said_of(service)
        for renames in (*(each.environments for each in said), self._contents.environments):
            named = (ours for theirs, ours in renames if theirs == native)
            fitting = (ours for theirs, ours in renames if is_pattern(theirs) and matches(theirs, native))
            ours = next(named, None) or next(fitting, None)
            if ours is not None:
                return ours
        return native

    def _declared_production(self, environment: str) -> bool:
        return any(matches(pattern, environment) for pattern in self.production_environments)


def _could_be_listed(*names: str | None) -> bool:
    return all(name is None or len(name) <= LONGEST_NAME for name in names)
