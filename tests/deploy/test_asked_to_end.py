"""A process that is asked to end while it still starts ends well, as docs/operating.md's exit codes say."""

import signal
import socket
from pathlib import Path

import pytest

from tests.infra.production import eventually
from tests.infra.programs import Program


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_worker_that_waits_for_postgresql(tmp_path: Path, number: signal.Signals):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    environment = {"DORA_KAFKA": "127.0.0.1:1", "DORA_POSTGRES": f"postgresql://dora@127.0.0.1:{port}/dora"}
    worker = Program("worker", tmp_path, environment)
    worker.start()
    await eventually(lambda: says(worker, "worker.waiting_for_postgres"), what="a waiting worker")
    assert worker.send(number) == 0
    assert "Traceback" not in worker.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", ["ingress", "worker", "query"])
async def test_a_process_that_reads_its_settings(command: str, tmp_path: Path, number: signal.Signals):
    hangs = (
        "import deploy.processes, time\n"
        "deploy.processes.settings_from_environment = lambda *_: print('begun', flush=True) or time.sleep(60)"
    )
    program = Program(command, tmp_path, {}, before=hangs)
    program.start()
    await eventually(lambda: says(program, "begun"), what="settings that are read")
    assert program.send(number) == 0
    assert "Traceback" not in program.log()


async def says(program: Program, words: str) -> bool:
    return words in program.log()
