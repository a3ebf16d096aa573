"""Repositories that hold several services, and whose a path in one is. For people: docs/catalog.md."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from schemas.catalog_contents import Service, spelled
from schemas.patterns import expression, is_pattern, matches

LONGEST_PATH = 4096  # characters; what is longer is nobody's
REMEMBERED_REPOSITORIES = 4096  # senders choose their names

Part = tuple[str, re.Pattern[str] | None]  # (service, what its paths are; None: whatever is no other's)


class Divided:
    """The repositories of which services list paths, and who has which part of them."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._listed = [
            (spelled("repository", member.name), service.name, member.paths)
            for service in services
            for member in service.members
            if member.kind == "repository"
        ]
        self._parts = lru_cache(REMEMBERED_REPOSITORIES)(self._find)

    def is_shared(self, repository: str) -> bool:
        """Whether several services list ``repository``, under this very name or pattern."""
        name = spelled("repository", repository)
        return len({service for listed, service, _ in self._listed if listed == name}) > 1

    def services_of(self, repository: str, paths: Iterable[str]) -> tuple[str, ...] | None:
        """The services that have a part with any of ``paths``; ``None`` for an undivided repository."""
        parts = self._parts(spelled("repository", repository))
        if not parts:
            return None
        found: set[str] = set()
        for path in paths:
            owners = {
                s for s, own in parts if own is not None and len(path) <= LONGEST_PATH and own.fullmatch(path)
            }
            found |= owners or {service for service, own in parts if own is None}
        return tuple(sorted(found))

    def has_part(self, repository: str, service: str) -> bool:
        """Whether ``service`` has a part of a divided repository."""
        return any(name == service for name, _ in self._parts(spelled("repository", repository)))

    def _find(self, repository: str) -> tuple[Part, ...]:
        """Every service's part; none when no service lists paths."""
        listed = [
            (service, paths)
            for name, service, paths in self._listed
            if name == repository or (is_pattern(name) and matches(name, repository))
        ]
        if not any(paths for _, paths in listed):
            return ()
        return tuple((service, _below(paths) if paths else None) for service, paths in listed)


def _below(paths: Sequence[str]) -> re.Pattern[str]:
    """What fits one of the paths, or is below a folder that does."""
    either = "|".join(expression(path).pattern for path in paths)
    return re.compile(f"(?:{either})(?:/.*)?", re.DOTALL)
