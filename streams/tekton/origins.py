"""What a run of Tekton worked on: a repository and a commit, by its marks, results and params. Pure.

Names: those of Tekton Chains (``CHAINS-GIT_URL``, ``CHAINS-GIT_COMMIT``, ``...ARTIFACT_INPUTS``), Pipelines
as Code, of the examples of Tekton Triggers (``gitrevision``), and others that are in use.
"""

import re
from collections.abc import Iterator
from itertools import chain

from schemas.repository import repository_of_remote
from streams.tekton.runs import Json, Run, comparable, text_of, texts_of

# Names of params and results, in lower case and without dashes, dots and underscores.
COMMITS = ("chainsgitcommit", "gitcommit", "gitcommitsha", "commitsha", "commit", "gitsha", "sha")
# These may hold a branch or a tag as well, and name a commit only if they look like nothing else.
REVISIONS = ("gitrevision", "revision", "gitrepositoryrevision", "reporevision")
REPOSITORIES = (
    "chainsgiturl",
    "giturl",
    "gitrepositoryurl",
    "repositoryurl",
    "repourl",
    "repository",
    "repo",
)

COMMIT_MARKS = ("dora.dev/commit", "pipelinesascode.tekton.dev/sha")
REPOSITORY_MARK = "dora.dev/repository"
OWNER_MARK, NAME_MARK = "pipelinesascode.tekton.dev/url-org", "pipelinesascode.tekton.dev/url-repository"

HASH = re.compile(r"[0-9a-f]{4,64}", re.ASCII)
WHOLE_HASH = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})", re.ASCII)


def origin_of(run: Run) -> tuple[str | None, str | None]:
    """The repository, as owner/name, and the commit: as marks say, else results, else params."""
    told = [(comparable(values), _inputs(values)) for values in (run.results, run.params)]
    marked = filter(None, map(run.mark, COMMIT_MARKS))
    commits = chain(marked, *(_commits(values, inputs) for values, inputs in told))
    remotes = chain.from_iterable(_remotes(values, inputs) for values, inputs in told)
    repository = _marked(run) or next(filter(None, map(repository_of_remote, remotes)), None)
    return repository, next(filter(HASH.fullmatch, commits), None)


def _marked(run: Run) -> str | None:
    owner, name = run.mark(OWNER_MARK), run.mark(NAME_MARK)
    return run.mark(REPOSITORY_MARK) or (f"{owner}/{name}" if owner and name else None)


def _commits(values: Json, inputs: list[dict[str, str]]) -> Iterator[str]:
    yield from texts_of(values, COMMITS)
    yield from filter(WHOLE_HASH.fullmatch, texts_of(values, REVISIONS))
    yield from (each["digest"].removeprefix("sha1:") for each in inputs)


def _remotes(values: Json, inputs: list[dict[str, str]]) -> Iterator[str]:
    yield from texts_of(values, REPOSITORIES)
    yield from (each["uri"] for each in inputs)


def _inputs(values: Json) -> list[dict[str, str]]:
    """List the Git repositories among the inputs, with what is told of each as text."""
    objects = [value for key, value in values.items() if key.endswith("ARTIFACT_INPUTS")]
    told = [
        {field: text_of(value.get(field)) or "" for field in ("uri", "digest")}
        for value in objects
        if isinstance(value, dict)
    ]
    return [each for each in told if each["digest"].startswith("sha1:")]
