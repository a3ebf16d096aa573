"""What only a real connection shows: slow and endless clients, lies about length, what is no HTTP."""

import asyncio
import json
import socket
from contextlib import AsyncExitStack, suppress

import pytest

from ingress import deadline, limits, wire
from ingress.settings import Settings
from tests.ingress.listening import Answer, Listening, listening

HEAD = b"POST / HTTP/1.1\r\nHost: i\r\nce-specversion: 1.0\r\nce-id: 1\r\nce-type: t\r\nce-source: /s\r\n"
CAP = 64 * 1024


@pytest.fixture
async def ingress():
    async with listening(body_limit=CAP) as ingress:
        yield ingress
        metrics = ingress.app.state.metrics
        await eventually(lambda: metrics.in_flight == 0)


async def eventually(check) -> None:
    async with asyncio.timeout(10):
        while not check():
            await asyncio.sleep(0.01)


def assert_problem(answer: Answer, status: int, kind: str) -> None:
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.body)["type"] == f"urn:dora:problem:{kind}"


def with_length(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def still_serves(ingress: Listening) -> bool:
    return (await ingress.ask(with_length(b"{}"))).status == 202


async def test_b1_a_body_at_the_cap_and_one_beyond(ingress: Listening):
    answer = await ingress.ask(with_length(b"x" * CAP))
    assert answer.status == 202
    assert answer.body == b""
    assert len(ingress.publisher.records[0].value) == CAP
    assert_problem(await ingress.ask(with_length(b"x" * (CAP + 1))), 413, "too-large")
    assert_problem(await ingress.ask(with_length(b"x" * CAP * 50)), 413, "too-large")
    assert ingress.refused("too-large") == 2
    assert len(ingress.publisher.records) == 1


async def test_b2_a_chunked_body_at_the_cap_and_an_endless_one(ingress: Listening):
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    assert (await ingress.ask(chunked, chunk * 64, b"0\r\n\r\n")).status == 202
    async with ingress.connection() as connection:
        await connection.send(chunked + chunk * 65)
        assert_problem(await connection.answer(), 413, "too-large")
        with pytest.raises(ConnectionError):
            await connection.send_for_ever(chunk * 64)
    assert await still_serves(ingress)


async def test_b1_the_answer_to_a_large_body_comes_before_the_body(ingress: Listening):
    async with ingress.connection() as connection:
        await connection.send(HEAD + b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n")
        assert_problem(await connection.answer(), 413, "too-large")
        assert await connection.is_closed()


async def test_an_unread_body_ends_the_connection(ingress: Listening):
    async with ingress.connection() as connection:
        await connection.send(
            b"POST /nowhere HTTP/1.1\r\nHost: i\r\nContent-Length: 60000\r\n\r\n" + b"x" * 30_000
        )
        answer = await connection.answer()
        assert_problem(answer, 404, "not-found")
        assert answer.headers["connection"] == "close"
        assert await connection.is_closed()


async def test_k8_bodies_together_are_bounded(monkeypatch: pytest.MonkeyPatch):
    async with listening(body_limit=1024 * 1024, buffer_limit=1024 * 1024) as ingress:
        ingress.publisher.gate = asyncio.Event()
        body = with_length(b"x" * 600_000)
        async with ingress.connection() as first:
            await first.send(body)
            await eventually(lambda: ingress.app.state.metrics.in_flight == 1)
            await asyncio.sleep(0.2)
            answer = await ingress.ask(body)
            assert_problem(answer, 503, "overloaded")
            assert answer.headers["retry-after"] == "1"
            ingress.publisher.gate.set()
            assert (await first.answer()).status == 202
        assert (await ingress.ask(body)).status == 202


async def test_b5_a_slow_body_ends_at_its_deadline_and_disturbs_nobody():
    async with listening(body_timeout=0.5) as ingress, ingress.connection() as slow:
        await slow.send(HEAD + b"Content-Length: 100\r\n\r\nx")
        assert await still_serves(ingress)
        assert_problem(await slow.answer(), 408, "too-slow")
        assert await slow.is_closed()
        assert ingress.refused("too-slow") == 1
        assert len(ingress.publisher.records) == 1


async def test_b5_a_byte_now_and_then_gains_no_time():
    async with listening(body_timeout=0.6) as ingress, ingress.connection() as slow:
        await slow.send(HEAD + b"Content-Length: 100\r\n\r\n")
        for _ in range(20):
            with suppress(ConnectionError):
                await slow.send(b"x")
            await asyncio.sleep(0.05)
        assert_problem(await slow.answer(), 408, "too-slow")
        assert await still_serves(ingress)


@pytest.mark.parametrize("beginning", [b"P", HEAD, HEAD + b"ce-ext: a", b"\r\n"])
async def test_b5_slow_headers_end_at_their_deadline(monkeypatch: pytest.MonkeyPatch, beginning: bytes):
    monkeypatch.setattr(wire, "HEAD_SECONDS", 0.3)
    async with listening() as ingress, ingress.connection() as slow:
        await slow.send(beginning)
        assert_problem(await slow.answer(), 408, "too-slow")
        assert await slow.is_closed()
        assert await still_serves(ingress)


async def test_b5_a_connection_that_says_nothing_is_closed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wire, "HEAD_SECONDS", 0.3)
    async with listening() as ingress, ingress.connection() as silent:
        assert await silent.is_closed()
        assert ingress.refused("too-slow") == 0


async def test_b5_a_slow_second_head_on_a_kept_connection(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wire, "HEAD_SECONDS", 0.5)
    async with listening() as ingress, ingress.connection() as kept:
        for _ in range(3):
            await kept.send(with_length(b"x" * 200_000))
            assert (await kept.answer()).status == 202
        await asyncio.sleep(0.7)  # idle between requests is allowed
        await kept.send(HEAD)
        assert_problem(await kept.answer(), 408, "too-slow")


async def test_p12_an_endless_header_is_cut_off(ingress: Listening):
    async with ingress.connection() as connection:
        await connection.send(HEAD + b"x: " + b"a" * (wire.LARGEST_HEAD + 1))
        assert_problem(await connection.answer(), 431, "headers-too-large")
    assert ingress.refused("headers-too-large") == 1


@pytest.mark.parametrize(
    "headers",
    [
        b"x: " + b"a" * (limits.LARGEST_HEADER + 1) + b"\r\n",
        b"".join(b"x-%d: 1\r\n" % number for number in range(200)),
        b"".join(b"x-%d: %s\r\n" % (number, b"a" * 5000) for number in range(8)),
    ],
)
async def test_p12_too_many_or_too_large_headers(ingress: Listening, headers: bytes):
    assert_problem(await ingress.ask(HEAD + headers + b"\r\n"), 431, "headers-too-large")


@pytest.mark.parametrize("length", [b"-1", b"+5", b"5, 5", b"0x5", b"1e1", b"", b"5 5", b"9" * 30])
async def test_b3_lengths_that_are_none(ingress: Listening, length: bytes):
    answer = await ingress.ask(HEAD + b"Content-Length: " + length + b"\r\n\r\nhello")
    assert answer.status in (400, 413)
    assert answer.headers["content-type"] == "application/problem+json"
    assert ingress.publisher.records == []


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"no colon\r\n",
        b"ce-subject: a\r\n b\r\n",
        b"ce-subject: a\x00b\r\n",
    ],
)
async def test_b3_what_two_servers_could_read_differently_is_refused(ingress: Listening, headers: bytes):
    async with ingress.connection() as connection:
        await connection.send(HEAD + headers + b"\r\nhello")
        answer = await connection.answer()
        assert answer.status == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert await connection.is_closed()


