"""Where the pages about one thing are. Pure."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from query.database import Row
from query.paging import location

# Browsers take these two for steps within a path, however they are encoded.
STEPS = frozenset({".", ".."})


def service_address(service: str, filters: Mapping[str, Any] | None = None) -> str:
    """The page of a service, with ``filters`` in its address."""
    if service in STEPS:
        return location("/service", {"name": service, **(filters or {})})
    return location(f"/services/{quote(service, safe='')}", filters or {})


def deployment_address(deploy_id: str) -> str:
    """The page of a deployment. Its id can be anything, slashes and dots included, so it is no path."""
    return location("/deployment", {"id": deploy_id})


def change_address(repository: str, change_id: str) -> str:
    """The page of a commit or a change under review."""
    return location("/change", {"repository": repository or None, "id": change_id})


def incident_address(row: Row) -> str:
    """The page of the incident in ``row``."""
    return location("/incident", {"source": row["incident_source"], "id": row["incident_id"]})


def event_address(source: str, identity: str) -> str:
    """The page of a CloudEvent or CDEvent, with all that it became."""
    return location("/event", {"source": source, "id": identity})
