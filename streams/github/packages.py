"""GitHub Packages as purls, by the type of the package (package-url/purl-spec, "purl-types")."""

from urllib.parse import quote, urlsplit

from schemas import purl
from streams.fields import Fields

# GitHub's package types -> purl types. Others are of no known ecosystem.
PURL_TYPES = {"npm": "npm", "maven": "maven", "rubygems": "gem", "nuget": "nuget"}
IMAGES = ("container", "docker")
REGISTRY = "ghcr.io"


def artifact_of(package: Fields) -> str | None:
    """The purl of the version that was published; ``None`` when the payload does not say which it is."""
    kind = (package.optional("package_type") or "").lower()
    if kind in IMAGES:
        return _image(package)
    version = package.optional("package_version.version")
    if version is None:
        return None
    owner, name = package.optional("owner.login") or "github", package.text("name")
    if kind not in PURL_TYPES:
        return purl.generic(owner, name, version)
    return f"pkg:{PURL_TYPES[kind]}/{_path(kind, owner, name)}@{quote(version, safe='')}"


def _image(package: Fields) -> str | None:
    """Registries name images in lower case, whatever the account is called."""
    owner, name = package.text("owner.login"), package.text("name")
    told = package.optional("package_version.package_url") or ""
    host = urlsplit(f"//{told}").hostname if "/" in told else None
    tag = package.optional("package_version.container_metadata.tag.name")
    digest = package.optional("package_version.container_metadata.manifest.digest") or package.optional(
        "package_version.container_metadata.tag.digest"
    )
    version = package.optional("package_version.version") or ""
    digest = digest or (version if ":" in version else None)
    reference = f"{host or REGISTRY}/{owner}/{name}".lower()
    reference += (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
    return purl.container_image(reference) if tag or digest else None


def _path(kind: str, owner: str, name: str) -> str:
    if kind == "npm":
        return f"%40{quote(owner.lower(), safe='')}/{quote(name.lower(), safe='')}"
    if kind == "maven" and "." in name:  # group.of.names.artifact
        group, _, artifact = name.rpartition(".")
        return f"{quote(group, safe='.')}/{quote(artifact, safe='')}"
    return quote(name, safe="")