async def test_what_is_no_http(ingress: Listening):
    for garbage in (b"\x16\x03\x01\x02\x00", b"hello\r\n\r\n", b"POST\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n"):
        assert_problem(await ingress.ask(garbage), 400, "malformed-request")
    assert ingress.refused("malformed-request") == 4
    assert await still_serves(ingress)


async def test_p12_repeated_headers_are_refused(ingress: Listening):
    for name in (b"ce-id", b"ce-source", b"ce-type", b"CE-ID"):
        assert_problem(await ingress.ask(HEAD + name + b": 2\r\n\r\n"), 400, "invalid-event")
    repeated = b"content-type: application/json\r\ncontent-type: text/plain\r\n\r\n"
    assert_problem(await ingress.ask(HEAD + repeated), 400, "invalid-event")
    assert ingress.publisher.records == []


async def test_p12_percent_encoding_is_undone_once_and_what_is_not_ascii_refused(ingress: Listening):
    encoded = b"ce-subject: 100%25%E2%82%AC%20%2541\r\nContent-Length: 0\r\n\r\n"
    assert (await ingress.ask(HEAD + encoded)).status == 202
    assert ("ce_subject", "100%€ %41".encode()) in ingress.publisher.records[0].headers
    for value in ("é".encode(), b"\xe9", b"%C0%A0", b"%ED%A0%80", b"%", b"%00", b"%0d%0a"):
        answer = await ingress.ask(HEAD + b"ce-subject: " + value + b"\r\nContent-Length: 0\r\n\r\n")
        assert_problem(answer, 400, "invalid-event")
    assert len(ingress.publisher.records) == 1


