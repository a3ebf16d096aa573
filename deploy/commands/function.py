"""Serve one transformer over HTTP: a CloudEvent in, CDEvents back."""

from typing import Annotated

import typer


def function(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The transformer, as kubernetes.")],
) -> None:
    r"""Serve one transformer over HTTP: a CloudEvent in, CDEvents back.

    For Knative, and as a target in a routes map. An event is sent by POST, to any path, and answered 200 with
    the CDEvents that it becomes, or 204 with the headers dora-outcome and dora-reason. It remembers nothing:
    of a source that watches objects over time, as kubernetes does, each event is taken as the first.

    \b
    Settings:
      DORA_CATALOG        YAML file: services, teams, environments
      DORA_HOST           the address to listen on
      DORA_PORT           the port to listen on, 0 for a free one; else PORT, as Knative sets it
      DORA_PORT_FILE      a file that the bound port is written to once it listens

    \b
    Example:
      DORA_PORT=9000 dora function kubernetes
    """
    from deploy.logs import configure
    from deploy.processes import settings_from_environment
    from streams.function_server import FunctionSettings, serve

    configure()
    serve(name, settings_from_environment(FunctionSettings))
