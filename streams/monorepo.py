"""Which services a commit concerns, by the paths that it changes, where one repository holds several. Pure.

GitHub and GitLab list the paths of each commit of a push as ``added``, ``modified`` and ``removed``.
"""

from collections.abc import Iterator
from typing import Any

from schemas.catalog import Catalog
from streams.fields import Fields

LISTS = ("added", "modified", "removed")
# GitHub lists no more (docs.github.com, "push"): of a commit with that many, some paths are not known.
MOST_PATHS = 3000


def concerned(commit: Fields, repository: str, service: str, catalog: Catalog) -> dict[str, Any]:
    """``service`` and ``services`` of a commit; ``service`` is whose the repository is.

    ``services`` is ``None`` where the repository is not divided, or the commit does not tell all of its
    paths, as one that merges may not: then it concerns everyone.
    """
    if catalog.services_of_paths(repository, ()) is None:
        return {"service": service, "services": None}
    paths = list(_paths(commit))
    if not 0 < len(paths) < MOST_PATHS:
        return {"service": service, "services": None}
    services = catalog.services_of_paths(repository, paths) or ()
    return {"service": services[0] if len(services) == 1 else service, "services": services}


def _paths(commit: Fields) -> Iterator[str]:
    for name in LISTS:
        listed = commit.find(name)
        if isinstance(listed, list):
            yield from (path for path in listed if isinstance(path, str))
