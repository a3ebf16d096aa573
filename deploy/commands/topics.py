"""Create the Kafka topics, Faust's changelogs included."""

from typing import Annotated

import typer


def topics(
    *,
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
    acls: Annotated[
        bool, typer.Option("--acls", help="Print the rights that each identity needs, and do nothing else.")
    ] = False,
    create_acls: Annotated[
        bool, typer.Option("--create-acls", help="Give each identity these rights, and do nothing else.")
    ] = False,
    inputs: Annotated[
        str, typer.Option(envvar="DORA_INPUT_TOPICS", help="With these: further topics that workers read.")
    ] = "",
    ingress: Annotated[str, typer.Option(help="With these: who the ingress is.")] = "User:dora-ingress",
    worker: Annotated[str, typer.Option(help="With these: who the workers are.")] = "User:dora-worker",
    operator: Annotated[
        str, typer.Option(help="With these: who runs dora topics and dora recompute.")
    ] = "User:dora-operator",
    sink: Annotated[str, typer.Option(help="With these: who else writes events, such as a KafkaSink.")] = "",
) -> None:
    """Create the Kafka topics, Faust's changelogs included.

    Prints each topic with what was done. Topics that exist stay as they are; one with another number of
    partitions or another cleanup policy is an error.

    With --acls, prints the calls of kafka-acls.sh that give each identity the rights that it needs and no
    other; with --create-acls, gives these rights itself, as an identity that may alter the cluster.

    \b
    Settings: those of TLS and SASL, as of `dora worker` (docs/security.md).

    \b
    Examples:
      DORA_KAFKA=broker:9092 dora topics --replication-factor 3
      dora topics --kafka 127.0.0.1:9092 --partitions 32
      dora topics --kafka broker:9093 --acls --sink User:knative
    """
    import asyncio
    import logging

    from access.kafka import KafkaSettings
    from deploy import kafka_acls
    from deploy.kafka_topics import create
    from deploy.processes import settings_from_environment
    from schemas.topics import Topics, read_names

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what goes wrong is told once, by the error
    try:
        table = Topics(partitions, prefix, read_names(names))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--names") from error
    if acls or create_acls:
        further = [name.strip() for name in inputs.split(",") if name.strip()]
        principals = kafka_acls.Principals(ingress, worker, operator, sink)
        wanted = kafka_acls.rules(table, principals, further)
    if acls:
        for line in kafka_acls.commands(kafka, wanted):
            typer.echo(line)
        return
    cluster = settings_from_environment(KafkaSettings, kafka=kafka).cluster
    if create_acls:
        given = asyncio.run(kafka_acls.allow(cluster, wanted))
        typer.echo(f"{given} rights are given", err=True)
        return
    done = asyncio.run(create(cluster, table.all(generation), replication_factor=replication_factor))
    for name in done.new:
        typer.echo(f"created {name}")
    for name in done.existing:
        typer.echo(f"exists {name}")
    typer.echo(f"{len(done.new)} created, {len(done.existing)} were there", err=True)
