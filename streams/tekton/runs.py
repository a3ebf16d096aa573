"""A run of Tekton, as an event shows it: PipelineRun, TaskRun or CustomRun, of v1beta1 or v1. Pure.

Shapes: tektoncd/pipeline, pkg/apis/pipeline/{v1beta1,v1}. Tekton sends v1beta1, where a pipeline's results
are ``status.pipelineResults`` and a task's ``status.taskResults``; v1 has ``status.results`` for both.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from schemas.cdevents.vocabulary.runs import RunOutcome
from schemas.cloudevents.syntax import is_uri
from streams.texts import instant, name, optional_name, words

Json = Mapping[str, Any]
Kind = Literal["pipelinerun", "taskrun", "customrun"]

# Reasons of a condition. Tekton tells of cancelled and timed-out runs as failed.
CANCELLED = re.compile(r"(?:PipelineRun|TaskRun|CustomRun|Run)?Cancelled|(?:Cancelled|Stopped)RunningFinally")
# Of a run that ran out of time or could not run, so that what it was to try has not failed.
BROKEN = re.compile(
    r".*(?:Timeout|TimedOut|Invalid|Missing|MissKeys|Mismatch|Couldnt|NotSupported|Evicted|ConfigError|Optional"
    r"|(?:Validation|Verification|Resolution|Creation|Evaluation|CreateRun|ImagePull)Failed).*"
)

API = "/apis/tekton.dev/v1"
LONGEST_URI = 1024  # characters; a longer one is not passed on
PLURALS = {"pipelinerun": "pipelineruns", "taskrun": "taskruns", "customrun": "customruns"}
REFERENCES = {"pipelinerun": ("pipelineRef",), "taskrun": ("taskRef",), "customrun": ("customRef", "ref")}
RESULTS = ("pipelineResults", "taskResults", "results")
SEPARATORS = str.maketrans("", "", "-_.")

# Pipelines as Code, which names its runs anew each time, marks them with what they are runs of.
ORIGINAL_NAME = "pipelinesascode.tekton.dev/original-prname"
LOG_URL = "pipelinesascode.tekton.dev/log-url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What an event shows of one run.

    ``source`` is where it is; Tekton's own has the same parts, and often leaves some of them empty.
    ``of`` is the pipeline or task that it is a run of, ``parent`` the uid of the PipelineRun around it.
    ``marks`` are its labels and, above them, its annotations. ``attempt`` counts a task's retries, which
    Tekton makes under one uid. ``succeeded``, ``reason`` and ``message`` are of the condition ``Succeeded``.
    Times are RFC 3339 text; one that the run does not tell is the event's.
    """

    kind: Kind
    source: str
    uid: str
    name: str
    namespace: str
    of: str | None
    parent: str | None
    attempt: int
    marks: Json
    params: Json
    results: Json
    succeeded: bool
    reason: str
    message: str | None
    created: str
    started: str
    completed: str

    @property
    def uri(self) -> str:
        """Where people can look at the run, if it says so; else its source as an absolute URI."""
        page = self.marks.get(LOG_URL)
        usable = isinstance(page, str) and len(page) <= LONGEST_URI and is_uri(page)
        return str(page) if usable else f"kubernetes://{self.source}"

    @property
    def outcome(self) -> RunOutcome:
        """How the run ended."""
        if self.succeeded:
            return "success"
        if CANCELLED.fullmatch(self.reason):
            return "cancel"
        return "error" if BROKEN.fullmatch(self.reason) else "failure"

    @property
    def errors(self) -> str | None:
        """Why it did not succeed, for people to read."""
        if self.succeeded:
            return None
        return words(": ".join(part for part in (self.reason, self.message) if part))

    def mark(self, key: str) -> str | None:
        """The annotation or label ``key``, without space around it; ``None`` when it is missing or empty."""
        return optional_name(_stripped(self.marks.get(key)), f"metadata.annotations.{key}")

    def fact(self, what: str) -> str:
        """What makes it the same fact when Tekton sends it again: the ids of its events are random."""
        return f"{self.uid} {what}" + (f" {self.attempt}" if self.attempt else "")


def read_run(kind: Kind, told: Json, time: str, *, succeeded: bool | None = None) -> Run:
    """The run that ``told``, a Kubernetes object, is; ``time`` is the event's.

    ``succeeded`` is what the event says of the run, if it says more than the condition.
    """
    metadata, spec, status = told["metadata"], told.get("spec") or {}, told.get("status") or {}
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    marks = {**labels, **annotations}
    condition = _succeeded(status.get("conditions") or ())
    created = _time(metadata, "creationTimestamp", time)
    namespace, called = (name(metadata[key], f"metadata.{key}") for key in ("namespace", "name"))
    return Run(
        kind=kind,
        source=f"{API}/namespaces/{quote(namespace)}/{PLURALS[kind]}/{quote(called, safe='')}",
        uid=name(metadata["uid"], "metadata.uid"),
        name=called,
        namespace=namespace,
        of=_definition(kind, metadata, spec, marks),
        parent=_parent(metadata, labels),
        attempt=len(status.get("retriesStatus") or ()),
        marks=marks,
        params=_values(spec.get("params")),
        results=_values(next((status[key] for key in RESULTS if status.get(key)), None)),
        succeeded=condition.get("status") == "True" if succeeded is None else succeeded,
        reason=words(condition.get("reason")) or "",
        message=words(condition.get("message")),
        created=created,
        started=_time(status, "startTime", created),
        completed=_time(status, "completionTime", _time(condition, "lastTransitionTime", time)),
    )


def text_of(value: Any) -> str | None:
    """The text of a param or result; commands that write results like to end them with a new line."""
    text = _stripped(value)
    return text if isinstance(text, str) and text else None


def comparable(values: Json) -> Json:
    """Params or results by their names in lower case and without dashes, dots and underscores."""
    return {key.translate(SEPARATORS).lower(): value for key, value in values.items()}


def texts_of(values: Json, names: tuple[str, ...]) -> Iterator[str]:
    """The texts that have one of ``names``, in the order of these."""
    return filter(None, (text_of(values[each]) for each in names if each in values))


def _succeeded(conditions: Any) -> Json:
    return next((each for each in conditions if each.get("type") == "Succeeded"), {})


def _definition(kind: Kind, metadata: Json, spec: Json, marks: Json) -> str | None:
    references: Iterator[Json] = (spec[key] for key in REFERENCES[kind] if spec.get(key))
    reference = next(references, {}).get("name")
    if kind != "pipelinerun":
        task = reference or marks.get("tekton.dev/task") or marks.get("tekton.dev/pipelineTask")
        return optional_name(task, "spec.taskRef.name")
    # The label holds the run's own name when the pipeline is written into the run.
    label = marks.get("tekton.dev/pipeline")
    named = reference or (label if label != metadata["name"] else None)
    generated = (metadata.get("generateName") or "").rstrip("-")
    return name(marks.get(ORIGINAL_NAME) or named or generated or metadata["name"], "spec.pipelineRef.name")


def _parent(metadata: Json, labels: Json) -> str | None:
    owners = metadata.get("ownerReferences") or ()
    owner = next((each.get("uid") for each in owners if each.get("kind") == "PipelineRun"), None)
    return optional_name(owner or labels.get("tekton.dev/pipelineRunUID"), "metadata.ownerReferences")


def _values(entries: Any) -> Json:
    return {entry["name"]: entry.get("value") for entry in entries or () if isinstance(entry["name"], str)}


def _time(holder: Json, field: str, otherwise: str) -> str:
    told = holder.get(field)
    return otherwise if told is None else instant(told, field)


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value
