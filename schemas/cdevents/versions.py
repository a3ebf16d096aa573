"""The event types of CDEvents 0.5.1 and our own. A version stands here and nowhere else.

A full type is ``dev.cdevents.<subject>.<predicate>.<version>``; an event's name here is its middle.
"""

from collections.abc import Mapping

OFFICIAL = "dev.cdevents."
CUSTOM = "dev.cdeventsx."

VERSIONS: Mapping[str, str] = {
    "artifact.deleted": "0.2.0",
    "artifact.downloaded": "0.2.0",
    "artifact.packaged": "0.3.0",
    "artifact.published": "0.3.0",
    "artifact.signed": "0.3.0",
    "branch.created": "0.3.0",
    "branch.deleted": "0.3.0",
    "build.finished": "0.3.0",
    "build.queued": "0.3.0",
    "build.started": "0.3.0",
    "change.abandoned": "0.3.0",
    "change.created": "0.4.0",
    "change.merged": "0.3.0",
    "change.reviewed": "0.3.0",
    "change.updated": "0.3.0",
    "environment.created": "0.3.0",
    "environment.deleted": "0.3.0",
    "environment.modified": "0.3.0",
    "incident.detected": "0.3.0",
    "incident.reported": "0.3.0",
    "incident.resolved": "0.3.0",
    "pipelinerun.finished": "0.3.0",
    "pipelinerun.queued": "0.3.0",
    "pipelinerun.started": "0.3.0",
    "repository.created": "0.3.0",
    "repository.deleted": "0.3.0",
    "repository.modified": "0.3.0",
    "service.deployed": "0.3.0",
    "service.published": "0.3.0",
    "service.removed": "0.3.0",
    "service.rolledback": "0.3.0",
    "service.upgraded": "0.3.0",
    "taskrun.finished": "0.3.0",
    "taskrun.started": "0.3.0",
    "testcaserun.finished": "0.3.0",
    "testcaserun.queued": "0.3.0",
    "testcaserun.skipped": "0.2.0",
    "testcaserun.started": "0.3.0",
    "testoutput.published": "0.3.0",
    "testsuiterun.finished": "0.3.0",
    "testsuiterun.queued": "0.3.0",
    "testsuiterun.started": "0.3.0",
    "ticket.closed": "0.2.0",
    "ticket.created": "0.2.0",
    "ticket.updated": "0.2.0",
}

# What DORA needs and the official vocabulary has no event for. The pattern of custom types allows exactly one
# hyphen, letters and single digits (0.5.1/custom/schema.json).
OWN_VERSIONS: Mapping[str, str] = {
    "dora-attribution.set": "0.1.0",
    "dora-commit.pushed": "0.1.0",
    "dora-deployment.failed": "0.1.0",
    "dora-deployment.withdrawn": "0.1.0",
}


def type_of(name: str) -> str:
    """Give the full type of the event called ``name``, such as ``service.deployed``. Raises ``KeyError``."""
    if name in OWN_VERSIONS:
        return f"{CUSTOM}{name}.{OWN_VERSIONS[name]}"
    return f"{OFFICIAL}{name}.{VERSIONS[name]}"


def split_type(event_type: str) -> tuple[str, str]:
    """Split a full type into name and version, which is empty when the type does not have the form of one."""
    parts = event_type.removeprefix(OFFICIAL).removeprefix(CUSTOM).split(".")
    return ".".join(parts[:2]), ".".join(parts[2:])
