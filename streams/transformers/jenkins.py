"""Jenkins, as its plugin `cloudevents` tells of it: `org.jenkinsci.{queue,job,node}.*`.

Spec: jenkinsci/cloudevents-plugin, README and Stage.java. A build that ended is told of up to three times, as
completed, finalized and failed; that is one fact. What its plugin `cdevents` sends are CDEvents already.
Which builds are deployments, only the catalog can say: docs/sources/jenkins.md.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from schemas import purl
from schemas.catalog import Catalog
from schemas.cdevents.event import Draft
from schemas.cdevents.vocabulary import (
    deployment_failed,
    pipelinerun_finished,
    pipelinerun_queued,
    pipelinerun_started,
    service_deployed,
)
from schemas.cdevents.vocabulary.runs import RunOutcome
from schemas.cloudevents.event import CloudEvent
from schemas.cloudevents.syntax import is_uri
from schemas.repository import repository_of_remote
from streams.fields import Fields
from streams.marks import is_hotfix
from streams.outcome import Ignored, Mapped, Outcome, Unmapped
from streams.shapes import Unfit
from streams.source import Source

source = Source("jenkins", prefixes=("org.jenkinsci.",))

LONGEST_ADDRESS = 400  # characters; ids of deployments are made of it

# Unstable is what Jenkins calls a build that went through, with failed tests; its plugin for CDEvents takes
# that for a success, too. FAILED stands in the plugin's documentation, and Jenkins says FAILURE.
OUTCOMES: dict[str, RunOutcome] = {
    "SUCCESS": "success",
    "UNSTABLE": "success",
    "FAILURE": "failure",
    "FAILED": "failure",
    "ABORTED": "cancel",
    "NOT_BUILT": "cancel",
}


@source.on("queue.entered_waiting")
def build_waits(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A build that waits. It has no number yet, so that nothing but its place in the queue identifies it."""
    told = Fields(event.data)
    name, item = told.text("displayName"), f"queue/item/{told.number('jenkinsQueueId')}/"
    run = (told.optional("ciUrl") or "jenkins:///") + item
    at = told.instant("entryTime")
    service = catalog.service("pipeline", name)
    return Mapped(
        pipelinerun_queued(
            source=event.source,
            run=run,
            pipeline=name,
            uri=run if is_uri(run) else None,
            at=at,
            service=service,
            channel=source.name,
            fact=f"{run} queued {at}",
        )
    )


@source.on("job.started")
def build_started(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A build that runs."""
    build = _build(event, catalog)
    return Mapped(pipelinerun_started(**build, fact=f"{build['run']} started"))


@source.on("job.completed", "job.finalized", "job.finalzed", "job.failed")
def build_ended(event: CloudEvent, catalog: Catalog) -> Outcome:
    """A build that ended; a deployment too, if the catalog gives its job an environment."""
    status = Fields(event.data).text("build.status")
    if status not in OUTCOMES:
        return Unmapped(f"{event.type}: no rule for status {status!r}")
    build = _build(event, catalog)
    ended = pipelinerun_finished(**build, outcome=OUTCOMES[status], fact=f"{build['run']} finished")
    return Mapped(ended, *_deployments(event, build, OUTCOMES[status], catalog))


@source.on("job.created", "job.updated")
def job_was_set_up(_: CloudEvent, __: Catalog) -> Outcome:
    """A job, not a build of it."""
    return Ignored("the settings of a job are not measured")


@source.on("queue.left")
def build_waits_no_longer(_: CloudEvent, __: Catalog) -> Outcome:
    """A build that left the queue, to run or because somebody took it out."""
    return Ignored("the build that begins tells of itself")


@source.on("node")
def node_changed(_: CloudEvent, __: Catalog) -> Outcome:
    """A machine that runs builds came or went."""
    return Ignored("the machines that run builds are not measured")


def _build(event: CloudEvent, catalog: Catalog) -> dict[str, Any]:
    """What every event about a build tells of it."""
    told = Fields(event.data)
    name, run = _name(told), _address(told)
    remote = told.optional("build.scmState.url")
    return {
        "source": event.source,
        "run": run,
        "uri": run,
        "pipeline": name,
        "at": told.instant("build.timestamp"),
        "service": catalog.service("pipeline", name),
        "repository": None if remote is None else repository_of_remote(remote),
        "commit": told.optional("build.scmState.commit"),
        "hotfix": is_hotfix(told.optional("build.scmState.branch")) or None,
        "channel": source.name,
    }


def _deployments(
    event: CloudEvent, build: dict[str, Any], outcome: RunOutcome, catalog: Catalog
) -> Iterator[Draft]:
    environment = catalog.environment_of("pipeline", build["pipeline"])
    if environment is None or outcome == "cancel":
        return
    told = Fields(event.data)
    remote, commit, number = told.optional("build.scmState.url"), build["commit"], told.number("build.number")
    revision = purl.git(remote, commit) if remote is not None and commit is not None else None
    common = ("source", "at", "service", "repository", "commit", "hotfix", "channel")
    deployment: dict[str, Any] = {
        **{name: build[name] for name in common},
        "deploy_id": f"jenkins:{build['run'].partition('://')[2]}",
        "environment": environment,
        "artifact": revision or purl.generic("jenkins", build["pipeline"], str(number)),
        "basis": "job",
        "fact": f"{build['run']} deployment",
    }
    if outcome == "success":
        yield service_deployed(**deployment)
    else:
        yield deployment_failed(**deployment, reason=f"build {number} of {build['pipeline']} failed")


def _name(told: Fields) -> str:
    """The job's name with its folders, as Jenkins calls it: ``job/shop/job/checkout/`` is shop/checkout."""
    words = (told.optional("url") or "").strip("/").split("/")
    if len(words) % 2 == 0 and set(words[::2]) == {"job"} and all(words):
        return "/".join(unquote(word) for word in words[1::2])
    return told.text("name")


def _address(told: Fields) -> str:
    """The address of the build; relative to an unknown one when Jenkins does not know its own."""
    known = told.find("build.fullUrl") is not None
    address = told.uri("build.fullUrl") if known else f"jenkins:///{told.text('build.url')}"
    if len(address) > LONGEST_ADDRESS or not is_uri(address):
        raise Unfit("'build.url' is not the address of a build")
    return address
