"""Correct whether a deployment failed, or was planned."""

from datetime import UTC, datetime
from typing import Annotated

import typer


def attribute(
    deploy_id: Annotated[str, typer.Argument(help="The deployment, as /v1/deployments names it.")],
    failed: Annotated[
        bool | None, typer.Option("--failed/--not-failed", help="It failed, or it did not.")
    ] = None,
    unplanned: Annotated[
        bool | None, typer.Option("--unplanned/--planned", help="It was a repair, or it was not.")
    ] = None,
    clear: Annotated[bool | None, typer.Option("--clear", help="Let the rules decide again.")] = None,
    cause: Annotated[str, typer.Option(help="With --failed: the incident, or what else made it fail.")] = "",
    reason: Annotated[str, typer.Option(help="Why, for whoever reads the log.")] = "",
    ingress_url: Annotated[
        str, typer.Option(envvar="DORA_INGRESS_URL", help="The ingress.")
    ] = "http://127.0.0.1:8080",
) -> None:
    """Correct whether a deployment failed, or was planned; the numbers follow.

    The last word on a deployment counts whole: what it does not say is for the rules to decide. It ends
    with 1 unless the ingress has it. The ingress of another machine wants a token with the right to
    correct, in DORA_TOKEN or a file named by DORA_TOKEN_FILE.

    \b
    Examples:
      dora attribute github:1234 --not-failed --reason "the incident was a failing disk"
      dora attribute github:1235 --failed --cause INC-17
      dora attribute github:1235 --clear
    """
    import asyncio
    import os

    from deploy.attributing import message_of
    from deploy.reporting import deliver
    from deploy.sending import token_of
    from schemas.instant import format_instant

    if bool(clear) == (failed is not None or unplanned is not None):
        raise typer.BadParameter("say --failed, --not-failed, --unplanned or --planned; or --clear alone")
    if cause and not failed:
        raise typer.BadParameter("--cause is what made it fail; it goes with --failed")
    said = {"failed": failed, "unplanned": unplanned, "cause": cause or None, "reason": reason or None}
    now = format_instant(datetime.now(UTC))
    asyncio.run(deliver(message_of(deploy_id, said, now), ingress_url, token_of(os.environ)))
    typer.echo(f"corrected {deploy_id}")
