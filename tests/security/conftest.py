"""One secure broker, and one pipeline on it, for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.infra.secure_kafka import SecureKafka


@pytest.fixture(scope="package")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """A broker that lets in whom it knows and lets each do what it may."""
    broker = SecureKafka(tmp_path_factory.mktemp("secure"))
    broker.kafka.start()
    yield broker
    broker.kafka.kill()
