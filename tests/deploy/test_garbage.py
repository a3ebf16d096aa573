"""What is told to the garbage collector: in a process of its own, whose collector it may change."""

import subprocess
import sys

SCRIPT = """
import gc
from deploy.garbage import MADE, collect_seldom

class Ring:
    def __init__(self):
        self.me = self

collect_seldom()
assert gc.isenabled() and gc.get_freeze_count() > 1000
begun = gc.get_stats()[0]["collections"]
kept = [[] for _ in range(MADE // 2)]
assert gc.get_stats()[0]["collections"] == begun
for _ in range(2 * MADE):
    Ring()
assert gc.get_stats()[0]["collected"] > 0
"""


def test_garbage_is_looked_for_seldom_and_still_found():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
