"""What a worker can be told, by ``DORA_*`` environment variables (docs/operating.md lists them all)."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from access.kafka import KafkaSettings
from access.postgres import check
from schemas.calendar import zone_of
from schemas.topics import Topics, read_names


class Settings(KafkaSettings):
    """Settings of one worker process. Frozen; wrong values are refused at start, without being repeated."""

    postgres: SecretStr = Field(
        SecretStr("postgresql://127.0.0.1:5432/dora"), description="PostgreSQL DSN of the worker's role"
    )
    topic_prefix: str = Field("", description="Put before every topic name and the consumer group")
    topic_names: str = Field("", description="Topics called otherwise: role=name, comma separated")
    partitions: int = Field(8, ge=1, le=1024, description="Partitions of every topic")
    input_topics: str = Field("", description="Further topics of CloudEvents to read, comma separated")
    routes: Path | None = Field(None, description="YAML file: CloudEvent type to a list of targets")
    catalog: Path | None = Field(None, description="YAML file: services, teams, environments")
    timezone: str | None = Field(
        None, description="IANA zone of the windowed tables; unset: as they are kept"
    )
    state_dir: Path = Field(Path(".dora/state"), description="Where RocksDB keeps the tables of this worker")
    store: str = Field("rocksdb://", description="Faust table store: rocksdb:// or memory://")
    generation: int | None = Field(None, description="Work for this generation; unset: the active one")
    host: str = Field("127.0.0.1", description="Address of the worker's health and metrics endpoints")
    worker_port: int = Field(8082, ge=0, le=65535, description="Port of the same; 0 picks a free one")
    port_file: Path | None = Field(None, description="The bound port is written here")
    batch_size: int = Field(500, ge=1, le=10_000, description="Most records that a stage takes at once")
    instance: str | None = Field(
        None, description="A name that this worker keeps over restarts: it gets its partitions back at once"
    )
    session_timeout: float = Field(
        30.0, ge=6, description="Seconds after which Kafka gives up on a silent worker"
    )
    stuck_after: float = Field(
        90.0, ge=10, description="Seconds without progress after which the worker ends itself"
    )
    deadletter_limit: int = Field(
        100,
        ge=1,
        le=1_000_000,
        description="Dead letters by a fault of ours that a worker may make",
    )
    deadletter_share: float = Field(
        0.5, gt=0, le=1, description="The share of a stage's last records up to which it may, too"
    )
    function_timeout: float = Field(10.0, gt=0, description="Seconds that an http function may take")
    function_attempts: int = Field(
        4, ge=1, description="Attempts before an http function's event is a dead letter"
    )

    @model_validator(mode="after")
    def _patient(self) -> Self:
        if self.function_timeout >= self.stuck_after:
            raise ValueError(
                "function_timeout must be below stuck_after: the watchdog would take a call for a stuck stage"
            )
        return self

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None:
            zone_of(name)
        return name

    @field_validator("topic_names")
    @classmethod
    def _known_topics(cls, text: str) -> str:
        read_names(text)
        return text

    @field_validator("postgres")
    @classmethod
    def _usable(cls, url: SecretStr) -> SecretStr:
        check(url.get_secret_value())
        return url

    @property
    def inputs(self) -> tuple[str, ...]:
        """The topics on which CloudEvents come in."""
        further = (name.strip() for name in self.input_topics.split(","))
        return (self.topics["cloudevents"], *filter(None, further))

    @property
    def topics(self) -> Topics:
        """The topics of this installation."""
        return Topics(self.partitions, self.topic_prefix, read_names(self.topic_names))
