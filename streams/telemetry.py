"""The worker's Prometheus metrics: one typed vocabulary. Labels are bounded; ids are never labels."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

STAGE_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
AGE_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600)


class Telemetry:
    """Counters of one worker process, in a registry of their own so that tests can have several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.fates = Counter(
            "dora_events_total",
            "Events by what became of them and the transformer that decided",
            ("fate", "rule"),
            registry=self.registry,
        )
        self.cdevents = Counter(
            "dora_cdevents_total", "CDEvents published", ("type",), registry=self.registry
        )
        self.dead_letters = Counter(
            "dora_dead_letters_total", "Records given up on", ("stage",), registry=self.registry
        )
        self.batches = Histogram(
            "dora_stage_seconds",
            "Seconds from taking a batch to having all of its effects confirmed",
            ("stage",),
            buckets=STAGE_SECONDS,
            registry=self.registry,
        )
        self.age = Histogram(
            "dora_event_age_seconds",
            "Seconds from an event's arrival at the broker to its stored effect",
            ("stage",),
            buckets=AGE_SECONDS,
            registry=self.registry,
        )
        self.lag = Gauge("dora_lag_records", "Records not yet finished", ("topic",), registry=self.registry)
        self.waiting = Gauge(
            "dora_stage_waiting", "1 while a stage waits for PostgreSQL", ("stage",), registry=self.registry
        )
