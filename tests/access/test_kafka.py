"""How processes are told to enter Kafka: what cannot work, or would be plain text by accident, is refused."""

import ast
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from access.kafka import Cluster, KafkaSettings
from deploy.processes import SettingsError, settings_from_environment
from ingress.settings import Settings as IngressSettings
from streams.app import credentials
from streams.settings import Settings as WorkerSettings
from tests.infra.certificates import Authority

ROOT = Path(__file__).parents[2]
CLIENTS = {"AIOKafkaClient", "AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient", "new_producer"}
LOGIN = {"DORA_KAFKA_USERNAME": "dora", "DORA_KAFKA_PASSWORD": "s3cret"}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "certificates", "authority")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch):
    """The settings of an environment."""
    import os

    for name in [name for name in os.environ if name.startswith("DORA_")]:
        monkeypatch.delenv(name)

    def read(**environment: str) -> KafkaSettings:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return settings_from_environment(KafkaSettings)

    return read


def test_without_settings_it_is_plain_text_on_this_machine(told):
    assert told().cluster == Cluster("127.0.0.1:9092")
    assert Cluster("a:1").options() == {"bootstrap_servers": "a:1", "security_protocol": "PLAINTEXT"}


def test_scram_over_tls(told, authority: Authority):
    cluster = told(
        DORA_KAFKA_SECURITY="SASL_SSL", DORA_KAFKA_CA_FILE=str(authority.file), **LOGIN
    ).cluster  # fmt: skip
    options = cluster.options()
    context = options.pop("ssl_context")
    assert options == {
        "bootstrap_servers": "127.0.0.1:9092",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "dora",
        "sasl_plain_password": "s3cret",
    }
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) == 1, "its own authority, and not those of the system besides"
    assert "s3cret" not in repr(cluster) + repr(told())


def test_a_password_in_a_file_ends_with_its_line(told, tmp_path: Path):
    file = tmp_path / "password"
    file.write_text(" s3cret with spaces \n")
    settings = told(
        DORA_KAFKA_SECURITY="SASL_PLAINTEXT",
        DORA_KAFKA_USERNAME="dora",
        DORA_KAFKA_PASSWORD_FILE=str(file),
    )
    assert settings.cluster.options()["sasl_plain_password"] == " s3cret with spaces "


def test_a_certificate_of_ones_own_with_its_key_in_one_file(told, authority: Authority):
    cluster = told(
        DORA_KAFKA_SECURITY="SSL",
        DORA_KAFKA_CA_FILE=str(authority.file),
        DORA_KAFKA_CERTIFICATE_FILE=str(authority.sign("dora-worker")),
    ).cluster
    assert cluster.login is None
    assert cluster.options()["security_protocol"] == "SSL"


SASL = {"DORA_KAFKA_SECURITY": "SASL_SSL"}


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        (LOGIN, "DORA_KAFKA_PASSWORD has no use with DORA_KAFKA_SECURITY=PLAINTEXT: set SASL_SSL"),
        ({"DORA_KAFKA_CA_FILE": "/ca"}, "DORA_KAFKA_CA_FILE has no use .*: set SSL or SASL_SSL"),
        ({"DORA_KAFKA_SECURITY": "SSL", **LOGIN}, "has no use with DORA_KAFKA_SECURITY=SSL: set SASL_SSL"),
        ({"DORA_KAFKA_SECURITY": "TLS"}, "DORA_KAFKA_SECURITY: input should be 'PLAINTEXT'"),
        (SASL, "needs DORA_KAFKA_USERNAME"),
        ({**SASL, "DORA_KAFKA_USERNAME": "dora"}, "set one of DORA_KAFKA_PASSWORD and"),
        ({**SASL, **LOGIN, "DORA_KAFKA_PASSWORD_FILE": "/x"}, "set one of DORA_KAFKA_PASSWORD and"),
        (
            {**SASL, "DORA_KAFKA_USERNAME": "dora", "DORA_KAFKA_PASSWORD_FILE": "/nowhere"},
            r"DORA_KAFKA_PASSWORD_FILE: it cannot be read \(No such file or directory\)",
        ),
        (
            {**SASL, "DORA_KAFKA_USERNAME": "dora", "DORA_KAFKA_PASSWORD_FILE": "/dev/null"},
            "DORA_KAFKA_PASSWORD_FILE: it is empty",
        ),
        (
            {"DORA_KAFKA_SECURITY": "SASL_PLAINTEXT", "DORA_KAFKA_MECHANISM": "PLAIN", **LOGIN},
            "would send the password in clear text",
        ),
        ({**SASL, **LOGIN, "DORA_KAFKA_MECHANISM": "GSSAPI"}, "DORA_KAFKA_MECHANISM: input should be"),
        ({**SASL, **LOGIN, "DORA_KAFKA_CA_FILE": "/nowhere"}, "DORA_KAFKA_CA_FILE: no certificates can be"),
        ({**SASL, **LOGIN, "DORA_KAFKA_CA_FILE": "/dev/null"}, "DORA_KAFKA_CA_FILE: no certificates can be"),
        ({**SASL, **LOGIN, "DORA_KAFKA_KEY_FILE": "/k"}, "KEY_FILE needs DORA_KAFKA_CERTIFICATE_FILE"),
        ({**SASL, **LOGIN, "DORA_KAFKA_CERTIFICATE_FILE": "/nowhere"}, "not a pair that can be read"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(told, environment: dict[str, str], reason: str):
    with pytest.raises(SettingsError, match=reason) as refused:
        told(**environment)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("process", [IngressSettings, WorkerSettings])
def test_every_process_on_kafka_shares_the_settings(process: type[KafkaSettings]):
    assert issubclass(process, KafkaSettings)


def test_faust_hands_the_same_to_its_consumer_and_its_producer(told, authority: Authority):
    for environment in (
        {},
        {"DORA_KAFKA_SECURITY": "SSL", "DORA_KAFKA_CA_FILE": str(authority.file)},
        {"DORA_KAFKA_SECURITY": "SASL_SSL", **LOGIN, "DORA_KAFKA_MECHANISM": "SCRAM-SHA-256"},
    ):
        cluster = told(**environment).cluster
        wanted = {name: value for name, value in cluster.options().items() if name != "bootstrap_servers"}
        assert credentials_to_aiokafka_auth(credentials(cluster), None) == wanted


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every place that makes a client of Kafka."""
    for room in ("access", "ingress", "streams", "query", "deploy"):
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CLIENTS:
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", node


def enters(call: Any) -> bool:
    """Whether a client is made with ``**cluster.options()``."""
    return any(
        keyword.arg is None
        and isinstance(keyword.value, ast.Call)
        and isinstance(keyword.value.func, ast.Attribute)
        and keyword.value.func.attr == "options"
        for keyword in call.keywords
    )


def test_no_client_of_kafka_goes_its_own_way():
    found = dict(calls())
    assert len(found) >= 7
    # The embedded broker's own probe, at a listener that lets everybody on this machine in.
    assert {place.partition(":")[0] for place, call in found.items() if not enters(call)} == {
        "deploy/embedded/probes.py"
    }
