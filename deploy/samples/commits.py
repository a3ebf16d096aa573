"""The commits that a delivery brings, and what was built of them, as CDEvents. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha1
from random import Random
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from schemas.cdevents.versions import type_of
from schemas.instant import format_instant

Told = tuple[dict[str, str], dict[str, Any]]

GIT, BUILDS = "https://git.example", "https://builds.example"
SPEC = "0.5.1"
MOST_COMMITS = 3  # of a delivery
HOTFIXES = 0.04  # of deliveries that went well


def delivered(service: str, artifact: str, at: datetime, chance: Random) -> Iterator[Told]:
    """A push before the delivery at ``at``, and the ``artifact`` that was built of its last commit."""
    number = chance.randint(1, MOST_COMMITS)
    commits = [sha1(f"{artifact} {n}".encode(), usedforsecurity=False).hexdigest() for n in range(number)]
    pushed = at - timedelta(minutes=chance.uniform(8, 25))
    about: dict[str, Any] = {"service": service, "repository": f"shop/{service}"}
    if chance.random() < HOTFIXES:
        about["hotfix"] = True
    for order, commit in enumerate(commits):
        made = pushed - timedelta(hours=chance.lognormvariate(1.9, 1.1)) / (order + 1)
        content = {
            "repository": {"id": about["repository"]},
            "branch": "main",
            "order": order,
            "after": commits[-1],
            "committedAt": format_instant(made),
        }
        yield told(GIT, "dora-commit.pushed", commit, pushed, content, {**about, "commit": commit})
    built = {"change": {"id": commits[-1]}}
    known = {**about, "commit": commits[-1], "artifact": artifact}
    yield told(BUILDS, "artifact.packaged", artifact, pushed + timedelta(minutes=4), built, known)


def told(
    source: str, name: str, subject: str, at: datetime, content: dict[str, Any], about: dict[str, Any]
) -> Told:
    """One CDEvent in a CloudEvent."""
    kind, time = type_of(name), format_instant(at)
    id_ = str(uuid5(NAMESPACE_URL, f"{source} {kind} {subject} {time}"))
    context = {"specversion": SPEC, "id": id_, "source": source, "type": kind, "timestamp": time}
    data = {
        "context": context,
        "subject": {"id": subject, "content": content},
        "customData": {"dora": about},
        "customDataContentType": "application/json",
    }
    return {"type": kind, "source": source, "subject": subject, "time": time, "id": id_}, data
