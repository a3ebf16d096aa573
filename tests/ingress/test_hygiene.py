"""Bad inputs, row by row, as a client sees them: refused as what they are, published never, repeated never.

The readers by themselves: tests/cloudevents. What only a socket shows: test_wire.py.
"""

import gzip
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from ingress.providers import Webhook, find_providers
from ingress.secrets import FixedSecrets
from schemas.cloudevents import strict_json
from tests.ingress.recording import Ingress, assert_problem, running

BINARY = {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-type": "t",
    "ce-source": "/s",
    "content-type": "application/json",
}
STRUCTURED = {"content-type": "application/cloudevents+json"}
BATCH = {"content-type": "application/cloudevents-batch+json"}
SECRET = b"fb1d7d2c-not-to-be-seen"
PATHS = ["/", "/cloudevents", "/cdevents"]


@pytest.fixture
async def ingress() -> AsyncIterator[Ingress]:
    """An ingress that takes GitHub's web hooks."""
    async with running(
        hooks={"github": Webhook(find_providers()["github"], FixedSecrets([SECRET]))}
    ) as ingress:
        yield ingress
        ingress.assert_all_counted()


def envelope(extra: bytes = b"", **attributes: Any) -> bytes:
    event = {"specversion": "1.0", "id": "1", "type": "t", "source": "/s", **attributes}
    return json.dumps(event).encode()[:-1] + extra + b"}"


async def push(ingress: Ingress, body: bytes, **headers: str) -> Any:
    """An authentic delivery by GitHub."""
    signature = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    told = {
        "x-github-event": "push",
        "x-github-delivery": "d-1",
        "x-hub-signature-256": f"sha256={signature}",
        "content-type": "application/json",
    }
    wanted = {name: value for name, value in (told | headers).items() if value}
    return await ingress.client.post("/webhooks/github", content=body, headers=wanted)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/json",
        "application/xml",
        "nonsense",
        "application/cloudevents",
        "application/cloudevents+avro",
        "application/cloudevents+json; charset=utf-16",
        'application/cloudevents+json; charset="iso-8859-1"',
        "application/cloudevents-batch+json; charset=latin1",
    ],
)
async def test_p7_what_is_no_event_format_in_utf8(ingress: Ingress, path: str, content_type: str):
    headers = {"content-type": content_type} if content_type else {}
    response = await ingress.client.post(path, headers=headers, content=envelope())
    document = assert_problem(response, 415, "unsupported-format")
    assert "utf-16" not in document["detail"]
    assert ingress.publisher.records == []


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/xml", "application/json; charset=utf-16"]
)
async def test_p7_a_web_hook_of_another_media_type(ingress: Ingress, content_type: str):
    assert_problem(
        await push(ingress, b'{"ref": "x"}', **{"content-type": content_type}), 415, "unsupported-format"
    )
    assert ingress.publisher.records == []
    for good in ("application/json", "Application/JSON; charset=UTF-8"):
        assert (await push(ingress, b'{"ref": "x"}', **{"content-type": good})).status_code == 202


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", None),
        ("source", None),
        ("type", None),
        ("specversion", None),
        ("id", ""),
        ("source", ""),
        ("type", ""),
        ("specversion", ""),
        ("specversion", "0.3"),
        ("specversion", "2.0"),
        ("source", "not a uri"),
        ("time", "yesterday-7c1e"),
        ("subject", ""),
    ],
)
async def test_p8_the_attribute_is_named_and_its_value_is_not(ingress: Ingress, name: str, value: str | None):
    headers = {**BINARY, f"ce-{name}": value}
    answers = [
        await ingress.client.post(
            "/", headers={k: v for k, v in headers.items() if v is not None}, content=b"{}"
        ),
        await ingress.client.post("/", headers=STRUCTURED, content=without_none(name, value)),
    ]
    for answer in answers:
        document = assert_problem(answer, 400, "invalid-event")
        assert document["attribute"] == name
        assert name in document["detail"]
        assert not value or value in ("0.3", "2.0") or value not in answer.text
    assert ingress.publisher.records == []


def without_none(name: str, value: str | None) -> bytes:
    event = {"specversion": "1.0", "id": "1", "type": "t", "source": "/s", name: value}
    return json.dumps({key: told for key, told in event.items() if told is not None}).encode()


@pytest.mark.parametrize("name", ["Foo", "foo-bar", "foo_bar", "føø", ""])
async def test_p8_a_bad_name_of_an_attribute(ingress: Ingress, name: str):
    response = await ingress.client.post("/", headers=STRUCTURED, content=envelope(**{name: "v-5d0e"}))
    assert_problem(response, 400, "invalid-event")
    assert "v-5d0e" not in response.text


