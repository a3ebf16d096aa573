"""Why Kafka lets nobody in: aiokafka tells every cause as "unable to bootstrap"; here it gets its name."""

import asyncio
import os
import ssl
from dataclasses import dataclass

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from access.kafka import Cluster

TIMEOUT_MS = 3000  # for each question that is asked of a broker
TLS_ALERT = 0x15  # the first byte of what a TLS server answers to one that does not speak TLS
HOST_MISMATCH = (62, 64)  # OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and ..._IP_ADDRESS_MISMATCH
EXPIRED = 10


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why no broker lets us in, and what to do. ``lasting``: waiting will not help."""

    reason: str
    lasting: bool

    def __str__(self) -> str:
        return self.reason


async def trouble(cluster: Cluster) -> Trouble | None:
    """Why none of the cluster's bootstrap servers lets this client in; ``None`` when one does.

    One connection is made to each server in turn.
    """
    found: Trouble | None = None
    for host, port, _ in collect_hosts(cluster.servers):
        try:
            await enter(cluster, host, port)
        except (OSError, TimeoutError, KafkaError) as error:
            met = explain(cluster, f"{host}:{port}", error)
            found = met if found is None or met.lasting else found
        else:
            return None
    return found


async def enter(cluster: Cluster, host: str, port: int) -> None:
    """Connect, authenticate, and ask for what every client asks first."""
    options = cluster.options()
    del options["bootstrap_servers"]
    connection = await create_conn(host, port, request_timeout_ms=TIMEOUT_MS, **options)
    try:
        await connection.send(MetadataRequest([]))
    finally:
        connection.close()


def explain(cluster: Cluster, address: str, error: BaseException) -> Trouble:
    """What an attempt to enter failed from, in words for an operator; never the password."""
    cause = error.__cause__ if isinstance(error, KafkaConnectionError) and error.__cause__ else error
    match cause:
        case SaslAuthenticationFailed():
            user = cluster.login.username if cluster.login else ""
            return Trouble(
                f"{address} refuses the password of {user}: check DORA_KAFKA_USERNAME, DORA_KAFKA_PASSWORD"
                " and DORA_KAFKA_MECHANISM",
                lasting=True,
            )
        case UnsupportedSaslMechanismError() | IllegalSaslStateError():
            return Trouble(
                f"{address} does not take {cluster.login.mechanism if cluster.login else 'SASL'}:"
                " check DORA_KAFKA_MECHANISM and DORA_KAFKA_SECURITY",
                lasting=True,
            )
        case ssl.SSLCertVerificationError(verify_code=code) if code in HOST_MISMATCH:
            return Trouble(
                f"the certificate of {address} is for another host name: name the broker in DORA_KAFKA as its"
                " certificate does",
                lasting=True,
            )
        case ssl.SSLCertVerificationError(verify_code=code):
            advice = (
                "renew it" if code == EXPIRED else "set DORA_KAFKA_CA_FILE to the authority that signed it"
            )
            return Trouble(
                f"the certificate of {address} cannot be trusted ({cause.verify_message}): {advice}",
                lasting=True,
            )
        case ssl.SSLError() if "ALERT" in (cause.reason or ""):
            return Trouble(
                f"{address} refuses our certificate ({words(cause)}): set DORA_KAFKA_CERTIFICATE_FILE and"
                " DORA_KAFKA_KEY_FILE to what its authority signed",
                lasting=True,
            )
        case ssl.SSLError() | ConnectionResetError() if cluster.tls is not None:
            return Trouble(
                f"{address} does not speak TLS: check its port, and DORA_KAFKA_SECURITY={cluster.protocol}",
                lasting=True,
            )
        case asyncio.IncompleteReadError(expected=size) if size is not None and size >> 24 == TLS_ALERT:
            return Trouble(
                f"{address} speaks TLS: set DORA_KAFKA_SECURITY to SSL or SASL_SSL, or take another port",
                lasting=True,
            )
        case asyncio.IncompleteReadError() | ConnectionResetError():
            return Trouble(
                f"{address} closes the connection: it may ask for a user or a certificate; check"
                f" DORA_KAFKA_SECURITY={cluster.protocol}",
                lasting=False,
            )
        case _:
            return Trouble(
                f"no broker answers at {address} ({words(cause)}): is it running, and is DORA_KAFKA right?",
                lasting=False,
            )


def words(error: BaseException) -> str:
    """A reason of the system, short."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    reason: str | None
    if isinstance(error, ssl.SSLError):
        reason = error.reason
    elif isinstance(error, OSError) and error.errno and error.errno > 0:
        reason = os.strerror(error.errno)
    else:
        reason = getattr(error, "strerror", None)
    return str(reason or type(error).__name__).lower().replace("_", " ")
