"""What the query process is told by its environment: ``DORA_*`` variables, one per field."""

from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from access.postgres import check
from access.trust import TrustedIssuer, is_local
from schemas.calendar import zone_of


def _known_zone(name: str) -> str:
    zone_of(name)
    return name


def _postgres(dsn: SecretStr) -> SecretStr:
    check(dsn.get_secret_value())
    return dsn


def _web_address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("give it as http://HOST:PORT or https://HOST")
    return text.rstrip("/")


def _web_addresses(text: str) -> str:
    return ",".join(_web_address(each.strip()) for each in text.split(",") if each.strip())


KEYS, OIDC = "keys", "oidc"


def _methods(text: str) -> str:
    unknown = {name.strip() for name in text.split(",")} - {KEYS, OIDC, ""}
    if unknown:
        raise ValueError("give keys, oidc, or keys,oidc")
    return text


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
    # Where corrections and the samples are sent to; without it pages say which command does that.
    ingress_url: Annotated[str, AfterValidator(_web_address)] | None = None
    # Base URLs of the workers' health endpoints, which alone know how much they have left to do.
    query_workers: Annotated[str, AfterValidator(_web_addresses)] = ""
    elite_days_per_week: float = Field(5, gt=0, le=7)
    connections: int = Field(8, ge=1, le=100)
    # How callers prove who they are: keys, oidc, or both. Empty: not at all, which has to be said aloud with
    # `open` unless only this machine can ask.
    query_auth: Annotated[str, AfterValidator(_methods)] = ""
    open: bool | None = None
    query_oidc_issuer: str | None = None
    query_oidc_audience: str = ""
    query_oidc_keys_url: str | None = None
    query_oidc_ca_file: Path | None = None
    query_oidc_teams_claim: str | None = None
    query_oidc_all_teams: str | None = None

    @property
    def methods(self) -> frozenset[str]:
        """``query_auth`` one by one; empty when everybody may ask."""
        return frozenset(name.strip() for name in self.query_auth.split(",") if name.strip())

    @property
    def issuer(self) -> TrustedIssuer:
        """Whose tokens count, with ``OIDC`` among the methods. Raises ``MisconfiguredIssuer``."""
        audiences = tuple(each.strip() for each in self.query_oidc_audience.split(",") if each.strip())
        return TrustedIssuer(
            self.query_oidc_issuer or "", audiences, self.query_oidc_keys_url, self.query_oidc_ca_file
        )

    def _check_issuer(self) -> None:
        if not (self.query_oidc_issuer and self.query_oidc_audience):
            named = "DORA_QUERY_OIDC_ISSUER and DORA_QUERY_OIDC_AUDIENCE"
            raise ValueError(f"DORA_QUERY_AUTH=oidc needs {named}")
        try:
            _ = self.issuer
        except ValueError as error:
            raise ValueError(f"DORA_QUERY_OIDC_ISSUER: {error}") from error

    @property
    def _is_meant_open(self) -> bool:
        """Whether nobody has to prove anything: so it is said, or nothing is and only this machine asks."""
        return is_local(self.host) if self.open is None else self.open

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if OIDC in self.methods:
            self._check_issuer()
        if self.query_oidc_all_teams and not self.query_oidc_teams_claim:
            raise ValueError("DORA_QUERY_OIDC_ALL_TEAMS is a value of DORA_QUERY_OIDC_TEAMS_CLAIM: set both")
        if not self.methods and not self._is_meant_open:
            raise ValueError(
                f"whoever reaches DORA_HOST={self.host} could read everything: set DORA_QUERY_AUTH=keys and "
                "give out keys with `dora keys create`, or say DORA_OPEN=true if that is meant"
            )
        return self

    @property
    def zone(self) -> ZoneInfo:
        """``timezone`` as a zone."""
        return zone_of(self.timezone)
