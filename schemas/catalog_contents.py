"""What a catalog says, whichever file says it."""

from dataclasses import dataclass
from typing import Literal

from schemas.catalog_nodes import Place

Kind = Literal["workload", "repository", "pipeline", "application"]
MEMBERS: dict[str, Kind] = {
    "workloads": "workload",
    "repositories": "repository",
    "pipelines": "pipeline",
    "applications": "application",
}


@dataclass(frozen=True, slots=True)
class Member:
    """A name or pattern under a service; ``environment`` is where it deploys to, when the catalog says.

    Of a repository with ``paths`` only what is below these belongs to the service.
    """

    kind: Kind
    name: str
    environment: str | None = None
    paths: tuple[str, ...] = ()


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


# A service, and each of its members with the place where a file lists it.
Listed = tuple[Service, list[tuple[Member, Place]]]