@pytest.mark.parametrize("name", ["id", "source", "type", "specversion", "time", "subject"])
@pytest.mark.parametrize("value", [1, True, 1.5, [], {}, ["1"]])
async def test_p8_a_value_of_another_type(ingress: Ingress, name: str, value: Any):
    response = await ingress.client.post("/", headers=STRUCTURED, content=envelope(**{name: value}))
    assert assert_problem(response, 400, "invalid-event")["attribute"] == name
    assert ingress.publisher.records == []


async def test_p8_b6_more_attributes_than_any_event_has(ingress: Ingress):
    many = {f"x{number}": "1" for number in range(97)}
    response = await ingress.client.post("/", headers=STRUCTURED, content=envelope(**many))
    assert_problem(response, 400, "invalid-event")
    many.popitem()
    response = await ingress.client.post("/", headers=STRUCTURED, content=envelope(**many))
    assert response.status_code == 202


@pytest.mark.parametrize(
    "data",
    [
        b', "data": 1, "data_base64": "AAEC"',
        b', "data": null, "data_base64": "AAEC"',
        b', "data_base64": "AAE"',
        b', "data_base64": "AA_-"',
        b', "data_base64": 7',
    ],
)
async def test_p9_data_twice_and_base64_that_is_none(ingress: Ingress, data: bytes):
    for headers, body in (
        (STRUCTURED, envelope(data)),
        (BATCH, b"[" + envelope() + b"," + envelope(data) + b"]"),
    ):
        response = await ingress.client.post("/", headers=headers, content=body)
        assert_problem(response, 400, "invalid-event")
    assert ingress.publisher.records == []


BOMBS = {
    "arrays": b"[" * 100_000,
    "balanced arrays": b"[" * 100_000 + b"]" * 100_000,
    "objects": b'{"a":' * 100_000,
    "just too deep": b"[" * 129 + b"]" * 129,
    "deep and wide": b"[[" + b"[]," * 100_000 + b"[" * 200 + b"]" * 200 + b"]]",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
async def test_b6_deep_nesting_is_refused_before_it_is_walked(
    ingress: Ingress, bomb: bytes, monkeypatch: pytest.MonkeyPatch
):
    # Python's own parser is the one that recurses, and the slow one.
    monkeypatch.setattr(strict_json, "json", None)
    for headers, body in ((STRUCTURED, envelope(b', "data":' + bomb)), (BATCH, bomb), (STRUCTURED, bomb)):
        assert_problem(await ingress.client.post("/", headers=headers, content=body), 400, "invalid-event")
    assert_problem(await push(ingress, b'{"ref":' + bomb + b"}"), 400, "invalid-event")
    assert ingress.publisher.records == []


@pytest.mark.parametrize(
    "body",
    [
        b"{" + b",".join(b'"k%d":0' % number for number in range(1_000_000)) + b"}",
        b'{"a":"' + b"x" * 10_000_000 + b'"}',
    ],
    ids=["a million keys", "one string of ten megabytes"],
)
async def test_b6_what_is_huge_is_refused_before_it_is_parsed(
    ingress: Ingress, body: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(strict_json, "parse", None)
    for headers in (STRUCTURED, BATCH, BINARY):
        assert_problem(await ingress.client.post("/", headers=headers, content=body), 413, "too-large")
    assert_problem(await push(ingress, body), 413, "too-large")


@pytest.mark.parametrize(
    "twice",
    [
        b', "id": "2"',
        b', "\\u0069d": "2"',
        b', "data": {"action": 1, "action": 2}',
        b', "data": [{"a": {"b": 1, "b": 1}}]',
    ],
)
async def test_b7_the_same_name_twice(ingress: Ingress, twice: bytes):
    for headers, body in ((STRUCTURED, envelope(twice)), (BATCH, b"[" + envelope(twice) + b"]")):
        problem = assert_problem(
            await ingress.client.post("/", headers=headers, content=body), 400, "invalid-event"
        )
        assert "twice" in problem["detail"]
    assert ingress.publisher.records == []


async def test_b7_the_same_name_twice_in_a_web_hook(ingress: Ingress):
    response = await push(ingress, b'{"action": "opened", "x": 1, "action": "closed"}')
    assert "twice" in assert_problem(response, 400, "invalid-event")["detail"]
    assert ingress.publisher.records == []


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"9" * 5000])
async def test_b8_numbers_that_are_none(ingress: Ingress, number: bytes):
    response = await ingress.client.post("/", headers=STRUCTURED, content=envelope(b', "data": ' + number))
    assert_problem(response, 400, "invalid-event")
    assert_problem(await push(ingress, b'{"id": ' + number + b"}"), 400, "invalid-event")
    assert ingress.publisher.records == []


