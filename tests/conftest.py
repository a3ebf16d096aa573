"""Fixtures on a real Apache Kafka and a real PostgreSQL. Helpers to import live in tests/infra."""

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.embedded.probes import in_thread
from schemas.topics import Topics
from tests.infra import databases, servers, topic_sets
from tests.infra.servers import Infra

DEFAULT_PARTITIONS = 8
NOTE = pytest.StashKey[str]()
LEFT_OUT = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--infra",
        choices=("auto", "containers", "embedded"),
        default="auto",
        help="containers, embedded, or auto: containers when a Docker engine answers",
    )
    parser.addoption(
        "--soak-minutes", type=float, default=60, metavar="MINUTES", help="how long -m soak goes on: 60"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes an hour, unless it is asked for; and say so."""
    chosen = config.getoption("markexpr")
    for marker in ("soak", "fuzz"):
        left_out = [item for item in items if item.get_closest_marker(marker)]
        if left_out and marker not in chosen:
            items[:] = [item for item in items if item not in left_out]
            config.hook.pytest_deselected(items=left_out)
            config.stash.setdefault(LEFT_OUT, []).append(
                f"not run: {len(left_out)} {marker} tests; ask for them with ./dora test -m {marker}"
            )


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    return config.stash.get(LEFT_OUT, [])


def pytest_report_header(config: pytest.Config) -> str:
    kind, why = servers.choose(config.getoption("--infra"))
    return f"infra: {kind} ({why}); started when the first test needs it"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if note := config.stash.get(NOTE, None):
        terminalreporter.write_line(note)


@pytest.fixture(scope="session")
def infra(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Infra]:
    """Real servers for the whole run: ``.kafka`` is host:port, ``.postgres`` a superuser's DSN."""
    option = request.config.getoption("--infra")
    kind, _ = servers.choose(option)
    if option == "auto" and kind == "containers" and (image := servers.missing_image()):
        request.config.stash[NOTE] = (
            f"infra: embedded after all, because the Docker engine cannot get {image}"
        )
        kind = "embedded"
    running = (
        servers.containers() if kind == "containers" else servers.embedded(tmp_path_factory.mktemp("infra"))
    )
    with running as infra:
        yield infra


@pytest.fixture
async def topics(request: pytest.FixtureRequest, infra: Infra) -> AsyncIterator[Topics]:
    """All topics under a prefix of this test; ``@pytest.mark.partitions(n)`` for another number than 8."""
    marker = request.node.get_closest_marker("partitions")
    created = await topic_sets.create_topics(infra.kafka, marker.args[0] if marker else DEFAULT_PARTITIONS)
    yield created
    await topic_sets.delete_topics(infra.kafka, created.prefix)


@pytest.fixture(scope="session")
def template_database(infra: Infra) -> str:
    """The name of a migrated database that is only copied."""
    return in_thread(databases.create_template(infra.postgres))


@pytest.fixture
async def database(infra: Infra, template_database: str) -> AsyncIterator[str]:
    """The DSN of a fresh database with all migrations applied and generation 1 active."""
    dsn = await databases.create_database(infra.postgres, template_database)
    yield dsn
    await databases.drop_database(infra.postgres, dsn)


@pytest.fixture
async def empty_database(infra: Infra) -> AsyncIterator[str]:
    """The DSN of a fresh database with nothing in it."""
    dsn = await databases.create_database(infra.postgres)
    yield dsn
    await databases.drop_database(infra.postgres, dsn)
