"""Run the whole test suite: linters, types, rooms, tests."""

import typer

CONTEXT = {"allow_extra_args": True, "ignore_unknown_options": True}


def test(context: typer.Context) -> None:
    """Run the whole test suite: linters, types, rooms, tests.

    With arguments, which go to pytest, only pytest runs; paths are relative to the checkout. Tests use
    containers when a Docker engine answers, else the embedded Kafka and PostgreSQL
    (--infra=auto|containers|embedded).

    \b
    Examples:
      ./dora test
      ./dora test tests/deploy -k migrations
      ./dora test --infra=embedded -x
    """
    from deploy.checks import run

    raise typer.Exit(run(context.args))
