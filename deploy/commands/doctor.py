"""Look at an installation, and say what to do."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deploy.findings import Finding

HERE = Path(".dora")  # where `dora up` keeps everything unless it is told otherwise


def doctor(
    *,
    kafka: Annotated[
        str | None, typer.Option(envvar="DORA_KAFKA", help="Bootstrap servers, comma separated.")
    ] = None,
    postgres: Annotated[
        str | None, typer.Option(envvar="DORA_POSTGRES", help="PostgreSQL URL of the owner, or of a worker.")
    ] = None,
    ingress_url: Annotated[
        str | None, typer.Option(envvar="DORA_INGRESS_URL", help="The ingress, if it shall be asked.")
    ] = None,
    query_url: Annotated[
        str | None, typer.Option(envvar="DORA_QUERY_URL", help="The query API, if it shall be asked.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Look at the `dora up` that runs on this folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON object.")] = False,
) -> None:
    """Look at an installation, and say what to do.

    One line for each check: ok, warning, failed, or skipped, with advice. Ends with 1 when one failed. Only
    reads. Each check has a few seconds, and none stops another.

    Beside a running `dora up` it needs no options: with neither --kafka nor --postgres it looks at the one
    that runs on the folder .dora; --data-dir names another folder.

    \b
    Settings: as of `dora worker`; with --data-dir, Kafka, PostgreSQL and the URLs are those of the folder.

    \b
    Examples:
      dora doctor
      dora doctor --json --ingress-url https://events.example.com --query-url https://dora.example.com
    """
    import asyncio
    import logging

    import orjson

    from deploy import doctor as work
    from deploy import findings
    from deploy.data_folder import told_places
    from deploy.installation import Installation, read_settings

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what goes wrong is told once, by the check
    if data_dir is None and kafka is None and postgres is None and told_places(HERE):
        data_dir = HERE
    if data_dir is not None:
        places = told_places(data_dir)
        if not places:
            raise typer.BadParameter(f"no `dora up` was ever ready on {data_dir}", param_hint="--data-dir")
        kafka, postgres = places["kafka"], places["postgres"]
        ingress_url, query_url = places["ingress"], places["query"]
    given = {"kafka": kafka, "postgres": postgres}
    settings, wrong = read_settings(**{name: value for name, value in given.items() if value})
    folders = [data_dir] if data_dir else [settings.state_dir] if settings else []
    place = Installation(settings, wrong, ingress_url, query_url, folders)
    found: list[Finding] = []

    def tell(finding: "Finding") -> None:
        found.append(finding)
        if not as_json:
            typer.echo(str(finding))

    passed = asyncio.run(findings.run(work.checks(place), tell))
    if as_json:
        typer.echo(orjson.dumps(findings.document(found), option=orjson.OPT_INDENT_2).decode())
    if not passed:
        raise typer.Exit(1)
