"""Measure the pipeline on this machine, on embedded parts."""

from typing import Annotated

import typer


def bench(
    what: Annotated[str, typer.Argument(help="freshness: from a POST to an answer that counts it.")],
    rate: Annotated[float, typer.Option(min=1, help="Events a second.")] = 100,
    duration: Annotated[float, typer.Option(min=1, max=3600, help="Seconds to post for.")] = 30,
) -> None:
    """Measure the pipeline on this machine, on embedded parts.

    freshness posts deployments at a steady rate and reads the answer without pause; printed are the seconds
    from the POST until the answer counts the event.

    \b
    Examples:
      dora bench freshness
      dora bench freshness --rate 200 --duration 60
    """
    import asyncio
    import tempfile
    from pathlib import Path

    from benchmarks.freshness import Freshness, measure
    from deploy.interruption import Interrupted, interruptible
    from deploy.supervisor import Instance

    if what != "freshness":
        raise typer.BadParameter("there is only freshness so far", param_hint="WHAT")

    async def warm_then_measure(ingress: str, query: str) -> Freshness:
        say("warming up for 10 s")
        await measure(ingress, query, rate=rate, duration=10)
        say(f"posting {rate:g} events a second for {duration:g} s")
        return await measure(ingress, query, rate=rate, duration=duration)

    with tempfile.TemporaryDirectory(prefix="dora-bench-") as folder:
        instance = Instance(Path(folder), quick=False, say=say)
        with interruptible(hurry=instance.stop_at_once):
            try:
                instance.start()
                ends = instance.endpoints
                told = asyncio.run(warm_then_measure(ends.ingress, ends.query))
            except Interrupted:
                say("stopping")
                raise typer.Exit(130) from None
            finally:
                instance.stop()
    expected = int(rate * duration)
    if told.refused or len(told.seconds) < expected:
        say(f"{told.refused} of {expected} events were refused, {len(told.seconds)} became visible")
        raise typer.Exit(1)
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    figures = "  ".join(f"{name} {told.percentile(share) * 1000:.0f} ms" for name, share in shares.items())
    typer.echo(f"freshness at {rate:g} events/s over {duration:g} s: {figures}")


def say(text: str) -> None:
    """Tell the user what is going on."""
    typer.echo(f"dora: {text}", err=True)
