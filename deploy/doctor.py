"""Looks at an installation as its processes will: settings and files, Kafka, PostgreSQL, workers, endpoints.

Only reads. Every check stands alone but for those that it cannot do without, and says what to do when it
fails (`deploy.findings`).
"""

from access.kafka_trouble import trouble
from deploy import kafka_health
from deploy.findings import Check, Failed
from deploy.installation import UNUSABLE, Installation, answers, catalog, disk, routes, settings
from deploy.postgres_health import clock, dead_letters, generation, postgres, rights, schema
from streams.settings import Settings


def checks(place: Installation) -> list[Check]:
    """Everything that is looked at, in order."""
    hopeless = UNUSABLE if place.settings is None else ""
    unusable = {name: UNUSABLE if hopeless or name in place.wrong else "" for name in Settings.model_fields}
    store, broker = unusable["postgres"], unusable["kafka"]
    stored = ("postgres", "schema")
    return [
        Check("settings", lambda: settings(place)),
        Check("catalog", lambda: catalog(place), absent=unusable["catalog"]),
        Check("routes", lambda: routes(place), absent=unusable["routes"]),
        Check("postgres", lambda: postgres(place), absent=store),
        Check("schema", lambda: schema(place), ("postgres",), store),
        Check("rights", lambda: rights(place), stored, store),
        Check("generation", lambda: generation(place), stored, store),
        Check("clock", lambda: clock(place), ("postgres",), store),
        Check("dead letters", lambda: dead_letters(place), stored, store),
        Check("kafka", lambda: kafka(place), absent=broker),
        Check("topics", lambda: topics(place), ("kafka",), broker),
        Check("workers", lambda: workers(place), ("kafka", "topics"), broker),
        Check(
            "ingress", lambda: answers(place.ingress, "ingress"), absent=not_given(place.ingress, "ingress")
        ),
        Check("query", lambda: answers(place.query, "query"), absent=not_given(place.query, "query")),
        Check("disk", lambda: disk(place)),
    ]


def not_given(url: str | None, name: str) -> str:
    """Why an endpoint is not asked."""
    return "" if url else f"not asked: give --{name}-url or DORA_{name.upper()}_URL"


async def kafka(place: Installation) -> str:
    """Whether a broker lets us in."""
    cluster = place.known.cluster
    if (met := await trouble(cluster)) is not None:
        raise Failed(str(met))
    return f"{cluster.servers} answers, {cluster.protocol}"


async def topics(place: Installation) -> str:
    """Whether every topic is there as the pipeline needs it."""
    known = place.known
    further = [name for name in known.inputs if name != known.topics["cloudevents"]]
    return await kafka_health.topics(
        known.cluster, list(known.topics.all(place.generation)), further, place.generation
    )


async def workers(place: Installation) -> str:
    """Whether somebody does the work, and gets on with it."""
    known = place.known
    own = [known.topics[role] for role in ("observations", "functions", "cdevents", "deadletters")]
    return await kafka_health.group(
        known.cluster, known.topics.application(place.generation), [*known.inputs, *own]
    )
