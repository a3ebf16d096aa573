"""What the ingress is told by its environment: ``DORA_*`` variables, one per field (docs/ingress.md)."""

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.topics import Topics, read_names

# A record is its data plus headers, key and framing. The body cap stays this far below what the producer
# sends at most, and that below the broker's message.max.bytes (1,048,588 by default): what is read also fits.
HEADROOM = 64 * 1024
MESSAGE_LIMIT = 1024 * 1024


class Settings(BaseSettings):
    """Settings of one ingress process. Frozen; wrong values are refused at start, without being repeated."""

    model_config = SettingsConfigDict(
        env_prefix="DORA_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True, extra="ignore"
    )

    kafka: str = Field("127.0.0.1:9092", description="Kafka bootstrap servers, comma separated")
    topic_prefix: str = Field("", description="Put before every topic's name")
    topic_names: str = Field("", description="Topics called otherwise: role=name, comma separated")
    partitions: int = Field(8, ge=1, le=1024, description="Partitions of every topic")
    host: str = Field("127.0.0.1", description="The address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="The port to listen on; 0 picks a free one")
    port_file: Path | None = Field(None, description="The bound port is written here once it listens")
    body_limit: int = Field(
        MESSAGE_LIMIT - HEADROOM,
        ge=64 * 1024,
        le=64 * 1024 * 1024,
        description="Largest request body in bytes; beyond 983040 raise the topic's max.message.bytes too",
    )
    batch_limit: int = Field(1000, ge=1, le=100_000, description="Most events in one batch")
    in_flight_limit: int = Field(5000, ge=1, description="Most events that wait for Kafka's confirmation")
    buffer_limit: int = Field(
        64 * 1024 * 1024, ge=1024 * 1024, description="Most bytes of request bodies held at the same time"
    )
    send_timeout: float = Field(
        7.0, gt=0, le=8, description="Seconds until an unconfirmed event is answered 503"
    )
    body_timeout: float = Field(20.0, gt=0, description="Seconds that a client may take to send a body")
    drain: float = Field(0.5, ge=0, le=60, description="Seconds on SIGTERM between unready and closing")
    webhook_origins: str = Field("*", description="Origins that the web-hook handshake allows; * for all")
    webhook_rate: int | None = Field(None, ge=1, description="Requests a minute that the handshake grants")

    @field_validator("topic_names")
    @classmethod
    def _known_topics(cls, text: str) -> str:
        read_names(text)
        return text

    @property
    def topics(self) -> Topics:
        """The topics of this installation."""
        return Topics(self.partitions, self.topic_prefix, read_names(self.topic_names))

    @property
    def message_limit(self) -> int:
        """The largest record that the producer sends, in bytes."""
        return self.body_limit + HEADROOM

    @property
    def origins(self) -> frozenset[str]:
        """``webhook_origins`` one by one, in lower case."""
        return frozenset(name.strip().lower() for name in self.webhook_origins.split(",") if name.strip())

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.batch_limit > self.in_flight_limit:
            raise ValueError(
                "batch_limit must not be above in_flight_limit: such a batch would never be accepted"
            )
        if self.body_limit > self.buffer_limit:
            raise ValueError("body_limit must not be above buffer_limit: such a body would never be accepted")
        return self
