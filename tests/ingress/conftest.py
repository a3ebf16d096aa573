"""An ingress without Kafka, for what Kafka has no part in."""

from collections.abc import AsyncIterator

import pytest

from tests.ingress.recording import Ingress, running


@pytest.fixture
async def ingress() -> AsyncIterator[Ingress]:
    async with running() as ingress:
        yield ingress
        ingress.assert_all_counted()
