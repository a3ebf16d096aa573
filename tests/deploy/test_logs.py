"""Logs of faults: where it happened, and never the values that were at hand."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FAULT = """
import logging
import structlog
from deploy.logs import configure

configure()
password = "s3cret"
try:
    1 / 0
except ZeroDivisionError as error:
    structlog.get_logger("one").error("stage.dead_letter", exc_info=error)
    logging.getLogger("two").exception("from a library")
"""


def test_a_line_of_json_tells_where_and_not_with_what() -> None:
    done = subprocess.run([sys.executable, "-c", FAULT], cwd=ROOT, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["stage.dead_letter", "from a library"]
    for line in lines:
        assert line["exception"][0]["exc_type"] == "ZeroDivisionError"
        assert line["exception"][0]["frames"]
    assert "s3cret" not in done.stderr


def test_a_terminal_shows_the_same() -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run([sys.executable, "-c", FAULT], cwd=ROOT, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:
        pass  # Linux says so when the other end is closed
    os.close(ours)
    assert done.returncode == 0
    assert shown.count(b"ZeroDivisionError") == 2
    assert b"s3cret" not in shown
    assert b"Logging error" not in shown
