"""The pipeline on servers that may be hurt: ingresses and workers as real processes, started again whenever
they end, with a proxy on the workers' ways to Kafka and to PostgreSQL."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from aiokafka.errors import KafkaError

from access.kafka import Cluster
from deploy.embedded.ports import HOST
from deploy.kafka_topics import create
from deploy.offsets import Offsets, watching
from schemas.topics import Topics
from tests.faults.client import BEARER, Client
from tests.faults.journal import LOST, Journal
from tests.faults.proxy import Proxy, kafka_requests
from tests.faults.scrapes import Scrapes, Usage, usage_of
from tests.faults.servers import PASSWORD, ROLE, Servers
from tests.faults.workload import Workload, encode
from tests.infra.production import fetch
from tests.infra.programs import Program
from tests.infra.topic_sets import delete_topics

WEBHOOK_SECRET = "canary-of-the-web-hook-55d0"
SECRETS = (WEBHOOK_SECRET, PASSWORD, BEARER)
SESSION_TIMEOUT = 6.0  # seconds; the least that brokers take
RECOVERY = 60.0  # seconds within which there is no lag any more after a fault is over


class Scene:
    """``workers`` and ``ingresses`` processes on topics and a database of their own.

    ``static`` workers keep their names over restarts. ``before`` is Python that runs in a process first, by
    command.
    """

    def __init__(
        self,
        servers: Servers,
        folder: Path,
        *,
        workers: int = 1,
        ingresses: int = 1,
        static: bool = True,
        before: dict[str, str] | None = None,
        **settings: str,
    ) -> None:
        self.servers, self.folder = servers, folder
        self.topics = Topics(partitions=4, prefix=f"f{uuid4().hex[:8]}.")
        self.kafka_proxy = Proxy((HOST, servers.kafka_behind), servers.kafka_proxy, kafka_requests)
        self.postgres_proxy = Proxy((HOST, servers.postgres.port))
        self.generation = 1
        self.journal = Journal()
        self.workload = Workload(seed=20261123)
        self._settings = {f"DORA_{name.upper()}": value for name, value in settings.items()}
        self._static = static
        self._before = before or {}
        self._keepers: dict[Program, asyncio.Task[None]] = {}
        self._next = 0
        self.database = ""
        self.ingresses: list[Program] = []
        self.workers: list[Program] = []
        self._counts = (workers, ingresses)
        self.scrapes = Scrapes(self)
        self.baseline: dict[str, Usage] = {}

    # Names and ways

    @property
    def group(self) -> str:
        """The workers' consumer group."""
        return self.topics.application(self.generation)

    @property
    def cluster(self) -> Cluster:
        """The direct way to the broker."""
        return Cluster(self.servers.kafka.address)

    @property
    def dsn(self) -> str:
        """The direct way to the database, as the workers' role."""
        return self.servers.postgres.dsn(self.database, ROLE, PASSWORD)

    @property
    def admin_dsn(self) -> str:
        """The same as a superuser."""
        return self.servers.postgres.dsn(self.database)

    @property
    def programs(self) -> list[Program]:
        return [*self.ingresses, *self.workers]

    async def rows(self, query: str, *arguments: Any) -> list[Any]:
        return await fetch(self.admin_dsn, query, *arguments)

    # Life

    async def open(self) -> None:
        """Topics, database, proxies and processes, until all are ready."""
        self.database = await self.servers.create_database()
        await create(self.cluster, self.topics.all())
        await self.kafka_proxy.open()
        await self.postgres_proxy.open()
        workers, ingresses = self._counts
        for n in range(1, ingresses + 1):
            self.ingresses.append(self._ingress(f"ingress-{n}"))
        for n in range(1, workers + 1):
            self.workers.append(self.worker(f"worker-{n}"))
        for program in self.programs:
            self.keep(program)
        await self.ready()
        self.scrapes.begin()
        taken = {program.folder.name: usage_of(program) for program in self.programs}
        self.baseline = {name: usage for name, usage in taken.items() if usage is not None}

    async def ready(self) -> None:
        """Return when every process says that it is ready, restarts included."""
        await eventually_all(self.programs)

    async def close(self) -> None:
        """End everything, and remove what it left in the servers."""
        await self.scrapes.end()
        for program in list(self._keepers):
            await self.release(program)
            program.kill()
        await self.kafka_proxy.close()
        await self.postgres_proxy.close()
        with suppress(KafkaError, OSError):
            await delete_topics(self.servers.kafka.address, self.topics.prefix)
        if self.database:
            await self.servers.drop_database(self.database)

    def _ingress(self, name: str) -> Program:
        environment = {
            "DORA_KAFKA": self.servers.kafka.address,
            "DORA_TOPIC_PREFIX": self.topics.prefix,
            "DORA_PARTITIONS": str(self.topics.partitions),
            "DORA_PORT": "0",
            "DORA_WEBHOOK_GENERIC_SECRETS": WEBHOOK_SECRET,
        }
        return Program("ingress", self.folder / name, environment, before=self._before.get("ingress", ""))

    def worker(self, name: str) -> Program:
        """A worker that is not started yet; it reaches Kafka and PostgreSQL by the proxies."""
        environment = {
            "DORA_KAFKA": f"{HOST}:{self.servers.kafka_proxy}",
            "DORA_POSTGRES": f"postgresql://{ROLE}:{PASSWORD}@{HOST}:{self.postgres_proxy.port}/{self.database}",
            "DORA_TOPIC_PREFIX": self.topics.prefix,
            "DORA_PARTITIONS": str(self.topics.partitions),
            "DORA_STATE_DIR": str(self.folder / name / "state"),
            "DORA_WORKER_PORT": "0",
            "DORA_SESSION_TIMEOUT": str(SESSION_TIMEOUT),
            **({"DORA_INSTANCE": name} if self._static else {}),
            **self._settings,
        }
        return Program("worker", self.folder / name, environment, before=self._before.get("worker", ""))

    def keep(self, program: Program) -> None:
        """Start it, now and whenever it ends."""
        self._keepers[program] = asyncio.create_task(program.keep_running())

    async def release(self, program: Program) -> None:
        """Let it be ended without being started again."""
        keeper = self._keepers.pop(program, None)
        if keeper is not None:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper

    # Work

    def urls(self) -> list[str]:
        """The ingresses that listen now."""
        found = []
        for ingress in self.ingresses:
            with suppress(OSError, ValueError):
                found.append(ingress.url)
        return found

    async def post(self, events: int, a_second: float = 300) -> None:
        """The next so many events, until each is acknowledged."""
        numbers = range(self._next, self._next + events)
        self._next += events
        client = Client(self.urls, self.workload, self.journal)
        await client.post(numbers, a_second=a_second)

    async def post_again(self, numbers: range) -> None:
        """Events that were acknowledged long ago, as after a redelivery by hand."""
        await Client(self.urls, self.workload, self.journal).post(numbers, a_second=1000)

    async def post_and_leave(self, share: float) -> None:
        """Send this share of the next event's request, and go away without waiting for an answer.

        It counts as sent, not as acknowledged, and is posted again only when it was sent whole.
        """
        number, self._next = self._next, self._next + 1
        headers, body = encode([self.workload.build(number)], structured=True)
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request = f"POST /cloudevents HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n{head}\r\n"
        address = urlsplit(self.urls()[0])
        _, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(request.encode() + body[: int(len(body) * share)])
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        self.journal.note((number,), LOST, -2, 1, self.urls()[0], twin=False)
        if share == 1:
            await self.post_again(range(number, number + 1))

    @asynccontextmanager
    async def load(self, events: int, a_second: float = 300) -> AsyncIterator[None]:
        """Events are posted meanwhile; at the end all are acknowledged."""
        posting = asyncio.create_task(self.post(events, a_second))
        try:
            yield
        except BaseException:
            posting.cancel()
            raise
        await posting

    async def settled(self, within: float = RECOVERY) -> float:
        """Wait until nothing is left to do, as the broker sees it; the seconds that it took (I4)."""
        began = time.monotonic()
        lag: dict[str, int] = {}
        async with watching(self.cluster, self.group) as offsets:
            while True:
                lag = await self.lag(offsets)
                if not lag:
                    return time.monotonic() - began
                if time.monotonic() - began > within:
                    raise AssertionError(f"after {within:.0f} s there is still a lag: {lag}\n{self.logs()}")
                await asyncio.sleep(0.3)

    async def lag(self, offsets: Offsets) -> dict[str, int]:
        """Records that are not committed yet, by topic; topics without any are left out.

        What is committed is read first: a record that was passed on meanwhile counts as lag.
        """
        names = [topic.name for topic in self.topics.all() if topic.role not in {"changelog", "replay"}]
        committed = await offsets.committed(names)
        ends = await offsets.ends(names)
        lag: dict[str, int] = {}
        for partition, end in ends.items():
            if behind := end - committed[partition]:
                lag[partition.topic] = lag.get(partition.topic, 0) + behind
        return lag

    def logs(self) -> str:
        """The ends of all logs, for a test that failed."""
        return "\n".join(f"--- {program.folder.name}\n{program.log()[-2500:]}" for program in self.programs)

    def whole_log(self, program: Program) -> str:
        """Everything that a process has written."""
        return (program.folder / "log").read_text(errors="replace")


async def eventually_all(programs: list[Program], within: float = 60) -> None:
    """Wait until every program is ready, also one that is just being started again."""
    deadline = time.monotonic() + within
    for program in programs:
        while True:
            with suppress(Exception):
                if (await program.get("/readyz"))["status"] in {"ready", "ok"}:
                    break
            assert time.monotonic() < deadline, f"{program.folder.name} is not ready\n{program.log()}"
            await asyncio.sleep(0.1)


@asynccontextmanager
async def opened(scene: Scene) -> AsyncIterator[Scene]:
    """The scene, running; a failure shows the logs."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(scene.close)
        try:
            await scene.open()
            yield scene
        except BaseException:
            print(scene.logs())
            raise
