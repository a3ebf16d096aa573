"""The servers that the tests of this folder share and hurt, one test at a time."""

from collections.abc import Iterator

import pytest

from tests.faults.servers import Servers


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A broker and a database apart from those of other tests."""
    running = Servers(tmp_path_factory.mktemp("servers"))
    try:
        running.start()
        yield running
    finally:
        running.kill()
