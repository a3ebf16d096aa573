"""What the query process is told by its environment: ``DORA_*`` variables, one per field."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.calendar import zone_of


def _known_zone(name: str) -> str:
    zone_of(name)
    return name


def _postgres(dsn: SecretStr) -> SecretStr:
    if not dsn.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("give a PostgreSQL URL: postgresql://user@host:5432/database")
    return dsn


class Settings(BaseSettings):
    """The settings of ``dora query``. A field that is missing or wrong stops the start, and is named."""

    # A DSN holds a password: a validation error must not print what it was given.
    model_config = SettingsConfigDict(env_prefix="DORA_", env_ignore_empty=True, hide_input_in_errors=True)

    postgres: Annotated[SecretStr, AfterValidator(_postgres)]
    # Only until a worker has recorded the zone of its tables; from then on that one is the configured zone.
    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    catalog: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(8081, ge=0, le=65535)
    port_file: Path | None = None
    elite_days_per_week: float = Field(5, gt=0, le=7)
    connections: int = Field(8, ge=1, le=100)

    @property
    def zone(self) -> ZoneInfo:
        """``timezone`` as a zone."""
        return zone_of(self.timezone)
