"""The container's health check: ``python -m deploy.docker.health [healthz|readyz]`` exits 0 or 1.

Standard library only, because it runs every few seconds. A container runs one process, and which one is not
known here, so each port that may be meant is asked.
"""

import http.client
import os
import sys
from collections.abc import Iterator

DEFAULT_PORTS = ("8080", "8081", "8082")  # ingress, query, worker
TIMEOUT = 3.0  # seconds


def ports() -> Iterator[int]:
    """The ports that a process in this container may listen on."""
    told = (os.environ.get("DORA_PORT"), os.environ.get("DORA_WORKER_PORT"), *DEFAULT_PORTS)
    return (int(port) for port in dict.fromkeys(told) if port and port.isdecimal())


def answers(port: int, endpoint: str) -> bool:
    """Whether a process on ``port`` says that it is well."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", f"/{endpoint}")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main(arguments: list[str]) -> int:
    """The exit code."""
    endpoint = arguments[0] if arguments else "healthz"
    return 0 if any(answers(port, endpoint) for port in ports()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
