"""Downloads against a local HTTP server that misbehaves."""

import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deploy.embedded.artifacts import Artifact, fetch, read_lock
from deploy.embedded.kafka import LOCK
from deploy.embedded.process import PartError


class Repository:
    """A Maven repository: ``files`` by path; ``faults`` are taken from the front, one a request."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: list[str] = []
        self.asked: list[str] = []

    def artifact(self, name: str, content: bytes) -> Artifact:
        artifact = Artifact("org.example", name, "1.0", hashlib.sha256(content).hexdigest(), len(content))
        self.files[artifact.path] = content
        return artifact


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    repository = Repository()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            repository.asked.append(self.path.lstrip("/"))
            fault = repository.faults.pop(0) if repository.faults else None
            content = repository.files.get(self.path.lstrip("/"))
            if content is None or fault == "503":
                self.send_error(503 if fault else 404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if fault == "cut" else content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("DORA_MAVEN_REPOSITORY", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("deploy.embedded.artifacts.RETRY_PAUSE", 0.01)
    yield repository
    server.shutdown()
    server.server_close()


def test_files_are_downloaded_once(repository: Repository, tmp_path: Path) -> None:
    artifacts = [repository.artifact(f"a{number}", b"x" * 1000 * number) for number in range(1, 9)]
    files = fetch(artifacts, tmp_path)
    assert [file.read_bytes() for file in files] == [repository.files[each.path] for each in artifacts]
    assert len(repository.asked) == 8
    assert fetch(artifacts, tmp_path) == files
    assert len(repository.asked) == 8


def test_s4_other_bytes_are_refused_and_leave_nothing(repository: Repository, tmp_path: Path) -> None:
    artifact = repository.artifact("broker", b"the real thing")
    repository.files[artifact.path] = b"something else"
    with pytest.raises(PartError, match=r"broker-1.0.jar from 127.0.0.1 is not the locked file"):
        fetch([artifact], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_was_cut_is_done_again(repository: Repository, tmp_path: Path) -> None:
    artifact = repository.artifact("broker", b"x" * 200_000)
    repository.faults = ["cut", "503"]
    assert fetch([artifact], tmp_path)[0].read_bytes() == b"x" * 200_000
    assert len(repository.asked) == 3
    assert len(list(tmp_path.iterdir())) == 1


def test_what_was_complete_before_an_interruption_is_kept(repository: Repository, tmp_path: Path) -> None:
    first, second = repository.artifact("first", b"1" * 10), repository.artifact("second", b"2" * 10)
    fetch([first], tmp_path)
    (tmp_path / ".second-1.0.jar.partial").write_bytes(b"22222")
    fetch([first, second], tmp_path)
    assert repository.asked == [first.path, second.path]


def test_a_truncated_file_in_the_cache_is_downloaded_again(repository: Repository, tmp_path: Path) -> None:
    artifact = repository.artifact("broker", b"whole")
    (tmp_path / artifact.file).write_bytes(b"who")
    assert fetch([artifact], tmp_path)[0].read_bytes() == b"whole"


def test_a_missing_file_is_told_at_once(repository: Repository, tmp_path: Path) -> None:
    artifact = repository.artifact("broker", b"x")
    repository.files.clear()
    with pytest.raises(PartError, match=r"cannot download broker-1.0.jar: 404 .* DORA_MAVEN_REPOSITORY"):
        fetch([artifact], tmp_path)
    assert len(repository.asked) == 1


def test_no_network_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DORA_MAVEN_REPOSITORY", "http://user:secret@127.0.0.1:9")
    monkeypatch.setattr("deploy.embedded.artifacts.RETRY_PAUSE", 0.01)
    with pytest.raises(PartError, match="check the network or proxy") as told:
        fetch([Artifact("g", "n", "1", "0" * 64, 1)], tmp_path)
    assert "secret" not in str(told.value)


def test_s4_the_lock_names_every_file_once_and_no_host() -> None:
    text = LOCK.read_text()
    artifacts = read_lock(text)
    assert len({artifact.file for artifact in artifacts}) == len(artifacts) > 40
    assert all(len(artifact.sha256) == 64 and artifact.size > 0 for artifact in artifacts)
    assert "http" not in text
