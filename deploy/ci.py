"""What a CI job tells of itself in its environment, so that a report from it needs few words.

GitHub Actions, GitLab CI/CD and Jenkins by the variables that they document; elsewhere nothing is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.repository import repository_of_remote


@dataclass(frozen=True, slots=True)
class Job:
    """``source`` is the address of what runs, ``run`` tells this attempt of it from all others."""

    source: str | None = None
    run: str | None = None
    repository: str | None = None
    commit: str | None = None
    branch: str | None = None


def job_of(environment: Mapping[str, str]) -> Job:
    """The job that this is; an empty one outside of the three."""
    told = {name: value for name, value in environment.items() if value}
    if told.get("GITHUB_ACTIONS") == "true":
        return _github(told)
    if "GITLAB_CI" in told:
        return _gitlab(told)
    if "JENKINS_URL" in told:
        return _jenkins(told)
    return Job()


def _github(told: Mapping[str, str]) -> Job:
    repository = told.get("GITHUB_REPOSITORY")
    words = (told.get("GITHUB_RUN_ID"), told.get("GITHUB_RUN_ATTEMPT"), told.get("GITHUB_JOB"))
    return Job(
        source=f"{told.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}" if repository else None,
        run="/".join(word for word in words if word) or None,
        repository=repository,
        commit=told.get("GITHUB_SHA"),
        branch=told.get("GITHUB_REF_NAME") if told.get("GITHUB_REF_TYPE") == "branch" else None,
    )


def _gitlab(told: Mapping[str, str]) -> Job:
    return Job(
        source=told.get("CI_PROJECT_URL"),
        run=told.get("CI_JOB_ID"),  # a job that is retried has another
        repository=told.get("CI_PROJECT_PATH"),
        commit=told.get("CI_COMMIT_SHA"),
        branch=told.get("CI_COMMIT_BRANCH"),
    )


def _jenkins(told: Mapping[str, str]) -> Job:
    branch = told.get("BRANCH_NAME") or told.get("GIT_BRANCH", "").removeprefix("origin/")
    return Job(
        source=told.get("JOB_URL"),
        run=told.get("BUILD_NUMBER"),
        repository=repository_of_remote(told.get("GIT_URL", "")),
        commit=told.get("GIT_COMMIT"),
        branch=branch or None,
    )
