"""TCP ports on the loopback interface."""

import random
import socket

HOST = "127.0.0.1"
# Below the range from which systems take the ports of outgoing connections (Linux: from 32768). A port of
# that range may be taken by a client while a killed broker restarts, even by a client's connection to that
# very port.
FREE_RANGE = range(15_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` now."""
    with socket.socket() as probe:
        # As servers do: a port in TIME_WAIT after a restart is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port on which nothing listens. Nothing reserves it: callers try again when another was faster."""
    for port in random.sample(FREE_RANGE, 200):
        if is_free(port):
            return port
    raise OSError("no free TCP port on 127.0.0.1: 200 were tried")


def listens(port: int) -> bool:
    """Whether something accepts connections on ``port``."""
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False
