"""The repository that an event is about, on github.com or on an Enterprise Server."""

from dataclasses import dataclass

from schemas.catalog import Catalog
from streams.fields import Fields

PUBLIC_HOST = "github.com"


@dataclass(frozen=True, slots=True)
class Repository:
    """``name`` is owner/name, as the catalog lists it; ``url`` its page, the source of what we say of it.

    ``identity`` is the name, after the host's if that is an Enterprise Server: ids of two servers may meet.
    """

    name: str
    url: str
    identity: str
    service: str

    @classmethod
    def of(cls, told: Fields, catalog: Catalog) -> "Repository":
        """The ``repository`` of a payload."""
        name, url = told.text("repository.full_name"), told.uri("repository.html_url")
        host = url.partition("://")[2].partition("/")[0].lower()
        identity = name if host == PUBLIC_HOST else f"{host}/{name}"
        return cls(name, url, identity, catalog.service("repository", name))

    def deploy_id(self, thing: str) -> str:
        """The id of a deployment that GitHub knows as ``thing`` within this repository."""
        return f"github:{self.identity}:{thing}"
