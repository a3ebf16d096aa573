"""What the ingress is told by its environment: ``DORA_*`` variables, one per field (docs/ingress.md)."""

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from access.kafka import KafkaSettings
from schemas.topics import Topics, read_names

# A record is its data plus headers, key and framing. The body cap stays this far below what the producer
# sends at most, and that below the broker's message.max.bytes (1,048,588 by default): what is read also fits.
HEADROOM = 64 * 1024
MESSAGE_LIMIT = 1024 * 1024


class Settings(KafkaSettings):
    """Settings of one ingress process. Frozen; wrong values are refused at start, without being repeated."""

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
    body_timeout: float = Field(5.0, gt=0, description="Seconds in which a request has to arrive")
    connection_limit: int = Field(1000, ge=1, description="Most connections at the same time")
    drain: float = Field(0.5, ge=0, le=60, description="Seconds on SIGTERM between unready and closing")
    open: bool | None = Field(None, description="Whether events are taken without a token")
    ingress_oidc_issuer: str | None = Field(None, description="The issuer of tokens, as their iss has it")
    ingress_oidc_audience: str = Field("", description="What aud has to name; one of these, comma separated")
    ingress_oidc_subjects: str = Field("", description="Subjects that may send; a * ends a beginning")
    ingress_oidc_correction_subjects: str = Field("", description="Subjects that may send corrections too")
    ingress_oidc_keys_url: str | None = Field(None, description="Its key set, without discovery")
    ingress_oidc_ca_file: Path | None = Field(None, description="Its certificate's authorities, as PEM")
    ingress_oidc_token_file: Path | None = Field(None, description="A token to ask it for its keys with")
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
        dependent = [name for name in type(self).model_fields if name.startswith("ingress_oidc_")]
        if self.ingress_oidc_issuer is None and any(getattr(self, name) for name in dependent):
            raise ValueError("the DORA_INGRESS_OIDC_* settings say nothing without DORA_INGRESS_OIDC_ISSUER")
        return self
