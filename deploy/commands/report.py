"""Report a deployment, an incident or a change, from any CI job in one line."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer


class Kind(StrEnum):
    """What is reported."""

    DEPLOYMENT = "deployment"
    INCIDENT = "incident"
    CHANGE = "change"


def report(
    kind: Annotated[Kind, typer.Argument(help="What is reported.")],
    service: Annotated[str, typer.Option(help="The service, by the catalog's name.")] = "",
    environment: Annotated[str, typer.Option(help="Where it was deployed to, or what suffers.")] = "",
    outcome: Annotated[str, typer.Option(help="Deployment: success, failure or rollback.")] = "",
    status: Annotated[
        str, typer.Option(help="Incident: opened or resolved. Change: opened, merged or abandoned.")
    ] = "",
    id_: Annotated[
        str, typer.Option("--id", help="Of the deployment (in CI: of the job), incident or change.")
    ] = "",
    commit: Annotated[str, typer.Option(help="The full hash (in CI: the job's).")] = "",
    repository: Annotated[str, typer.Option(help="owner/name (in CI: the job's).")] = "",
    branch: Annotated[str, typer.Option(help="Change: the branch it is merged to.")] = "",
    artifact: Annotated[str, typer.Option(help="A purl or an image reference.")] = "",
    committed_at: Annotated[str, typer.Option(help="Change: when its commit was made.")] = "",
    deploy_id: Annotated[str, typer.Option(help="Incident: the deployment that caused it.")] = "",
    title: Annotated[str, typer.Option(help="Incident, change: for people to read.")] = "",
    url: Annotated[str, typer.Option(help="Incident: its ticket.")] = "",
    reason: Annotated[str, typer.Option(help="Why it failed, or was resolved.")] = "",
    time: Annotated[str, typer.Option(help="When it happened; now, if not given.")] = "",
    source: Annotated[str, typer.Option(help="Who tells, a URI reference (in CI: the project).")] = "",
    hotfix: Annotated[bool | None, typer.Option("--hotfix", help="It was an unplanned repair.")] = None,
    ingress_url: Annotated[
        str, typer.Option(envvar="DORA_INGRESS_URL", help="The ingress.")
    ] = "http://127.0.0.1:8080",
) -> None:
    """Report a deployment, an incident or a change, from any CI job in one line.

    In GitHub Actions, GitLab CI/CD and Jenkins the commit, the repository and the id are taken from the
    job. With DORA_REPORT_TOKEN (or a file named by DORA_REPORT_TOKEN_FILE) it goes to /webhooks/generic,
    without to / as a CloudEvent, with the token in DORA_TOKEN or DORA_TOKEN_FILE. It ends with 1 unless the
    ingress has it.

    \b
    Examples:
      dora report deployment --service checkout --environment production
      dora report deployment --service checkout --environment production --outcome failure
      dora report incident --id INC-17 --service checkout --environment production --title "Nobody can pay"
      dora report incident --id INC-17 --service checkout --environment production --status resolved
      dora report change --repository acme/checkout --commit 5f2c1c9d --id 12
    """
    import asyncio
    import os

    from deploy.ci import job_of
    from deploy.reporting import deliver, document_of, message_of, summary
    from deploy.sending import token_of
    from schemas.instant import format_instant

    said = {
        "service": service, "environment": environment, "outcome": outcome, "status": status, "id": id_,
        "commit": commit, "repository": repository, "branch": branch, "artifact": artifact, "title": title,
        "committed_at": committed_at, "deploy_id": deploy_id, "url": url, "reason": reason,
        "time": int(time) if time.isdecimal() else time,
        "source": source, "hotfix": hotfix,
    }  # fmt: skip
    body = document_of(kind.value, said, job_of(os.environ), format_instant(datetime.now(UTC)))
    message = message_of(body, token_of(os.environ, "DORA_REPORT_TOKEN"))
    asyncio.run(deliver(message, ingress_url, token_of(os.environ)))
    typer.echo(summary(body))
