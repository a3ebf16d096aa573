"""Backstage's catalog-info.yaml: components are services, owners teams, annotations what belongs to one.

Spec: backstage.io/docs, "Descriptor Format of Catalog Entities" and "Well-known Annotations". A component is
a service of its ``metadata.name``. Kinds that say nothing of that, as API and Resource, are passed over.
"""

import re
from collections.abc import Iterator, Sequence

import yaml

from schemas.catalog_contents import Listed, Member, Service
from schemas.catalog_nodes import CatalogError, Place
from schemas.repository import repository_of_remote

API = "backstage.io/"
# What the parts of a component are annotated with.
SLUGS = (
    "github.com/project-slug",
    "gitlab.com/project-slug",
    "bitbucket.org/project-slug",
    "gitea.com/repo-slug",
)
SOURCE = "backstage.io/source-location"
KUBERNETES, NAMESPACE = "backstage.io/kubernetes-id", "backstage.io/kubernetes-namespace"
ARGOCD, JENKINS = "argocd/app-name", "jenkins.io/job-full-name"

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", re.ASCII)
# [kind:][namespace/]name
_REFERENCE = re.compile(
    rf"(?:(?P<kind>[a-z]+):)?(?:{_NAME.pattern}/)?(?P<name>{_NAME.pattern})", re.ASCII | re.IGNORECASE
)
_SLUG = re.compile(r"[\w.-]+(?:/[\w.-]+)+", re.ASCII)
# Where a page of a Git host shows a folder: /tree/main/services/checkout, /-/tree/main/..., /src/main/...
_FOLDER = re.compile(r"(?P<repository>https?://[^/]+/.+?)/(?:-/)?(?:tree|blob|src)/[^/]+(?:/(?P<path>.*))?")


def is_entity(place: Place) -> bool:
    """Whether a document is one of Backstage's."""
    if not isinstance(place.node, yaml.MappingNode):
        return False
    version = place.at("apiVersion")
    return version is not None and version.text().startswith(API)


def services_of(entities: Sequence[Place]) -> list[Listed]:
    """The components among ``entities`` with their members. Raises ``CatalogError`` for what is no entity."""
    for place in entities:
        if not is_entity(place):
            raise place.fault(
                "not an entity of Backstage's: its apiVersion does not begin with backstage.io/"
            )
    owners = {_name(each): _owner(each) for each in entities if _kind(each) == "system"}
    found: dict[str, Listed] = {}
    for each in entities:
        if _kind(each) != "component":
            continue
        service = _component(each, owners)
        if service[0].name in found:
            raise _metadata(each).fault(f"a second component {service[0].name!r}; give one another name")
        found[service[0].name] = service
    return list(found.values())


def _component(entity: Place, owners: dict[str, str | None]) -> Listed:
    system = entity.at("spec", "system")
    team = _owner(entity) or (None if system is None else owners.get(_referred(system)))
    annotations = entity.at("metadata", "annotations")
    members = list(_members(annotations)) if annotations is not None else []
    return Service(_name(entity), team, members=tuple(member for member, _ in members)), members


def _members(annotations: Place) -> Iterator[tuple[Member, Place]]:
    told = annotations.entries()
    yield from _repositories(told)
    if KUBERNETES in told:
        namespace = f"{told[NAMESPACE].text()}/" if NAMESPACE in told else ""
        yield Member("workload", namespace + told[KUBERNETES].text()), told[KUBERNETES]
    if ARGOCD in told:
        for name in told[ARGOCD].text().split(","):
            yield Member("application", name.strip()), told[ARGOCD]
    if JENKINS in told:
        # With several instances of Jenkins, the name of one stands before the job's.
        yield Member("pipeline", told[JENKINS].text().rpartition(":")[2]), told[JENKINS]


def _repositories(told: dict[str, Place]) -> Iterator[tuple[Member, Place]]:
    """The repository that a component is in, and the folder, when its source location shows one."""
    located = _located(told[SOURCE]) if SOURCE in told else None
    if located is not None:
        yield located, told[SOURCE]
    for key in SLUGS:
        if key not in told:
            continue
        slug = told[key].text()
        if _SLUG.fullmatch(slug) is None:
            raise told[key].fault("expected owner/name of the repository")
        if located is None or located.name.lower() != slug.lower():
            yield Member("repository", slug), told[key]


def _located(place: Place) -> Member | None:
    """Of ``url:https://host/owner/name/tree/main/folder/``; other forms tell no repository."""
    kind, _, url = place.text().partition(":")
    if kind != "url":
        return None
    shown = _FOLDER.fullmatch(url.strip())
    name = repository_of_remote(shown["repository"] if shown else url.strip())
    if name is None:
        raise place.fault("expected the address of a repository or of a folder in it, after url:")
    path = ((shown["path"] if shown else None) or "").strip("/")
    return Member("repository", name, paths=(path,) if path else ())


def _owner(entity: Place) -> str | None:
    place = entity.at("spec", "owner")
    return None if place is None else _referred(place)


def _referred(place: Place) -> str:
    """The name in a reference, as ``payments`` in ``group:default/payments``."""
    found = _REFERENCE.fullmatch(place.text())
    if found is None:
        raise place.fault("expected a reference, as payments or group:default/payments")
    return found["name"]


def _kind(entity: Place) -> str:
    place = entity.at("kind")
    if place is None:
        raise _missing(entity, "kind")
    return place.text().lower()


def _name(entity: Place) -> str:
    place = entity.at("metadata", "name")
    if place is None:
        raise _missing(entity, "metadata.name")
    if _NAME.fullmatch(place.text()) is None:
        raise place.fault("expected letters, digits and - _ . between them, at most 63")
    return place.text()


def _metadata(entity: Place) -> Place:
    return entity.at("metadata", "name") or entity


def _missing(entity: Place, path: str) -> CatalogError:
    return entity.fault(f"has no {path!r}; add it")
