"""Damage to bytes, to JSON as text, to headers, and to HTTP itself. All chance comes from ``random``."""

import re
from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.fuzz.corpus import Header, Request

# What stands in JSON where something else is expected.
HOSTILE_JSON = (
    b"null", b"true", b"-0", b"1e999", b"-1e999", b"NaN", b"Infinity", b"9223372036854775808",
    b"9007199254740993",
    b"9" * 400, b"9" * 5000, b"0.1e-400", b'""', b'" "', b'"\\u0000"', b'"\\ud800"', b'"\\udfff\\ud800"',
    b'"\x00"',
    b'"\xff"', b'"\xed\xa0\x80"', b'"\xef\xbb\xbf"', b'"\\u202e\\u200b"', b'"' + b"x" * 70_000 + b'"',
    b'"' + b"e\xcc\x81" * 2000 + b'"', b"[" * 200 + b"]" * 200, b"[" * 30_000,
    b'{"a":' * 300 + b"1" + b"}" * 300,
    b"[]", b"{}", b"[null]", b'{"id":1,"id":2}', b'1,"id":"twice"', b'1,"action":"closed"',
    b'"9999-12-31T23:59:59Z"',
    b'"0001-01-01T00:00:00Z"', b'"2099-01-01T00:00:00Z"', b'"2026-06-30T23:59:60Z"', b'"2026-01-01T00:00:00"',
    b'"2026-01-01T00:00:00+23:59"', b"253402300800", b"99999999999999999999", b'"__proto__"', b'"../../x"',
    b"'x'",
    b"{" + b",".join(b'"k%d":0' % number for number in range(3000)) + b"}",
)  # fmt: skip

HOSTILE_TEXT = (
    b"", b" ", b"\t", b"%", b"%00", b"%zz", b"%c0%a0", b"%ed%a0%80", b"%e2%82%ac", b"\xe9", b"\xff\xfe",
    b'"', b'"a',
    b'"a\\"b"', b"a" * 1025, b"a" * 9000, b"1.0", b"0.3", b"2.0", b"/", b"//", b"a b", b"urn:x",
    b"http://[", b"*",
    b"2026-01-01T00:00:00Z", b"9999-12-31T23:59:59-23:59", b"yesterday", b"application/cloudevents+json",
    b"application/cloudevents-batch+json", b"application/cloudevents+avro",
    b"application/json; charset=utf-16",
    b"text/plain", b"gzip", b"-1", b"0", b"1e9", b"99999999999999999999", b"'; DROP TABLE x; --",
    b"${jndi:ldap://x}",
    b"<script>", b"http://169.254.169.254/", b"../../etc/passwd",
    b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-00",
)  # fmt: skip

NAMES = (
    b"ce-id", b"ce-source", b"ce-type", b"ce-specversion", b"ce-time", b"ce-subject", b"ce-data", b"ce-Ext",
    b"ce-", b"ce-datacontenttype", b"ce-partitionkey", b"ce-traceparent", b"content-type",
    b"content-encoding",
    b"traceparent", b"tracestate", b"expect", b"connection", b"upgrade", b"transfer-encoding",
    b"content-length",
    b"authorization", b"x-github-event", b"x-gitlab-event", b"webhook-request-origin", b"x-\xff", b"x" * 300,
)  # fmt: skip

_VALUE = re.compile(rb'(?<=[:\[,])\s*("(?:[^"\\]|\\.)*"|[-0-9a-zA-Z.+]+|\{\}|\[\])')

Bytes = Callable[[bytes, Random], bytes]


def flipped(body: bytes, random: Random) -> bytes:
    """A few bits are others."""
    changed = bytearray(body)
    for _ in range(random.choice((1, 1, 2, 8)) if changed else 0):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def cut(body: bytes, random: Random) -> bytes:
    """The end, the beginning, or something in between is missing."""
    one, other = sorted(random.randrange(len(body) + 1) for _ in range(2))
    return random.choice((body[:one], body[other:], body[:one] + body[other:]))


def repeated(body: bytes, random: Random) -> bytes:
    """A part stands there again."""
    one, other = sorted(random.randrange(len(body) + 1) for _ in range(2))
    return body[:other] + body[one:other][:2000] + body[other:]


def stuffed(body: bytes, random: Random) -> bytes:
    """Something hostile stands somewhere."""
    place = random.randrange(len(body) + 1)
    return body[:place] + random.choice(HOSTILE_JSON + HOSTILE_TEXT) + body[place:]


def retyped(body: bytes, random: Random) -> bytes:
    """One or two values of a JSON document are something else."""
    for _ in range(random.choice((1, 1, 2))):
        start = random.randrange(max(1, len(body)))
        found = _VALUE.search(body, start) or _VALUE.search(body)
        if found is None:
            return body
        body = body[: found.start(1)] + random.choice(HOSTILE_JSON) + body[found.end(1) :]
    return body


def renamed(body: bytes, random: Random) -> bytes:
    """A name in a JSON document is another, or stands there twice."""
    names = re.findall(rb'"(\w{1,40})"\s*:', body[:4000])
    if not names:
        return body
    old, new = random.choice(names), random.choice((*names, b"data", b"data_base64", b"Foo", b"\\u0000", b""))
    return body.replace(b'"' + old + b'"', b'"' + new + b'"', 1)