@pytest.mark.parametrize(
    "origin",
    [
        b"a.example.com\r\n x",
        b"a.example.com\rx-evil: 1",
        b"a.example.com\nx-evil: 1",
        b"a\x00b",
        b"a%0d%0ax: 1",
        b"a.example.com\r\nWebHook-Request-Origin: b.example.com",
    ],
)
async def test_p5_a_line_break_in_an_origin_is_never_reflected(origin: bytes):
    async with listening(webhook_origins="a.example.com,b.example.com") as ingress:
        head = b"OPTIONS / HTTP/1.1\r\nHost: i\r\nWebHook-Request-Origin: "
        async with ingress.connection() as connection:
            await connection.send(head + origin + b"\r\n\r\n")
            answer = await connection.answer()
        if origin.startswith(b"a.example.com\nx"):  # a bare line feed ends a header, as RFC 9112 allows
            assert answer.headers.get("webhook-allowed-origin") in (None, "a.example.com")
        else:
            assert not [name for name in answer.headers if name.startswith("webhook-")]
        assert "x-evil" not in answer.headers


@pytest.mark.parametrize(
    "path", [b"//", b"/cloudevents/", b"/cloudevents//", b"/CLOUDEVENTS", b"/%2f", b"/./"]
)
async def test_p3_paths_are_taken_literally(ingress: Listening, path: bytes):
    answer = await ingress.ask(HEAD.replace(b"POST /", b"POST " + path) + b"Content-Length: 0\r\n\r\n")
    assert_problem(answer, 404, "not-found")


async def test_p2_methods_are_refused_with_those_allowed(ingress: Listening):
    for method in (b"GET", b"DELETE", b"HEAD"):
        async with ingress.connection() as connection:
            await connection.send(method + b" /cloudevents HTTP/1.1\r\nHost: i\r\n\r\n")
            head = await connection.reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 405 ")
            assert b"allow: POST, OPTIONS\r\n" in head


async def test_a_client_that_leaves_in_mid_body_publishes_nothing(ingress: Listening):
    async with ingress.connection() as connection:
        await connection.send(HEAD + b"Content-Length: 100\r\n\r\nhalf")
        await eventually(lambda: ingress.app.state.metrics.in_flight == 1)
    await eventually(lambda: ingress.refused("disconnected") == 1)
    assert ingress.publisher.records == []


async def test_pipelined_requests_are_answered_in_order(ingress: Listening):
    async with ingress.connection() as connection:
        await connection.send(
            with_length(b"1") + with_length(b"2").replace(b"ce-id: 1", b"ce-id: ") + with_length(b"3")
        )
        assert [(await connection.answer()).status for _ in range(3)] == [202, 400, 202]
    assert [record.value for record in ingress.publisher.records] == [b"1", b"3"]


async def test_b3_what_follows_a_request_is_refused_after_its_answer(ingress: Listening):
    """Else the client would take the refusal for the answer to what was accepted."""
    ingress.publisher.gate = asyncio.Event()
    async with ingress.connection() as connection:
        await connection.send(with_length(b"1") + with_length(b"2") + b"garbage\r\n\r\n" + with_length(b"3"))
        await eventually(lambda: ingress.app.state.metrics.in_flight == 1)
        ingress.publisher.gate.set()
        assert [(await connection.answer()).status for _ in range(2)] == [202, 202]
        assert_problem(await connection.answer(), 400, "malformed-request")
        assert await connection.is_closed()
    assert [record.value for record in ingress.publisher.records] == [b"1", b"2"]


