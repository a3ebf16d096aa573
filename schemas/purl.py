"""Package URLs, by which artifacts are linked across sources. Spec: package-url/purl-spec, type ``oci``."""

import re
from urllib.parse import quote

from schemas.repository import repository_of_remote

# An image reference as distribution/reference writes it; nothing longer is stored by a registry.
LONGEST_REFERENCE = 512
_GITHUB = re.compile(r"(?:https?://|ssh://git@|git@)github\.com[/:]", re.ASCII)
_REFERENCE = re.compile(
    r"(?P<path>(?:[A-Za-z0-9.-]+(?::\d+)?/)?[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>[a-z0-9]+:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)


def container_image(reference: str) -> str | None:
    """Write an image reference as a purl; ``None`` when it is no image reference.

    The digest identifies the image when there is one; a tag alone says only what was asked for. Names without
    a registry mean Docker Hub, as every container runtime reads them.
    """
    found = _REFERENCE.fullmatch(reference) if len(reference) <= LONGEST_REFERENCE else None
    if found is None:
        return None
    path, tag, digest = _located(found["path"]), found["tag"], found["digest"]
    name = path.rpartition("/")[2].lower()
    if tag is None and digest is None:
        tag = "latest"
    version = f"@{quote(digest, safe='')}" if digest else ""
    return f"pkg:oci/{name}{version}?repository_url={path}" + (f"&tag={tag}" if tag else "")


def generic(namespace: str, name: str, version: str) -> str:
    """Name something that no package system knows, where a purl is required."""
    return f"pkg:generic/{quote(namespace, safe='')}/{quote(name, safe='')}@{quote(version, safe='')}"


def repository(path: str, version: str, *, url: str) -> str:
    """Name a version of what a repository holds, as a commit or a tag; ``url`` says where it is."""
    where = quote(url, safe="/:")
    return f"pkg:generic/{quote(path, safe='/')}@{quote(version, safe='')}?repository_url={where}"


def git(remote: str, version: str) -> str | None:
    """Name a revision of what a Git remote is the address of; ``None`` when it is no such address."""
    name = repository_of_remote(remote)
    if name is None:
        return None
    return github(name, version) if _GITHUB.match(remote) else repository(name, version, url=remote)


def github(repository: str, version: str) -> str:
    """Name a revision of owner/name on GitHub: a commit's hash or a tag. The type asks for lower case."""
    return f"pkg:github/{quote(repository.lower(), safe='/')}@{quote(version, safe='')}"


def helm_chart(repository: str, chart: str, version: str) -> str | None:
    """Name a version of a Helm chart: in an OCI registry it is an image, else in a repository of charts.

    Charts in registries are told of without a scheme, or with ``oci://``. ``None`` when that names no image.
    """
    if "://" in repository and not repository.startswith("oci://"):
        where = quote(repository, safe="/:")
        return f"pkg:helm/{quote(chart, safe='')}@{quote(version, safe='')}?repository_url={where}"
    return container_image(f"{repository.removeprefix('oci://').rstrip('/')}/{chart}:{version}")


def _located(path: str) -> str:
    host, slash, _ = path.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        return path
    return f"docker.io/{path}" if slash else f"docker.io/library/{path}"
