"""How every process enters Kafka: TLS and SASL, by settings that all of them share.

The settings are Kafka's own words (``security.protocol``, ``sasl.mechanism``). A broker's certificate is
always verified, its host name included; there is no switch for that, because a password would go to whoever
answers.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]


@dataclass(frozen=True, slots=True)
class Login:
    """A SASL identity."""

    mechanism: Mechanism
    username: str
    password: SecretStr


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where Kafka is, and how to enter it. ``Cluster("host:9092")`` is one without TLS and SASL."""

    servers: str
    protocol: Protocol = "PLAINTEXT"
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    login: Login | None = field(default=None, repr=False)

    def options(self) -> dict[str, Any]:
        """The keyword arguments by which any aiokafka client finds and enters the cluster."""
        options: dict[str, Any] = {"bootstrap_servers": self.servers, "security_protocol": self.protocol}
        if self.tls is not None:
            options["ssl_context"] = self.tls
        if self.login is not None:
            options["sasl_mechanism"] = self.login.mechanism
            options["sasl_plain_username"] = self.login.username
            options["sasl_plain_password"] = self.login.password.get_secret_value()
        return options


class KafkaSettings(BaseSettings):
    """What each process that speaks to Kafka can be told; its settings begin with these."""

    model_config = SettingsConfigDict(
        env_prefix="DORA_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True, extra="ignore"
    )

    kafka: str = Field("127.0.0.1:9092", description="Kafka bootstrap servers, comma separated")
    kafka_security: Protocol = Field(
        "PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, as the listener is configured"
    )
    kafka_mechanism: Mechanism = Field(
        "SCRAM-SHA-512", description="With SASL: SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN"
    )
    kafka_username: str | None = Field(None, description="With SASL: the user")
    kafka_password: SecretStr | None = Field(None, description="With SASL: its password")
    kafka_password_file: Path | None = Field(None, description="With SASL: a file that holds the password")
    kafka_ca_file: Path | None = Field(
        None, description="With SSL: PEM file of the authorities that vouch for brokers; unset: the system's"
    )
    kafka_certificate_file: Path | None = Field(
        None, description="With SSL: PEM file of this process's own certificate and what leads to its root"
    )
    kafka_key_file: Path | None = Field(
        None, description="With SSL: PEM file of its key; unset: in the certificate's file"
    )

    @property
    def cluster(self) -> Cluster:
        """Where Kafka is, and how to enter it. Reads the files."""
        return Cluster(
            self.kafka,
            self.kafka_security,
            self._tls() if self.kafka_security.endswith("SSL") else None,
            self._login() if self.kafka_security.startswith("SASL") else None,
        )

    @model_validator(mode="after")
    def _can_enter(self) -> Self:
        """Wrong at the start is better than plain text by accident."""
        given = {name for name in KafkaSettings.model_fields if getattr(self, name) is not None}
        sasl, tls = self.kafka_security.startswith("SASL"), self.kafka_security.endswith("SSL")
        login = {"kafka_username", "kafka_password", "kafka_password_file"}
        files = {"kafka_ca_file", "kafka_certificate_file", "kafka_key_file"}
        for unused in sorted((given & login if not sasl else set()) | (given & files if not tls else set())):
            wanted = "SASL_SSL" if unused in login else "SSL or SASL_SSL"
            raise ValueError(
                f"DORA_{unused.upper()} has no use with DORA_KAFKA_SECURITY={self.kafka_security}:"
                f" set {wanted}"
            )
        if self.kafka_security == "SASL_PLAINTEXT" and self.kafka_mechanism == "PLAIN":
            raise ValueError(
                "DORA_KAFKA_MECHANISM=PLAIN would send the password in clear text: set"
                " DORA_KAFKA_SECURITY=SASL_SSL"
            )
        if self.kafka_key_file and not self.kafka_certificate_file:
            raise ValueError("DORA_KAFKA_KEY_FILE needs DORA_KAFKA_CERTIFICATE_FILE")
        _ = self.cluster
        return self

    def _login(self) -> Login:
        if not self.kafka_username:
            raise ValueError(f"DORA_KAFKA_SECURITY={self.kafka_security} needs DORA_KAFKA_USERNAME")
        if (self.kafka_password is None) == (self.kafka_password_file is None):
            raise ValueError("set one of DORA_KAFKA_PASSWORD and DORA_KAFKA_PASSWORD_FILE")
        password = self.kafka_password or read_password(self.kafka_password_file)
        return Login(self.kafka_mechanism, self.kafka_username, password)

    def _tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.kafka_ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ValueError(
                f"DORA_KAFKA_CA_FILE: no certificates can be read from it ({told(error)})"
            ) from None
        if self.kafka_certificate_file:
            try:
                context.load_cert_chain(
                    self.kafka_certificate_file, self.kafka_key_file, password=no_passphrase
                )
            except (OSError, ssl.SSLError) as error:
                raise ValueError(
                    f"DORA_KAFKA_CERTIFICATE_FILE and DORA_KAFKA_KEY_FILE: not a pair that can be read"
                    f" ({told(error)})"
                ) from None
        return context


def read_password(file: Path | None) -> SecretStr:
    """The password in a file, without the end of its line."""
    try:
        password = file.read_text(encoding="utf-8").rstrip("\r\n") if file else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"DORA_KAFKA_PASSWORD_FILE: it cannot be read ({told(error)})") from None
    if not password:
        raise ValueError("DORA_KAFKA_PASSWORD_FILE: it is empty")
    return SecretStr(password)


def no_passphrase() -> str:
    """Called for a key that is encrypted; without this OpenSSL would ask on the terminal and wait."""
    raise ssl.SSLError("the key is encrypted; take one without a passphrase")


def told(error: Exception) -> str:
    """An error of the system in its own words."""
    reason = getattr(error, "strerror", None) or getattr(error, "reason", None)
    return str(reason or (error.args[0] if error.args else type(error).__name__))