async def test_b3_a_body_that_breaks_is_refused_after_the_answers_before_it(ingress: Listening):
    ingress.publisher.gate = asyncio.Event()
    broken = HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\nnonsense\r\n"
    async with ingress.connection() as connection:
        await connection.send(with_length(b"1") + broken)
        await eventually(lambda: ingress.app.state.metrics.in_flight == 1)
        ingress.publisher.gate.set()
        assert (await connection.answer()).status == 202
        assert_problem(await connection.answer(), 400, "malformed-request")
        assert await connection.is_closed()
    assert [record.value for record in ingress.publisher.records] == [b"1"]


async def test_k8_a_client_that_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wire, "STALL_SECONDS", 0.3)
    async with listening() as ingress:
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", ingress.port))
            # More than the buffers of all sockets between them.
            deaf.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: i\r\n\r\n" * 1000)
            await eventually(lambda: any(each.flow.write_paused for each in connections(ingress)))
            assert await still_serves(ingress)
            await eventually(lambda: not any(each.flow.write_paused for each in connections(ingress)))
        await eventually(lambda: not connections(ingress))


def connections(ingress: Listening) -> set[wire.GuardedProtocol]:
    return ingress.server.server_state.connections


async def test_k8_connections_are_bounded_and_idle_ones_make_room():
    async with listening(connection_limit=3) as ingress:
        async with AsyncExitStack() as stack:
            idle, *busy = [await stack.enter_async_context(ingress.connection()) for _ in range(3)]
            await idle.send(with_length(b"1"))
            assert (await idle.answer()).status == 202
            for each in busy:
                await each.send(HEAD)  # more is to come
            await asyncio.sleep(0.1)
            assert await still_serves(ingress)  # in the place of the idle one
            assert await idle.is_closed()
            third = await stack.enter_async_context(ingress.connection())
            await third.send(HEAD)
            await asyncio.sleep(0.1)
            answer = await ingress.ask(b"")
            assert_problem(answer, 503, "overloaded")
            assert answer.headers["retry-after"] == "1"
            assert ingress.refused("overloaded") == 1
            await third.send(b"Content-Length: 1\r\n\r\n3")
            assert (await third.answer()).status == 202
        await eventually(lambda: len(ingress.server.server_state.connections) == 0)
        assert await still_serves(ingress)


def test_k2_no_waits_add_up_to_more_than_a_webhooks_patience():
    patience = 10.0  # seconds, GitHub's and GitLab's
    settings = Settings()
    assert settings.body_timeout >= wire.HEAD_SECONDS  # the body's time begins with the head's
    slowest = max(deadline.ANSWER_SECONDS, settings.body_timeout + deadline.LEAST_FOR_KAFKA)
    assert slowest < 8 < patience


async def test_k2_a_request_that_was_slow_to_arrive_has_less_time_for_kafka(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deadline, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(deadline, "LEAST_FOR_KAFKA", 0.2)
    async with listening() as ingress, ingress.connection() as slow:
        assert await still_serves(ingress)
        assert 0.8 < ingress.publisher.within <= 1.0
        await slow.send(HEAD)
        await asyncio.sleep(0.3)
        await slow.send(b"Content-Length: 2\r\n\r\n{")
        await asyncio.sleep(0.3)
        await slow.send(b"}")
        assert (await slow.answer()).status == 202
        assert 0.2 <= ingress.publisher.within < 0.42


H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\n"


@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 2\r\n\r\n{}", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"],
)
@pytest.mark.parametrize("piece", [1, 7, 10_000])
async def test_an_offer_of_http2_is_ignored_and_the_body_kept(ingress: Listening, body: bytes, piece: int):
    request = HEAD + H2C + body
    async with ingress.connection() as connection:
        for _ in range(2):
            for start in range(0, len(request), piece):
                await connection.send(request[start : start + piece])
                await asyncio.sleep(0)
            assert (await connection.answer()).status == 202
        await connection.send(request * 300)
        assert {(await connection.answer()).status for _ in range(300)} == {202}
    assert [record.value for record in ingress.publisher.records] == [b"{}"] * 302


async def test_an_offer_of_websockets_is_ignored_too(ingress: Listening):
    offer = b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\n{}"
    assert (await ingress.ask(HEAD + offer)).status == 202
    assert ingress.publisher.records[0].value == b"{}"


async def test_it_is_no_proxy(ingress: Listening):
    answer = await ingress.ask(b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n")
    assert_problem(answer, 400, "malformed-request")
