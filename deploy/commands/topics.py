"""Create the Kafka topics, Faust's changelogs included."""

from typing import Annotated

import typer


def topics(
    kafka: Annotated[str, typer.Option(envvar="DORA_KAFKA", help="Bootstrap servers, comma separated.")],
    partitions: Annotated[
        int, typer.Option(envvar="DORA_PARTITIONS", min=1, max=1024, help="Partitions of every topic.")
    ] = 8,
    prefix: Annotated[
        str, typer.Option(envvar="DORA_TOPIC_PREFIX", help="Put before every name; separates installations.")
    ] = "",
    names: Annotated[
        str, typer.Option(envvar="DORA_TOPIC_NAMES", help="Topics called otherwise: role=name,role=name.")
    ] = "",
    replication_factor: Annotated[
        int, typer.Option(envvar="DORA_REPLICATION_FACTOR", min=1, help="Copies of every partition.")
    ] = 1,
    generation: Annotated[int, typer.Option(min=1, help="The generation whose changelogs are created.")] = 1,
) -> None:
    """Create the Kafka topics, Faust's changelogs included.

    Prints each topic with what was done. Topics that exist stay as they are; one with another number of
    partitions or another cleanup policy is an error.

    \b
    Examples:
      DORA_KAFKA=broker:9092 dora topics --replication-factor 3
      dora topics --kafka 127.0.0.1:9092 --partitions 32
    """
    import asyncio
    import logging

    from deploy.kafka_topics import create
    from schemas.topics import Topics, read_names

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what goes wrong is told once, by the error
    try:
        overrides = read_names(names)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--names") from error
    table = Topics(partitions, prefix, overrides).all(generation)
    done = asyncio.run(create(kafka, table, replication_factor=replication_factor))
    for name in done.new:
        typer.echo(f"created {name}")
    for name in done.existing:
        typer.echo(f"exists {name}")
    typer.echo(f"{len(done.new)} created, {len(done.existing)} were there", err=True)