BODIES: tuple[Bytes, ...] = (flipped, cut, repeated, stuffed, retyped, retyped, retyped, renamed)


def with_other_headers(headers: tuple[Header, ...], random: Random) -> tuple[Header, ...]:
    """One header is missing, different, renamed, there twice, or new; or there are many, or huge ones."""
    changed = list(headers)
    place = random.randrange(len(changed)) if changed else 0
    match random.choice(("drop", "value", "value", "flip", "name", "twice", "new", "new", "many", "huge")):
        case "drop" if changed:
            del changed[place]
        case "value" if changed:
            changed[place] = (changed[place][0], random.choice(HOSTILE_TEXT))
        case "flip" if changed:
            value = flipped(changed[place][1], random).translate(None, b"\r\n\0")
            changed[place] = (changed[place][0], value)
        case "name" if changed:
            changed[place] = (random.choice(NAMES), changed[place][1])
        case "twice" if changed:
            changed.append(changed[place])
        case "many":
            changed += [(b"ce-x%d" % number, b"1") for number in range(random.choice((20, 120)))]
        case "huge":
            changed.append((random.choice(NAMES), b"h" * random.choice((7000, 9000, 70_000))))
        case _:
            changed.append((random.choice(NAMES), random.choice(HOSTILE_TEXT)))
    return tuple(changed)


def damaged(request: Request, others: tuple[Request, ...], random: Random) -> Request:
    """``request`` with one to three faults. A web hook mostly stays authentic: who is not gets no further."""
    for _ in range(random.choice((1, 1, 2, 3))):
        kind = random.random()
        if kind < 0.55:
            request = replace(request, body=random.choice(BODIES)(request.body, random))
        elif kind < 0.9:
            request = replace(request, headers=with_other_headers(request.headers, random))
        elif kind < 0.95:
            request = replace(
                request, body=cut(request.body, random) + cut(random.choice(others).body, random)
            )
        else:
            request = replace(request, path=random.choice((b"/", b"/cdevents", b"/cloudevents", *PATHS)))
    return request.with_proof() if random.random() < 0.9 else request


PATHS = (b"//", b"/cloudevents/", b"/%2e%2e", b"/%00", b"/\xff", b"/webhooks/", b"/webhooks/nobody",
          b"/webhooks/github",
         b"/webhooks/generic", b"/webhooks/%67ithub", b"/?a=%00", b"*", b"http://i/",
         b"/" + b"a" * 9000)  # fmt: skip


ODD_LINES = (b"", b"\r\n x: folded", b"\r\nno colon", b"\r\nx\0: 1", b"\r\n: 1")
ODD_LENGTHS = (b"+5", b"-1", b"5, 5", b"", b"0x1")
PROTOCOLS = (b"h2c", b"websocket", b"x")
ODD_SIZES = (b"-1", b"zz", b"fffffffffffffffff", b"5;" + b"x" * 9000)
ODD_VERSIONS = (b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9", b"HTCPCP/1.0", b"")
ODD_METHODS = (b"PUT", b"TRACE", b"CONNECT", b"PRI", b"post", b"P\xc3")


def broken(request: Request, random: Random) -> bytes:
    """Bytes that are no proper HTTP any more, or lie about where the request ends."""
    sent = request.to_bytes()
    head, _, body = sent.partition(b"\r\n\r\n")
    end = b"\r\n\r\n" + body
    chunked = b"\r\ntransfer-encoding: chunked\r\n\r\n"
    plain = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"content-length"))
    size = b"%x\r\n" % len(body)
    return random.choice(
        (
            lambda: flipped(head, random) + end,
            lambda: cut(sent, random),
            lambda: repeated(head, random) + end,
            lambda: sent.replace(b"\r\n", b"\n", random.randrange(5)),
            lambda: head + random.choice(ODD_LINES) + end,
            lambda: head + b"\r\ncontent-length: %d" % random.choice((0, len(body) + 5, 10**20)) + end,
            lambda: head + b"\r\ntransfer-encoding: chunked" + end,
            lambda: plain + b"\r\ncontent-length: " + random.choice(ODD_LENGTHS) + end,
            lambda: plain + chunked + size + body + b"\r\n0\r\n\r\n",
            lambda: plain + chunked + size + body[:-1] + b"\r\n0\r\n\r\n",
            lambda: plain + chunked + random.choice(ODD_SIZES) + b"\r\n" + body,
            lambda: sent.replace(b"HTTP/1.1", random.choice(ODD_VERSIONS), 1),
            lambda: sent.replace(b"POST", random.choice(ODD_METHODS), 1),
            lambda: head + b"\r\nconnection: upgrade\r\nupgrade: " + random.choice(PROTOCOLS) + end,
            lambda: random.randbytes(random.randrange(1, 400)),
            lambda: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + random.randbytes(50),
            lambda: b"\x16\x03\x01" + random.randbytes(200),
        )
    )()  # fmt: skip
