"""Package URLs, by which artifacts are linked across sources. Spec: package-url/purl-spec, type ``oci``."""

import re
from urllib.parse import quote

# An image reference as distribution/reference writes it; nothing longer is stored by a registry.
LONGEST_REFERENCE = 512
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


def _located(path: str) -> str:
    host, slash, _ = path.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        return path
    return f"docker.io/{path}" if slash else f"docker.io/library/{path}"
