"""What containers, charts and manifests are tested with. Programs that are not there are named in the skip.

`./dora test -m docker` asks for the tests that build the image and run the compose file. They take minutes,
so the plain suite leaves them out and says so. With REQUIRE_DOCKER=1, as .ci/containers sets it, what is
missing fails.
"""

import os
from collections.abc import Iterator

import pytest

from tests.deployment import engine
from tests.deployment.compose import Compose


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "docker: builds the image, runs the compose file; ask with -m docker")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "docker" not in config.option.markexpr:
        left_out = pytest.mark.skip(
            reason="takes minutes and a Docker engine; ask with ./dora test -m docker"
        )
        for item in items:
            if item.get_closest_marker("docker"):
                item.add_marker(left_out)


@pytest.fixture(scope="session")
def image() -> str:
    """The name of the image, built from the checkout."""
    if missing := engine.missing():
        give_up(missing)
    return engine.build()


@pytest.fixture(scope="module")
def compose(image: str) -> Iterator[Compose]:
    """The compose file, under a project and on ports of this run, with the image of this run."""
    command = engine.compose_command()
    if command is None:
        give_up("docker compose is not installed")
    project = Compose(command, image)
    wanted = project.images()
    if lacking := [
        name for name in (*engine.STORES, *engine.ORNAMENTS) if not engine.has_image(wanted[name])
    ]:
        absent = ", ".join(wanted[name] for name in lacking)
        if set(lacking) & set(engine.STORES):
            give_up(f"the Docker engine cannot get {absent}")
    project.left_out = tuple(lacking)
    try:
        yield project
    finally:
        project.run("down", "--volumes", "--timeout", "5")


def give_up(why: str) -> None:
    """Skip, or fail where these tests are required."""
    if os.environ.get("REQUIRE_DOCKER"):
        pytest.fail(why)
    pytest.skip(why)
