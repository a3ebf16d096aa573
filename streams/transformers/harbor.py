"""Harbor, the registry: artifacts that were pushed, pulled and deleted.

Its CloudEvents (`harbor.*`) have as data what its default format has in `event_data`; a web hook in the
default format arrives under the same types, whole. Its CDEvents are CDEvents already. Each policy of a
project tells of the same push under an id of its own. Spec: goharbor/harbor, src/pkg/notifier.
"""

from collections.abc import Callable, Iterator

from schemas import purl
from schemas.catalog import Catalog
from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary import artifact_deleted, artifact_downloaded, artifact_published
from schemas.cloudevents.event import CloudEvent
from schemas.instant import instant_text
from streams.fields import Fields
from streams.outcome import Ignored, Mapped, Outcome
from streams.shapes import Unfit
from streams.source import Source

source = Source("harbor", prefixes=("harbor.",))

REASONS = {
    "tag": "a tag was given to an artifact that was pushed before",
    "scan": "what a scan finds is not measured",
    "quota": "quotas are not measured",
    "replication": "a copy of what was pushed before; the registry that has it tells of that itself",
    "tag_retention": "of each artifact that was deleted there is an event of its own",
    "chart": "charts in Harbor's own repository, which newer versions keep as artifacts, are not measured",
}


@source.on("artifact.pushed")
def artifact_was_pushed(event: CloudEvent, _: Catalog) -> Outcome:
    """An artifact that can be pulled from now on."""
    return Mapped(*_artifacts(event, artifact_published, "pushed"))


@source.on("artifact.pulled")
def artifact_was_pulled(event: CloudEvent, _: Catalog) -> Outcome:
    """An artifact that somebody fetched."""
    return Mapped(*_artifacts(event, artifact_downloaded, "pulled"))


@source.on("artifact.deleted")
def artifact_was_deleted(event: CloudEvent, _: Catalog) -> Outcome:
    """An artifact that can no longer be pulled."""
    return Mapped(*_artifacts(event, artifact_deleted, "deleted"))


@source.on(*REASONS)
def nothing_measured(event: CloudEvent, _: Catalog) -> Outcome:
    """Understood, and no part of what is measured."""
    return Ignored(REASONS[event.type.removeprefix("harbor.").partition(".")[0]])


def _artifacts(event: CloudEvent, make: Callable[..., Draft], happened: str) -> Iterator[Draft]:
    whole = Fields(event.data)
    told, at = whole, None
    if whole.find("event_data") is not None:  # the default format
        told, at = whole.within("event_data"), whole.instant("occur_at")
    at = at or instant_text(event.time)
    found = list(told.each("resources"))
    if not found:
        raise Unfit("no artifact in field 'resources'")
    for resource in found:
        artifact = _artifact(resource)
        fact = f"{artifact} {happened} {at}"
        yield make(source=event.source, at=at, artifact=artifact, channel=source.name, fact=fact)


def _artifact(resource: Fields) -> str:
    """The purl of a resource. Its address may have the tag, the digest, or both; its fields say it again."""
    place, _, _ = resource.text("resource_url").partition("@")
    digest, tag = resource.optional("digest"), resource.optional("tag")
    if tag is not None and ":" not in tag and ":" not in place.rpartition("/")[2]:
        place = f"{place}:{tag}"
    found = purl.container_image(f"{place}@{digest}" if digest else place)
    if found is None:
        raise Unfit("'resources.resource_url' is not the address of an artifact")
    return found
