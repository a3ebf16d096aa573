"""The worker's own Faust application, connected to nothing."""

from pathlib import Path

import pytest

from streams.app import create_app
from streams.consumer import App, Consumer
from streams.frontier import Frontier
from streams.settings import Settings


@pytest.fixture
async def app(tmp_path: Path) -> App:
    """An application whose flow is open, as with partitions assigned."""
    settings = Settings(kafka="127.0.0.1:9", store="memory://", state_dir=tmp_path, partitions=4)
    app = create_app(
        settings, 1, Frontier({"cloudevents": ("transform",), "cdevents": ("record", "measure")})
    )
    app.flow_control.resume()
    return app


@pytest.fixture
def consumer(app: App) -> Consumer:
    """Its consumer, at work: the seek after an assignment is done."""
    consumer = app.consumer
    consumer._seek_due = False
    return consumer
