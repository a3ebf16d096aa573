"""A worker process on the broker and database of one test."""

from pathlib import Path
from types import TracebackType
from typing import Any

from schemas.topics import Topics
from tests.infra.programs import Program


class Worker(Program):
    """``dora worker``; ``state`` is its folder for tables and logs, kept between starts."""

    def __init__(self, kafka: str, topics: Topics, dsn: str, state: Path, **settings: str) -> None:
        environment = {
            "DORA_KAFKA": kafka,
            "DORA_POSTGRES": dsn,
            "DORA_TOPIC_PREFIX": topics.prefix,
            "DORA_PARTITIONS": str(topics.partitions),
            "DORA_STATE_DIR": str(state / "tables"),
            "DORA_WORKER_PORT": "0",
            "DORA_SESSION_TIMEOUT": "8",
            **{f"DORA_{name.upper()}": value for name, value in settings.items()},
        }
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
