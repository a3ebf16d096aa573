"""The whole pipeline as one thing to start and stop: embedded Kafka and PostgreSQL, ingress, workers, query.

`dora up` and `dora demo` run it, tests and benchmarks use it to kill single parts. No child outlives this
process, however it ends (deploy/embedded/launch.py).
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from deploy.data_folder import DataFolder
from deploy.embedded.kafka import Kafka
from deploy.embedded.ports import is_free
from deploy.embedded.postgres import Postgres
from deploy.embedded.probes import in_thread
from deploy.embedded.process import PartError, Process
from deploy.provisioning import OWNER, READER, WORKER, provision, role_dsn
from deploy.server import Server
from schemas.topics import Topics, read_names

WATCH_POLL = 0.5  # seconds; looking at the children costs nothing that could be measured
SUPERSEDED = 75  # a worker's exit code when a new generation has become active: it is to be started again
RESTARTS, RESTART_SPAN = 5, 60.0  # more restarts in so many seconds are a fault
# A killed worker's partitions are given to the next one after this time; Kafka's default is 45 s.
SESSION_TIMEOUT = "10"
# In this order: first nothing new comes in, then what is there is worked off, then the stores close.
GRACE: Mapping[str, float] = {"ingress": 10.0, "worker": 15.0, "query": 5.0, "kafka": 15.0, "postgres": 10.0}


class Part(Protocol):
    """What the supervisor asks of a part."""

    process: Process

    def start(self) -> None:
        """Start it and wait until it is ready."""
        ...

    def stop(self, grace: float) -> None:
        """End it, at the latest after ``grace`` seconds."""
        ...

    def kill(self) -> None:
        """End it with SIGKILL."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports to listen on; 0 picks a free one."""

    ingress: int = 0
    query: int = 0
    kafka: int = 0
    postgres: int = 0

    def check(self) -> None:
        """Raise `PartError` when one that was asked for cannot be had."""
        asked = [(name, getattr(self, name)) for name in ("ingress", "query", "kafka", "postgres")]
        numbers = [port for _, port in asked if port]
        for name, port in asked:
            if port and numbers.count(port) > 1:
                raise PartError(
                    f"port {port} is asked for twice: give --{name}-port another, or 0 for a free one"
                )
            if port and not is_free(port):
                raise PartError(
                    f"port {port} is in use by another program: "
                    f"give another with --{name}-port, or 0 for a free one"
                )


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where everything is."""

    ingress: str
    query: str
    kafka: str
    postgres: str

    def __str__(self) -> str:
        return f"ready ingress={self.ingress} query={self.query} kafka={self.kafka} postgres={self.postgres}"


@dataclass
class Instance:
    """One running pipeline whose data is in ``data``. A context manager: started on entry, stopped on exit.

    ``settings`` are further `DORA_*` variables for its processes, ``say`` is told what is going on.
    """

    data: Path
    ports: Ports = field(default_factory=Ports)
    workers: int = 1
    settings: Mapping[str, str] = field(default_factory=dict)
    quick: bool = True
    say: Callable[[str], None] = field(default=lambda _: None)

    def __post_init__(self) -> None:
        self.folder = DataFolder(self.data)
        self.parts: dict[str, Part] = {}
        self._restarts: list[float] = []

    def __enter__(self) -> "Instance":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoints(self) -> Endpoints:
        """Where its parts listen; known once it is started."""
        return Endpoints(self.ingress.url, self.query.url, self.kafka.address, role_dsn(self.postgres, OWNER))

    def start(self) -> None:
        """Start everything and return when all parts are ready; raise `PartError` when one is not."""
        self.folder.claim()
        self.ports.check()
        self._start_stores()
        self._start_servers()
        self.folder.tell(str(self.endpoints))

    def _start_stores(self) -> None:
        self.say("starting PostgreSQL and Kafka")
        logs, path = self.folder.logs, self.folder.path
        self.postgres = Postgres(path / "postgres", self.ports.postgres, log=logs / "postgres.log")
        self.kafka = Kafka(path / "kafka", self.ports.kafka, log=logs / "kafka.log", quick=self.quick)
        self.parts |= {"postgres": self.postgres, "kafka": self.kafka}
        for store in (self.postgres, self.kafka):
            store.launch()
        self._remember()
        for store in (self.postgres, self.kafka):
            store.complete()
        self._remember()
        topics = Topics(
            partitions=int(self._setting("DORA_PARTITIONS", "8")),
            prefix=self._setting("DORA_TOPIC_PREFIX"),
            names=read_names(self._setting("DORA_TOPIC_NAMES")),
        )
        in_thread(provision(self.postgres, self.kafka.address, topics, self._setting("DORA_TIMEZONE", "UTC")))

    def _start_servers(self) -> None:
        self.say("starting ingress, worker and query")
        self.ingress = self._server("ingress", "ingress", self.ports.ingress)
        numbers = range(1, self.workers + 1)
        workers = {f"worker-{number}": self._server(f"worker-{number}", "worker") for number in numbers}
        asked = self._setting("DORA_QUERY_WORKERS") or ",".join(worker.url for worker in workers.values())
        self.query = self._server("query", "query", self.ports.query, DORA_QUERY_WORKERS=asked)
        servers: dict[str, Server] = {"ingress": self.ingress, "query": self.query, **workers}
        self.parts |= servers
        for server in servers.values():
            server.launch()
        self._remember()
        for server in servers.values():
            server.wait_ready()

    def _server(self, name: str, command: str, port: int = 0, **further: str) -> Server:
        role = READER if command == "query" else WORKER
        environment = {
            "DORA_SESSION_TIMEOUT": SESSION_TIMEOUT,
            **self.settings,
            "DORA_KAFKA": self.kafka.address,
            "DORA_POSTGRES": role_dsn(self.postgres, role),
            "DORA_STATE_DIR": str(self.folder.path / "state" / name),
            "DORA_INSTANCE": name,
            **further,
        }
        if command != "ingress":
            environment["DORA_INGRESS_URL"] = self.ingress.url
        variable = "DORA_WORKER_PORT" if command == "worker" else "DORA_PORT"
        logs, run = self.folder.logs, self.folder.run
        return Server(name, command, environment, logs=logs, run=run, port=port, variable=variable)

    def _setting(self, name: str, default: str = "") -> str:
        return self.settings.get(name) or os.environ.get(name) or default

    def _remember(self) -> None:
        pids = {name: part.process.pid for name, part in self.parts.items()}
        self.folder.remember({name: pid for name, pid in pids.items() if pid})

    def kill(self, name: str) -> None:
        """End one part with SIGKILL: `ingress`, `query`, `kafka`, `postgres`, `worker-1`..."""
        self.parts[name].kill()

    def restart(self, name: str) -> None:
        """Start a part again that was killed or has ended, on the same port, and wait until it is ready."""
        self.parts[name].start()
        self._remember()

    def watch(self) -> None:
        """Run until a part ends, then raise `PartError` that names it; restart superseded workers."""
        while True:
            time.sleep(WATCH_POLL)
            self.look()

    def look(self) -> None:
        """One look at all parts."""
        for part in self.parts.values():
            code = part.process.exit_code
            if code == SUPERSEDED and isinstance(part, Server):
                self._start_again(part)
            elif code is not None:
                raise PartError(part.process.obituary())

    def _start_again(self, part: Server) -> None:
        now = time.monotonic()
        self._restarts = [moment for moment in self._restarts if now - moment < RESTART_SPAN] + [now]
        if len(self._restarts) > RESTARTS:
            raise PartError(
                f"{part.name} was superseded {RESTARTS} times in a minute; {part.process.last_words()}"
            )
        self.say(f"{part.name} was superseded by a new generation; starting it again")
        part.launch()
        self._remember()

    def stop(self) -> None:
        """End all parts in order, each within its time, and give the data folder back."""
        for kind, grace in GRACE.items():
            for part in self._parts_of(kind):
                part.process.ask_to_stop()
            for part in self._parts_of(kind):
                part.process.finish(grace)
        self.folder.release()

    def stop_at_once(self) -> None:
        """Kill all parts, in no order; their data survives that as well."""
        for part in self.parts.values():
            part.process.kill_without_waiting()

    def _parts_of(self, kind: str) -> Iterator[Part]:
        return (part for name, part in self.parts.items() if name.partition("-")[0] == kind)
