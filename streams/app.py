"""The Faust application of one worker: topics, agents, tables, wired explicitly."""

import logging
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import faust
import yaml

from access.kafka import Cluster
from access.partitioner import choose_partition
from schemas.calendar import zone_of
from schemas.catalog import Catalog
from schemas.topics import LARGEST_RECORD
from streams import kafka_records, memory, store
from streams.agents import bury, call, measure, observe, record, transform
from streams.batches import Stream
from streams.consumer import App
from streams.frontier import Frontier
from streams.functions import Functions
from streams.pipeline import Pipeline
from streams.progress import Progress
from streams.recovery import TableManager
from streams.router import Routes, read_routes
from streams.settings import Settings
from streams.sinks.database import Database
from streams.sources import find_sources
from streams.tables import Table, Topic

# Bytes of records of one partition that travel together: about what a batch of events makes. With the usual
# 16 kB, it would wait for one request after the other.
LARGEST_BATCH = 256 * 1024


def create_pipeline(settings: Settings, generation: int, timezone: str) -> Pipeline:
    """Build the worker's application for one generation. Nothing is connected yet.

    Raises ``InvalidRoutes``, ``CatalogError`` or ``OSError`` for files that cannot be used.
    """
    topics = settings.topics
    inputs = [*settings.inputs, topics.replay(generation)]
    frontier = Frontier(stages_of(settings, inputs))
    app = create_app(settings, generation, frontier)
    pipeline = Pipeline(
        app=app,
        settings=settings,
        generation=generation,
        routes=Routes(find_sources(), load_routes(settings.routes)),
        catalog=load_catalog(settings.catalog),
        database=Database(settings.postgres.get_secret_value(), generation),
    )
    functions = Functions(timeout=settings.function_timeout, attempts=settings.function_attempts)
    transform.attach(pipeline, *inputs)
    observe.attach(pipeline)
    call.attach(pipeline, functions)
    record.attach(pipeline)
    measure.attach(pipeline, zone_of(timezone))
    bury.attach(pipeline)
    if settings.instance is not None:
        read = {*frontier.topics, *app.tables.changelog_topics}
        app.conf.consumer_group_instance_id = member_of(settings.instance, read)
    return pipeline


def member_of(instance: str, topics: Iterable[str]) -> str:
    """The name by which Kafka knows a worker of this name that reads ``topics``.

    A member that comes back under its name gets its old partitions at once, without a look at what it
    subscribes to now (KIP-345); aiokafka ends when those are not its topics. So one that reads others, after
    an upgrade or with another DORA_INPUTS, has another name.
    """
    return f"{instance}-{sha256(' '.join(sorted(topics)).encode()).hexdigest()[:8]}"


def stages_of(settings: Settings, inputs: list[str]) -> Mapping[str, tuple[str, ...]]:
    """Which stages must have finished a record of each topic before it is committed."""
    topics = settings.topics
    return {
        **dict.fromkeys(inputs, (transform.STAGE,)),
        topics["observations"]: (observe.STAGE,),
        topics["functions"]: (call.STAGE,),
        topics["cdevents"]: (record.STAGE, measure.STAGE),
        topics["deadletters"]: (bury.STAGE,),
    }


def create_app(settings: Settings, generation: int, frontier: Frontier) -> App:
    """Faust, told not to do what this project does itself (docs/guarantees.md says why for each)."""
    state = settings.state_dir / settings.topics.application(generation)
    state.mkdir(parents=True, exist_ok=True)
    quiet_clients()
    memory.keep_little()
    kafka_records.install()
    store.install()
    cluster = settings.cluster
    return App(
        settings.topics.application(generation),
        frontier=frontier,
        progress=Progress(),
        broker=[f"kafka://{server.strip()}" for server in cluster.servers.split(",")],
        broker_credentials=credentials(cluster),
        datadir=str(state),
        store=settings.store,
        Stream=Stream,
        Table=Table,
        TableManager=TableManager,
        Topic=Topic,
        web_enabled=False,  # it would serve the tables' contents to anyone
        topic_allow_declare=False,  # dora topics creates them; a worker needs no right to
        topic_disable_leader=True,
        topic_partitions=settings.partitions,
        table_standby_replicas=0,
        stream_wait_empty=False,  # batches are finished by the frontier, not by acks
        stream_buffer_maxsize=settings.batch_size * 4,
        broker_commit_interval=1.0,
        broker_session_timeout=settings.session_timeout,
        broker_heartbeat_interval=settings.session_timeout / 6,
        broker_max_poll_records=settings.batch_size * 2,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        producer_request_timeout=60.0,
        producer_max_request_size=LARGEST_RECORD,
        producer_linger=0.002,
        producer_max_batch_size=LARGEST_BATCH,
        producer_partitioner=choose_partition,
    )


def credentials(cluster: Cluster) -> Any:
    """How Faust's consumer and producer enter the cluster; ``None`` for plain text."""
    if cluster.login is not None:
        return faust.SASLCredentials(
            username=cluster.login.username,
            password=cluster.login.password.get_secret_value(),
            mechanism=cluster.login.mechanism,
            ssl_context=cluster.tls,
        )
    return None if cluster.tls is None else faust.SSLCredentials(cluster.tls)


def quiet_clients() -> None:
    """Take the clients' debug calls off the hot path; they cost a tenth of the throughput."""
    for name in ("aiokafka", "faust", "mode", "streams.consumer", "streams.tables", "streams.batches"):
        logging.getLogger(name).setLevel(logging.WARNING)


def split(names: str) -> list[str]:
    """A comma-separated setting as a list."""
    return [name.strip() for name in names.split(",") if name.strip()]


def load_routes(path: Path | None) -> dict[str, list[str]] | None:
    """The routes file. Raises ``InvalidRoutes`` or ``yaml.YAMLError``."""
    if path is None:
        return None
    document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    return read_routes(document)


def load_catalog(path: Path | None) -> Catalog:
    """The catalog file, or the empty catalog. Raises ``CatalogError``."""
    return Catalog.empty() if path is None else Catalog.load(path)
