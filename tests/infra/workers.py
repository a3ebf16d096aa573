"""A worker process on the broker and database of one test."""

from pathlib import Path
from types import TracebackType
from typing import Any

from schemas.topics import Topics
from tests.infra.programs import Program, environment_of


class Worker(Program):
    """``dora worker``; ``state`` is its folder for tables and logs, kept between starts."""

    def __init__(self, kafka: str, topics: Topics, dsn: str, state: Path, **settings: str) -> None:
        environment = environment_of(kafka, topics, dsn, state / "tables", settings)
        super().__init__("worker", state, environment)

    async def health(self) -> dict[str, Any]:
        """What /healthz says."""
        told: dict[str, Any] = await self.get("/healthz")
        return told

    def __enter__(self) -> "Worker":
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.kill()
