"""Plays the sample events to a pipeline that runs elsewhere, and prints the metrics.

Run by ``python -m deploy.docker.demo``; `dora demo` does the same with parts of its own. Playing them twice
changes nothing. Environment: DORA_INGRESS_URL, and the addresses of a worker and of the query API, WORKER_URL
and QUERY_URL.
"""

import os
import sys
from datetime import UTC, datetime

from rich.console import Console

from deploy.samples import summary
from deploy.samples.history import events
from deploy.samples.player import play, wait_until_handled


def main() -> None:
    """Play, wait, print."""
    until = datetime.now(UTC)
    total = sum(1 for _ in events(until))
    sys.stderr.write(f"demo: playing {total} sample events\n")
    sent = play(os.environ["DORA_INGRESS_URL"], until, lambda _: None)
    sys.stderr.write(f"demo: {sent} are confirmed; waiting until they are handled\n")
    wait_until_handled([os.environ["WORKER_URL"]])
    Console(width=100).print(summary.draw(summary.read_metrics(os.environ["QUERY_URL"])))


if __name__ == "__main__":
    main()
