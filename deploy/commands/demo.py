"""Run everything, play three months of sample events, print the metrics."""

from pathlib import Path
from typing import Annotated

import typer

Port = Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one.")]


def demo(
    data_dir: Annotated[Path, typer.Option(help="Where events, tables and logs are kept.")] = Path(".dora"),
    once: Annotated[bool, typer.Option("--once", help="End after printing the metrics.")] = False,  # noqa: FBT002 - a flag
    ingress_port: Port = 8080,
    query_port: Port = 8081,
    kafka_port: Port = 9092,
    postgres_port: Port = 5432,
) -> None:
    """Run everything, play three months of sample events, print the metrics.

    The samples are a small shop's: Kubernetes rollouts as Knative tells of them, and CDEvents of two tools,
    sent to the ingress over HTTP. Playing them twice changes nothing. Without --once it stays up as `dora up`
    does: send events of your own to it.

    \b
    Examples:
      dora demo
      dora demo --once --ingress-port 0 --query-port 0 --kafka-port 0 --postgres-port 0
    """
    from deploy.interruption import Interrupted, interruptible
    from deploy.supervisor import Instance, Ports

    ports = Ports(ingress=ingress_port, query=query_port, kafka=kafka_port, postgres=postgres_port)
    instance = Instance(data_dir, ports, settings=settings(), say=say)
    with interruptible(hurry=instance.stop_at_once):
        try:
            instance.start()
            if not once:
                typer.echo(str(instance.endpoints))
            play_and_print(instance.endpoints.ingress, instance.endpoints.query, worker_urls(instance))
            if not once:
                say("Ctrl-C ends everything")
                instance.watch()
        except Interrupted:
            say("stopping")
        finally:
            instance.stop()


# Behind the prefix of all variables.
CALLERS = ("INGRESS_TOKENS", "INGRESS_CORRECTION_TOKENS", "INGRESS_OIDC_", "QUERY_")


def settings() -> dict[str, str]:
    """The samples' catalog, unless the user brings one; and nobody is asked for a token, on loopback."""
    import os

    given = [name for name, value in os.environ.items() if value and name.startswith("DORA_")]
    named = [name for name in given if name.removeprefix("DORA_").startswith(CALLERS)]
    if named:
        say(f"the demo is open to every program of this machine; left out: {', '.join(sorted(named))}")
    samples = Path(__file__).parents[1] / "samples" / "catalog.yaml"
    catalog = {} if os.environ.get("DORA_CATALOG") else {"DORA_CATALOG": str(samples)}
    return catalog | dict.fromkeys(named, "") | {"DORA_OPEN": "true"}


def worker_urls(instance: object) -> list[str]:
    """Where the workers tell how far they are."""
    parts = getattr(instance, "parts", {})
    return [part.url for name, part in parts.items() if name.startswith("worker")]


def play_and_print(ingress: str, query: str, workers: list[str]) -> None:
    """Send the samples with a progress bar, then show what became of them."""
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from deploy.samples import summary
    from deploy.samples.history import events
    from deploy.samples.player import play, wait_until_handled

    until = datetime.now(UTC)
    columns = (TextColumn("playing sample events"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("play", total=sum(1 for _ in events(until)))
        play(ingress, until, lambda sent: bar.advance(task, sent))
    say("waiting until they are handled")
    wait_until_handled(workers)
    Console(width=None).print(summary.draw(summary.read_metrics(query)))
    typer.echo(f"dashboard {query}/")


def say(text: str) -> None:
    """Tell the user what is going on."""
    typer.echo(f"dora: {text}", err=True)
