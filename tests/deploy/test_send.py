"""`dora send`: what it reads, what it posts, how it waits and what it tells."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest

from deploy.messages import Message, Unreadable, read_file
from tests.infra.commands import dora

EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"big": 12345678901234567890}}
RECORDED = {
    "received": "2026-11-23T07:40:48Z",
    "path": "/webhooks/github",
    "headers": [["Host", "other:1"], ["Content-Length", "9"], ["X-GitHub-Event", "push"], ["Ce-Id", "2"]],
    "body": '{"a":  1}',
}


def read(text: str) -> list[Message | Unreadable]:
    return list(read_file("f", BytesIO(text.encode())))


def test_each_line_is_sent_as_its_own_bytes() -> None:
    spaced = json.dumps(EVENT).replace(":", " :  ")
    messages = read(f"{spaced}\n\n{json.dumps(EVENT)}\n")
    assert [message.origin for message in messages] == ["f:1", "f:3"]
    assert messages[0].body == spaced.encode()
    assert dict(messages[0].headers)["Content-Type"].startswith("application/cloudevents+json")


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_and_a_document_are_read_whole(indent: int | None) -> None:
    messages = read(json.dumps([EVENT, EVENT], indent=indent))
    assert [message.origin for message in messages] == ["f[0]", "f[1]"]
    assert json.loads(messages[1].body) == EVENT
    [message] = read(json.dumps(EVENT, indent=indent))
    assert json.loads(message.body) == EVENT


def test_a_recorded_request_keeps_what_belongs_to_the_message() -> None:
    [message] = read(json.dumps(RECORDED))
    assert message.path == "/webhooks/github"
    assert message.headers == (("X-GitHub-Event", "push"), ("Ce-Id", "2"))
    assert message.body == b'{"a":  1}'


@pytest.mark.parametrize(
    ("text", "origin", "reason"),
    [
        (f"{json.dumps(EVENT)}\nnonsense\n", "f:2", "no JSON"),
        ('{"a":\n"b"\nc}', "f:3", "no JSON"),
        (f"{json.dumps(EVENT)}\n[1]\n", "f:2", "neither a CloudEvent"),
        ('[{"id": 1}]', "f[0]", "neither a CloudEvent"),
        ("", "f:1", "no JSON"),
    ],
)
def test_what_is_no_event_is_named_with_its_line(text: str, origin: str, reason: str) -> None:
    wrong = [each for each in read(text) if isinstance(each, Unreadable)]
    assert [each.origin for each in wrong] == [origin]
    assert wrong[0].reason.startswith(reason)


@dataclass
class Ingress:
    """Answers with the statuses in ``script`` first, then 202; remembers what came."""

    url: str = ""
    script: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def ingress() -> Iterator[Ingress]:
    ingress = Ingress()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            ingress.requests.append((self.path, dict(self.headers), body))
            status, headers = ingress.script.pop(0) if ingress.script else (202, {})
            answer = (
                b"" if status == 202 else json.dumps({"title": "No", "detail": f"because {status}"}).encode()
            )
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    ingress.url = f"http://127.0.0.1:{server.server_port}"
    yield ingress
    server.shutdown()
    server.server_close()


def test_it_waits_where_the_ingress_asks_for_it(ingress: Ingress, tmp_path: Path) -> None:
    ingress.script = [(503, {"Retry-After": "0"}), (503, {"Retry-After": "1"})]
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(json.dumps({**EVENT, "id": str(number)}) for number in range(5)))
    done = dora("send", str(file), DORA_INGRESS_URL=ingress.url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "accepted 5, refused 0\n", "")
    assert len(ingress.requests) == 7
    assert {json.loads(body)["id"] for _, _, body in ingress.requests} == {"0", "1", "2", "3", "4"}


def test_a_refusal_is_told_with_its_line_and_fails(ingress: Ingress, tmp_path: Path) -> None:
    ingress.script = [(202, {}), (400, {}), (202, {})]
    file = tmp_path / "requests.jsonl"
    file.write_text("\n".join([json.dumps(RECORDED)] * 3 + ["nonsense"]))
    done = dora("send", "--connections", "1", "--ingress-url", ingress.url, str(file))
    assert done.returncode == 1
    assert done.stdout == "accepted 2, refused 2\n"
    assert f"{file}:2: 400 because 400\n" in done.stderr
    assert f"{file}:4: no JSON" in done.stderr
    path, headers, body = ingress.requests[0]
    assert (path, headers["X-GitHub-Event"], body) == ("/webhooks/github", "push", b'{"a":  1}')


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("missing.json",), 1, "dora: missing.json: No such file or directory\n"),
        ((), 2, "Missing argument 'FILE...'"),
        (("--connections", "0", "x"), 2, "--connections"),
    ],
)
def test_mistakes_are_told_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    done = dora("send", *arguments, cwd=tmp_path)
    assert done.returncode == code
    assert told in done.stderr


def test_no_ingress_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text(json.dumps(EVENT))
    done = dora("send", "--ingress-url", "http://127.0.0.1:9", "event.json", cwd=tmp_path, timeout=15)
    assert done.returncode == 1
    assert "no ingress answers" in done.stderr
    assert "dora up" in done.stderr
