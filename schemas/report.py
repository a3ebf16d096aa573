"""Reports: the small JSON documents in which anybody can tell of a deployment, an incident or a change.

What ``POST /webhooks/generic`` takes, ``dora report`` sends and the ``report`` transformer reads; for people:
docs/reporting.md. Each becomes a CloudEvent of the type ``dev.dora.report.<kind>.v1``, the report its data.
"""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from schemas.cdevents.event import derive_id
from schemas.cloudevents.syntax import is_text, is_uri, is_uri_reference
from schemas.instant import instant_text
from schemas.purl import container_image

TYPE = "dev.dora.report.{kind}.v1"
SOURCE = "/report"  # of reports that do not name one
BRANCH = "main"  # of changes that do not name one
MOST_COMMITS = 2048
LONGEST_DEPLOY_ID = 512  # characters, as customData.dora allows

Name = Annotated[str, Meta(min_length=1, max_length=256)]
Words = Annotated[str, Meta(min_length=1, max_length=1000)]


class InvalidReport(ValueError):
    """Not a report; the message names the field and says what to write."""


class _Told(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind"):
    """What every report may tell. ``time`` is RFC 3339 or seconds since 1970; without it, when it came."""

    time: str | int | None = None
    source: Name = SOURCE
    service: Name | None = None
    environment: Name | None = None
    repository: Name | None = None
    commit: Name | None = None
    artifact: Annotated[str, Meta(min_length=1, max_length=512)] | None = None
    reason: Words | None = None

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, str) and not is_text(value):
                raise ValueError(f"{name} has a control character or a noncharacter; remove it")
        if not is_uri_reference(self.source):
            raise ValueError("source is not a URI-reference, as https://ci.example.com/acme/checkout")
        if self.time is not None:
            self.time = _instant("time", self.time)
        if self.artifact is not None and self.purl is None:
            raise ValueError("artifact is neither a purl (pkg:...) nor an image reference")

    @property
    def purl(self) -> str | None:
        """``artifact`` as a purl."""
        if self.artifact is None or self.artifact.startswith("pkg:"):
            return self.artifact
        return container_image(self.artifact)

    @property
    def instant(self) -> str | None:
        """``time`` as RFC 3339 text."""
        return None if self.time is None else str(self.time)


class Deployment(_Told, kw_only=True, tag="deployment"):
    """A deployment that has ended. ``id`` tells it from others of this service there, as a run's id does."""

    service: Name
    environment: Name
    outcome: Literal["success", "failure", "rollback"] = "success"
    id: Name | None = None
    hotfix: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.id is None and self.time is None:
            raise ValueError("give an id, such as the run's, or a time; without, a repeat looks like another")

    @property
    def deploy_id(self) -> str:
        """The same for all reports of one deployment; one run may deploy several services."""
        parts = (self.source, self.service, self.environment, self.id or str(self.time))
        whole = ":".join(("report", *parts))
        return whole if len(whole) <= LONGEST_DEPLOY_ID else f"report:{derive_id(*parts)}"


class Incident(_Told, kw_only=True, tag="incident"):
    """An incident that begins or ends, with the same ``id``. ``deploy_id`` and ``commit`` name its cause."""

    id: Name
    service: Name
    environment: Name
    status: Literal["opened", "resolved"] = "opened"
    title: Words | None = None
    url: Annotated[str, Meta(max_length=1000)] | None = None
    deploy_id: Annotated[str, Meta(min_length=1, max_length=LONGEST_DEPLOY_ID)] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.url is not None and not is_uri(self.url):
            raise ValueError("url is not an absolute URI, as https://tickets.example.com/17")


class Commit(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A commit of a change, and when it was made."""

    commit: Name
    committed_at: str | int | None = None

    def __post_init__(self) -> None:
        if not is_text(self.commit):
            raise ValueError("commit has a control character or a noncharacter; remove it")
        if self.committed_at is not None:
            self.committed_at = _instant("committed_at", self.committed_at)


class Change(_Told, kw_only=True, tag="change"):
    """A change that was opened, merged or abandoned; merged, ``commit`` is the one on the branch.

    ``commits``, oldest first, are those that came with it; without them it is ``commit`` alone. ``before`` is
    the branch's tip before the merge, ``head`` the last commit of the change itself.
    """

    repository: Name
    status: Literal["opened", "merged", "abandoned"] = "merged"
    id: Name | None = None
    branch: Name = BRANCH
    title: Words | None = None
    committed_at: str | int | None = None
    commits: Annotated[list[Commit], Meta(max_length=MOST_COMMITS)] = []
    before: Name | None = None
    head: Name | None = None
    reverts: Name | None = None
    hotfix: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.status == "merged" and self.commit is None:
            raise ValueError("a merged change has a commit, its hash on the branch; add it")
        if self.status != "merged" and self.id is None:
            raise ValueError(f"a change that was {self.status} has an id, as the pull request's; add it")
        if self.committed_at is not None:
            self.committed_at = _instant("committed_at", self.committed_at)

    @property
    def identity(self) -> str:
        """What the change is called."""
        return self.id or self.commit or ""

    @property
    def pushed(self) -> list[Commit]:
        """The commits that a merged change brought to its branch, oldest first."""
        if self.commits or self.commit is None:
            return list(self.commits)
        return [Commit(self.commit, self.committed_at)]


Report = Deployment | Incident | Change
KINDS = ("deployment", "incident", "change")

_FIELD = re.compile(r"Object (missing required|contains unknown) field `([^`]{1,64})`")
_decoder = msgspec.json.Decoder(Report)


def read(body: bytes) -> Report:
    """The report that ``body`` is. Raises ``InvalidReport``."""
    try:
        report: Report = _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidReport(_advice(str(error))) from None
    return report


def kind_of(report: Report) -> str:
    """``deployment``, ``incident`` or ``change``."""
    return type(report).__name__.lower()


def _instant(name: str, told: str | int) -> str:
    try:
        return instant_text(told)
    except ValueError as error:
        raise ValueError(f"{name} is {error}; write it as 2026-01-31T12:00:00Z") from None


def _advice(told: str) -> str:
    if "`kind`" in told or "$.kind" in told:
        return f"kind says what is reported: one of {', '.join(KINDS)}"
    if (found := _FIELD.fullmatch(told)) is not None:
        problem, name = found.groups()
        return (
            f"{name} is missing; add it"
            if problem == "missing required"
            else f"no report has a field {name!r}"
        )
    return f"not a report: {told[:200]}"
