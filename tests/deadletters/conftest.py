"""One pipeline for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.deadletters.plant import Plant, build, demolish
from tests.infra.servers import Infra


@pytest.fixture(scope="package")
def plant(infra: Infra, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """Ingresses, a worker and queries, started once."""
    running = build(infra, template_database, tmp_path_factory.mktemp("plant"))
    yield running
    demolish(running)
