"""A process that lives without getting anywhere: its probe fails, it ends itself, and a new one goes on."""

import asyncio
from pathlib import Path

import httpx
import pytest

from schemas.topics import Topics
from streams.progress import EXIT_STUCK
from tests.infra.programs import Program
from tests.infra.servers import Infra

pytestmark = [pytest.mark.connected, pytest.mark.fault, pytest.mark.partitions(1)]
PROBE = 5.0  # seconds, as in the chart
BLOCKS = """
import time
from pathlib import Path
from streams.heartbeat import Heartbeat
beat = Heartbeat.beat
def blocking(heartbeat):
    beat(heartbeat)
    if Path({flag!r}).exists():
        time.sleep(3600)
Heartbeat.beat = blocking
"""


async def test_s5_a_worker_whose_event_loop_is_blocked_is_started_again(
    infra: Infra, topics: Topics, database: str, tmp_path: Path
):
    flag = tmp_path / "block"
    environment = {
        "DORA_KAFKA": infra.kafka,
        "DORA_POSTGRES": database,
        "DORA_TOPIC_PREFIX": topics.prefix,
        "DORA_PARTITIONS": "1",
        "DORA_STATE_DIR": str(tmp_path / "state"),
        "DORA_WORKER_PORT": "0",
        "DORA_STUCK_AFTER": "10",
        "DORA_FUNCTION_TIMEOUT": "5",
    }
    worker = Program("worker", tmp_path / "worker", environment, before=BLOCKS.format(flag=str(flag)))
    worker.start()
    try:
        await worker.ready()
        async with httpx.AsyncClient(timeout=PROBE) as client:
            assert (await client.get(f"{worker.url}/healthz")).status_code == 200
            flag.touch()
            await asyncio.sleep(2)
            with pytest.raises(httpx.TimeoutException):
                await client.get(f"{worker.url}/healthz")
        assert worker.process is not None
        assert await asyncio.to_thread(worker.process.wait, 30) == EXIT_STUCK
        assert "worker.event_loop_blocked" in worker.log()
        flag.unlink()
        worker.start()
        await worker.ready()
    finally:
        worker.kill()
