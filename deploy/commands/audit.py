"""Ask for known vulnerabilities of what is locked (for maintainers)."""

from typing import Annotated

import typer


def audit(
    *,
    required: Annotated[
        bool, typer.Option("--required", help="Fail when the service cannot be asked: for a release.")
    ] = False,
    service: Annotated[
        str, typer.Option(envvar="DORA_OSV", help="The address of another service that speaks as OSV does.")
    ] = "",
) -> None:
    """Ask for known vulnerabilities of what is locked (for maintainers).

    Of Python's packages by pip-audit, and of Kafka's jars. What is accepted, with a reason and a date, stands
    in deploy/waivers.toml; anything else fails. `dora test` runs this too.

    \b
    Examples:
      ./dora audit
      ./dora audit --required
    """
    import datetime as dt

    from deploy import audit as work

    try:
        accepted = work.audit(dt.datetime.now(dt.UTC).date(), service or work.OSV)
    except work.Unanswered as unanswered:
        typer.echo(f"dora audit: skipped, because {unanswered}; nothing was looked at", err=True)
        raise typer.Exit(int(required)) from None
    for finding in accepted:
        typer.echo(f"accepted {finding}")
    typer.echo(f"no known vulnerability but {len(accepted)} accepted", err=True)
