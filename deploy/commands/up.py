"""Run everything in one terminal: Kafka, PostgreSQL, ingress, worker, query."""

from pathlib import Path
from typing import Annotated

import typer

Port = Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one.")]


def up(
    data_dir: Annotated[Path, typer.Option(help="Where events, tables and logs are kept.")] = Path(".dora"),
    ingress_port: Port = 8080,
    query_port: Port = 8081,
    kafka_port: Port = 9092,
    postgres_port: Port = 5432,
    workers: Annotated[int, typer.Option(min=1, max=32, help="Worker processes.")] = 1,
) -> None:
    """Run everything in one terminal: Kafka, PostgreSQL, ingress, worker, query.

    When all parts are ready, one line of standard output says where they are:
    ready ingress=URL query=URL kafka=HOST:PORT postgres=DSN

    Ctrl-C ends it; what it stored is there at the next start. The first start downloads Apache Kafka.
    Settings such as DORA_TIMEZONE, DORA_CATALOG and DORA_ROUTES are passed on.

    \b
    Examples:
      dora up
      dora up --data-dir other --ingress-port 0 --query-port 0 --kafka-port 0 --postgres-port 0
    """
    from deploy.interruption import Interrupted, interruptible
    from deploy.supervisor import Instance, Ports

    ports = Ports(ingress=ingress_port, query=query_port, kafka=kafka_port, postgres=postgres_port)
    instance = Instance(data_dir, ports, workers=workers, say=say)
    with interruptible(hurry=instance.stop_at_once):
        try:
            instance.start()
            typer.echo(str(instance.endpoints))
            say(f"the dashboard is at {instance.endpoints.query}/ and Ctrl-C ends everything")
            instance.watch()
        except Interrupted:
            say("stopping")
        finally:
            instance.stop()


def say(text: str) -> None:
    """Tell the user what is going on."""
    typer.echo(f"dora: {text}", err=True)