@pytest.mark.parametrize(
    "number", [b"-0", b"9223372036854775808", b"9007199254740993", b"-1e-400", b"1" * 300]
)
async def test_b8_numbers_are_published_to_the_last_digit(ingress: Ingress, number: bytes):
    response = await ingress.client.post("/", headers=STRUCTURED, content=envelope(b', "data": ' + number))
    assert response.status_code == 202
    assert ingress.publisher.records[0].value == number


@pytest.mark.parametrize(
    "body",
    [
        b'{"specversion":"1.0","id":"\xff","type":"t","source":"/s"}',
        b'{"specversion":"1.0","id":"\xc0\xa0","type":"t","source":"/s"}',
        b'{"specversion":"1.0","id":"\xed\xa0\x80","type":"t","source":"/s"}',
        envelope().decode().encode("utf-16"),
        envelope().decode().encode("utf-16-le"),
        envelope().decode().encode("utf-32"),
        b"\xef\xbb\xbf" + envelope(),
    ],
)
async def test_b9_other_encodings_and_a_byte_order_mark(ingress: Ingress, body: bytes):
    assert_problem(await ingress.client.post("/", headers=STRUCTURED, content=body), 400, "invalid-event")
    assert_problem(await push(ingress, body), 400, "invalid-event")
    assert ingress.publisher.records == []


@pytest.mark.parametrize("name", ["id", "source", "type", "subject", "ext"])
async def test_b10_nul_in_an_attribute(ingress: Ingress, name: str):
    response = await ingress.client.post("/", headers=STRUCTURED, content=envelope(**{name: "a\0b"}))
    assert assert_problem(response, 400, "invalid-event")["attribute"] == name
    response = await ingress.client.post("/", headers={**BINARY, f"ce-{name}": "a%00b"})
    assert assert_problem(response, 400, "invalid-event")["attribute"] == name
    assert ingress.publisher.records == []


async def test_b10_nul_elsewhere(ingress: Ingress):
    assert_problem(
        await ingress.client.post("/", headers=STRUCTURED, content=envelope(**{"a\0b": "1"})),
        400,
        "invalid-event",
    )
    for path in ("/cloudevents%00", "/webhooks/git%00hub", "/%00"):
        assert_problem(await ingress.client.post(path, headers=BINARY), 404, "not-found")
    # In a payload it is what was sent; where it cannot be stored is told by the worker (docs/guarantees.md).
    for text in (b'"\\u0000"', b'{"a\\u0000": 1}'):
        response = await ingress.client.post(
            "/?q=%00", headers=STRUCTURED, content=envelope(b', "data": ' + text)
        )
        assert response.status_code == 202
        assert ingress.publisher.records[-1].value == text


@pytest.mark.parametrize("text", [b'"\\ud800"', b'"\\udc00\\ud800"', b'"a\\udfffb"', b'{"\\ud800": 1}'])
async def test_b11_lone_surrogates(ingress: Ingress, text: bytes):
    response = await ingress.client.post("/", headers=STRUCTURED, content=envelope(b', "data": ' + text))
    assert_problem(response, 400, "invalid-event")
    assert_problem(await push(ingress, b'{"a": ' + text + b"}"), 400, "invalid-event")
    assert ingress.publisher.records == []


STRANGE = ["\u202egnp.exe", "a\u200bb", "é", "e\u0301", "😀", "a" + "\u0301" * 500]


async def test_b11_strange_text_stays_as_it_is_and_twins_stay_apart(ingress: Ingress):
    for text in STRANGE:
        body = json.dumps(
            {"specversion": "1.0", "id": text, "type": "t", "source": "/s", "data": text}, ensure_ascii=False
        )
        assert (await ingress.client.post("/", headers=STRUCTURED, content=body)).status_code == 202
    records = ingress.publisher.records
    assert [dict(record.headers)["ce_id"].decode() for record in records] == STRANGE
    assert [json.loads(record.value) for record in records] == STRANGE
    combining = b'"' + "\u0301".encode() * 450_000 + b'"'
    response = await ingress.client.post("/", headers=STRUCTURED, content=envelope(b', "data": ' + combining))
    assert response.status_code == 202
    assert records[-1].value == combining


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"null", b"true", b"1", b"", b" \n\t", b"{} {}", b"{}"])
async def test_b12_a_top_level_that_is_no_event(ingress: Ingress, body: bytes):
    assert_problem(await ingress.client.post("/", headers=STRUCTURED, content=body), 400, "invalid-event")
    if body != b"[]":
        assert_problem(await ingress.client.post("/", headers=BATCH, content=body), 400, "invalid-event")
        assert_problem(await ingress.client.post("/", headers=BATCH, content=b"[" + body + b" ]")
                       if body.strip() else await ingress.client.post("/", headers=BATCH, content=b"[1]"),
                       400, "invalid-event")  # fmt: skip
    if body != b"{}":
        assert_problem(await push(ingress, body), 400, "invalid-event")
    assert ingress.publisher.records == []


