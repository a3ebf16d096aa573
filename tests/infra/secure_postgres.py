"""A PostgreSQL that speaks TLS.

The embedded one is built without it, so this takes one that is installed, with ``hostssl`` alone in its
rules; where none is, the embedded one stands behind an end of TLS of our own, with the same certificates.
"""

import asyncio
import os
import pwd
import shutil
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from deploy.embedded.ports import free_port, listens

PASSWORD = "tls-password"
START_TIMEOUT = 30
SSL_REQUEST = struct.pack("!II", 8, 80877103)
RULES = """\
hostssl all certified 127.0.0.1/32 cert map=certified
hostssl all all 127.0.0.1/32 scram-sha-256
"""
NAMES = "certified client certified\n"


@dataclass(frozen=True)
class Secure:
    """``dsn`` is the superuser's, without a word of TLS. ``is_real``: the server itself ends TLS."""

    dsn: str
    is_real: bool

    def told(self, host: str = "", **parameters: object) -> str:
        """The URL with these parameters, and by another name of the host."""
        parts = urlsplit(self.dsn)
        place = parts.netloc if not host else f"{parts.netloc.rpartition('@')[0]}@{host}:{parts.port}"
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return urlunsplit(parts._replace(netloc=place, query=query))


def installed() -> Path | None:
    """The programs of an installed PostgreSQL that is built with OpenSSL."""
    found = shutil.which("postgres")
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    for folder in [*folders, *([Path(found).parent] if found else [])]:
        config = subprocess.run(
            [folder / "postgres", "--describe-config"], capture_output=True, check=False
        ).stdout
        linked = subprocess.run(["ldd", folder / "postgres"], capture_output=True, check=False).stdout
        if config and b"libssl" in linked:
            return folder
    return None


@contextmanager
def real(programs: Path, certificate: Path, authority: Path) -> Iterator[Secure]:
    """An installed PostgreSQL on a fresh folder; only over TLS does anybody come in."""
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    as_account = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    folder = Path(tempfile.mkdtemp(prefix="dora-tls-"))
    data, port = folder / "data", free_port()
    try:
        (folder / "password").write_text(PASSWORD)
        for source, name in ((certificate, "server.pem"), (authority, "authority.pem")):
            shutil.copy(source, folder / name)
            (folder / name).chmod(0o600)
        for path in (folder, *folder.iterdir()):
            if account:
                os.chown(path, account.pw_uid, account.pw_gid)
        initdb = [programs / "initdb", "-D", data, "-U", "postgres", f"--pwfile={folder / 'password'}"]
        subprocess.run(
            [*initdb, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=folder,
            **as_account,
        )
        (data / "pg_hba.conf").write_text(RULES)
        (data / "pg_ident.conf").write_text(NAMES)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "fsync": "off",
            "ssl": "on",
            "ssl_cert_file": folder / "server.pem",
            "ssl_key_file": folder / "server.pem",
            "ssl_ca_file": folder / "authority.pem",
        }
        arguments = [f"--{name}={value}" for name, value in settings.items()]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [programs / "postgres", "-D", data, *arguments],
                stdout=log,
                stderr=log,
                cwd=folder,
                **as_account,
            )
        try:
            deadline = time.monotonic() + START_TIMEOUT
            while not listens(port):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.05)
            yield Secure(f"postgresql://postgres:{PASSWORD}@127.0.0.1:{port}/postgres", is_real=True)
        finally:
            process.terminate()
            process.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def fronted(plain: str, certificate: Path) -> Iterator[Secure]:
    """An end of TLS before the PostgreSQL at ``plain``: it grants the wish for TLS, and passes bytes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    target, loop, port = urlsplit(plain), asyncio.new_event_loop(), free_port()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(context)
                there = await asyncio.open_connection(target.hostname, target.port)
                await asyncio.gather(passed(reader, there[1]), passed(there[0], writer))
        writer.close()

    async def passed(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while content := await source.read(65536):
                sink.write(content)
                await sink.drain()
        sink.close()

    server = loop.run_until_complete(asyncio.start_server(connected, "127.0.0.1", port))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        place = f"{target.netloc.rpartition('@')[0]}@127.0.0.1:{port}"
        yield Secure(urlunsplit(target._replace(netloc=place)), is_real=False)
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
