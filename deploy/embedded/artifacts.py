"""Maven artifacts by coordinates and SHA-256: downloaded once, verified, kept outside the project.

The lock (`kafka.lock`) is written by `python -m deploy.embedded.lock`. A file is in the cache under its final
name only when its checksum was right, so an interrupted download costs the files that were not complete.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

import httpx

from deploy.embedded.process import PartError

MAVEN_CENTRAL = "https://repo.maven.apache.org/maven2"
ATTEMPTS = 4
RETRY_PAUSE = 0.5  # seconds, doubled with each attempt
TIMEOUT = httpx.Timeout(30, read=60)
PARALLEL = 6

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Artifact:
    """One jar: Maven coordinates, the SHA-256 of its bytes, its size in bytes."""

    group: str
    name: str
    version: str
    sha256: str
    size: int

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.name}-{self.version}.jar"

    @property
    def path(self) -> str:
        """Where it lies in a Maven repository."""
        return f"{self.group.replace('.', '/')}/{self.name}/{self.version}/{self.file}"

    @property
    def line(self) -> str:
        """As it stands in a lock."""
        return f"{self.group}:{self.name}:{self.version} sha256:{self.sha256} {self.size}"


def read_lock(text: str) -> list[Artifact]:
    """The artifacts of a lock: one `group:name:version sha256:HEX SIZE` a line, `#` begins a comment."""
    artifacts = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        coordinates, digest, size = line.split()
        group, name, version = coordinates.split(":")
        artifacts.append(Artifact(group, name, version, digest.removeprefix("sha256:"), int(size)))
    return artifacts


def cache_folder() -> Path:
    """Where downloads are kept: `$XDG_CACHE_HOME/dora`, else `~/.cache/dora`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "dora"


def repository() -> str:
    """The Maven repository in use: `DORA_MAVEN_REPOSITORY`, else Maven Central."""
    return os.environ.get("DORA_MAVEN_REPOSITORY", MAVEN_CENTRAL).rstrip("/")


def fetch(artifacts: Iterable[Artifact], folder: Path) -> list[Path]:
    """The files of ``artifacts`` in ``folder``, downloaded where they are missing.

    Raises `PartError` when one cannot be had or does not have its checksum.
    """
    wanted = list(artifacts)
    missing = [artifact for artifact in wanted if not is_complete(artifact, folder)]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        with progress(missing) as advance, httpx.Client(timeout=TIMEOUT, follow_redirects=True) as client:
            download_all(missing, folder, client, advance)
    return [folder / artifact.file for artifact in wanted]


def is_complete(artifact: Artifact, folder: Path) -> bool:
    """Whether the file is there with its full size. Its checksum was verified before it got its name."""
    try:
        return (folder / artifact.file).stat().st_size == artifact.size
    except FileNotFoundError:
        return False


def download_all(artifacts: list[Artifact], folder: Path, client: httpx.Client, advance: Advance) -> None:
    """Download some at a time; the first failure cancels what has not begun."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        downloads = [pool.submit(download, artifact, folder, client, advance) for artifact in artifacts]
        try:
            for each in downloads:
                each.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            client.close()  # ends the downloads under way, for which the pool would wait
            raise


def download(artifact: Artifact, folder: Path, client: httpx.Client, advance: Advance) -> None:
    """Download one file, trying again when the network fails; an unexpected checksum is final."""
    url = f"{repository()}/{artifact.path}"
    for attempt in range(1, ATTEMPTS + 1):
        try:
            save(artifact, folder, chunks(client, url), advance)
            return
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            if attempt == ATTEMPTS or status < 500:
                raise PartError(
                    f"cannot download {artifact.file}: {status} from {host(url)}; {advice()}"
                ) from error
        except httpx.HTTPError as error:
            if attempt == ATTEMPTS:
                raise PartError(
                    f"cannot download {artifact.file} from {host(url)}: {error}; {advice()}"
                ) from error
        time.sleep(RETRY_PAUSE * 2**attempt)


def chunks(client: httpx.Client, url: str) -> Iterator[bytes]:
    """The body of ``url``."""
    with client.stream("GET", url) as answer:
        answer.raise_for_status()
        yield from answer.iter_bytes(1 << 16)


def save(artifact: Artifact, folder: Path, content: Iterable[bytes], advance: Advance) -> None:
    """Write ``content`` beside its final name, and rename it when it has the right checksum."""
    digest, written = hashlib.sha256(), 0
    with NamedTemporaryFile(dir=folder, prefix=f".{artifact.file}.", delete=False) as partial:
        try:
            for chunk in content:
                partial.write(chunk)
                digest.update(chunk)
                written += len(chunk)
                advance(len(chunk))
            partial.flush()
            os.fsync(partial.fileno())
            verify(artifact, digest.hexdigest(), written)
            Path(partial.name).replace(folder / artifact.file)
        except BaseException:
            advance(-written)
            Path(partial.name).unlink(missing_ok=True)
            raise


def verify(artifact: Artifact, sha256: str, size: int) -> None:
    """Raise `PartError` unless the bytes are those of the lock."""
    if sha256 != artifact.sha256:
        raise PartError(
            f"{artifact.file} from {host(repository())} is not the locked file: SHA-256 {sha256} "
            f"({size} bytes), expected {artifact.sha256} ({artifact.size} bytes). It was not kept; {advice()}"
        )


def host(url: str) -> str:
    """The host of a URL, without the credentials that may stand in it."""
    return urlsplit(url).hostname or url


def advice() -> str:
    """What a user can do about a download."""
    return "check the network or proxy, or name another Maven repository in DORA_MAVEN_REPOSITORY"


@contextmanager
def progress(artifacts: list[Artifact]) -> Iterator[Advance]:
    """One progress line on standard error; plain words where it is not a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    size = sum(artifact.size for artifact in artifacts)
    text = f"Apache Kafka: downloading {len(artifacts)} files"
    if not console.is_terminal:
        console.print(f"{text}, {size / 1e6:.0f} MB, to {cache_folder()}", soft_wrap=True, highlight=False)
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(text, total=size)
        yield lambda count: bar.advance(task, count)