@pytest.mark.parametrize(
    "time",
    [
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:60Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "1767225600",
        "2026-02-30T00:00:00Z",
    ],
)
async def test_b13_a_time_that_is_none(ingress: Ingress, time: str):
    response = await ingress.client.post("/", headers={**BINARY, "ce-time": time})
    assert assert_problem(response, 400, "invalid-event")["attribute"] == "time"
    response = await ingress.client.post("/", headers=STRUCTURED, content=envelope(time=time))
    assert assert_problem(response, 400, "invalid-event")["attribute"] == "time"
    for odd in ("2016-12-31T23:59:60Z", "2026-01-01T00:00:00.123456789+14:00", "2010-01-01T00:00:00Z"):
        assert (await ingress.client.post("/", headers={**BINARY, "ce-time": odd})).status_code == 202
        assert dict(ingress.publisher.records[-1].headers)["ce_time"] == odd.encode()


CANARY = "c4n4ry-0b6d"
# Whatever a client sends may be a secret; these are where it might come back.
LEAKS: list[tuple[str, str, dict[str, str], bytes]] = [
    ("POST", "/", {**BINARY, "ce-id": "", "ce-ext": CANARY, "authorization": f"Bearer {CANARY}"}, b"{}"),
    ("POST", "/", {**BINARY, "ce-time": CANARY, "cookie": CANARY}, b"{}"),
    ("POST", "/", {**BINARY, "ce-source": f"<{CANARY}>"}, b"{}"),
    ("POST", "/", {**BINARY, f"ce-{CANARY}": "1"}, b"{}"),
    ("POST", "/", {**BINARY, "content-encoding": CANARY}, b"{}"),
    ("POST", "/", {**BINARY, "content-type": f"application/cloudevents+{CANARY}"}, b"{}"),
    ("POST", "/", STRUCTURED, f'{{"{CANARY}": '.encode()),
    ("POST", "/", STRUCTURED, envelope(f', "data": {{"{CANARY}": 1, "{CANARY}": 2}}'.encode())),
    ("POST", "/cdevents", BINARY, f'{{"context": {{"id": "{CANARY}"}}}}'.encode()),
    ("POST", f"/{CANARY}", BINARY, b"{}"),
    ("POST", f"/webhooks/{CANARY}", BINARY, b"{}"),
    ("POST", f"/webhooks/github?token={CANARY}", {"x-hub-signature-256": f"sha256={CANARY}"}, b""),
    ("POST", f"/?access_token={CANARY}", {**BINARY, "x-api-key": CANARY}, b"{}"),
    ("OPTIONS", "/", {"webhook-request-origin": f"{CANARY}!"}, b""),
    ("OPTIONS", "/", {"webhook-request-callback": f"http://{CANARY}/"}, b""),
    ("GET", f"/healthz?{CANARY}", {"authorization": CANARY}, b""),
]  # fmt: skip


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: f"{leak[0]} {leak[1].replace(CANARY, '*')}")
async def test_i6_what_a_client_sends_comes_back_nowhere(ingress: Ingress, leak):
    method, path, headers, body = leak
    with capture_logs() as logs:
        response = await ingress.client.request(method, path, headers=headers, content=body)
    metrics = (await ingress.client.get("/metrics")).text
    assert CANARY not in str(response.headers) + metrics + str(logs)
    if f"ce-{CANARY}" not in headers:  # an attribute's name is told, so that it can be corrected
        assert CANARY not in response.text
    published = [each for each in ingress.publisher.records if CANARY in str(each)]
    assert published == []


async def test_i6_secrets_of_the_ingress_are_told_nowhere(ingress: Ingress):
    with capture_logs() as logs:
        answers = [
            await push(ingress, b'{"ref": "x"}'),
            await push(ingress, b"no json"),
            await push(ingress, b"["),
        ]
        ingress.publisher.error = RuntimeError(SECRET.decode())
        answers.append(await push(ingress, b'{"ref": "y"}'))
        ingress.publisher.error = None
    texts = "".join(answer.text + str(answer.headers) for answer in answers)
    texts += (await ingress.client.get("/metrics")).text + (await ingress.client.get("/openapi.json")).text
    assert SECRET.decode() not in texts + str(logs) + str(ingress.publisher.records)
    assert [answer.status_code for answer in answers] == [202, 400, 400, 500]


async def test_b4_a_bomb_is_not_inflated_wherever_it_stands(ingress: Ingress):
    """In binary mode any bytes are data, and stay what they are."""
    bomb = gzip.compress(bytes(5_000_000))
    response = await ingress.client.post(
        "/", headers={**BINARY, "content-type": "application/gzip"}, content=bomb
    )
    assert response.status_code == 202
    assert ingress.publisher.records[0].value == bomb
