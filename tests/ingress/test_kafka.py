"""The ingress in front of a real Kafka."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from ingress.app import create_app
from ingress.publisher import KafkaPublisher, Record, RecordTooLarge
from ingress.settings import Settings
from schemas.cloudevents.kafka import read_record
from schemas.topics import Topics
from tests.cloudevents import cases
from tests.infra.servers import Infra
from tests.ingress.recording import assert_problem

pytestmark = [pytest.mark.connected]

ACCEPTED = [case for case in cases.lines("http-binding-cases.jsonl") if case["expect"]["result"] == "accept"]
BINARY = {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-type": "t",
    "ce-source": "/s",
    "content-type": "application/json",
}


@pytest.fixture
def settings(infra: Infra, topics: Topics) -> Settings:
    return Settings(kafka=infra.kafka, topic_prefix=topics.prefix, partitions=topics.partitions)


@asynccontextmanager
async def client_of(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings, KafkaPublisher(settings))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://i") as client,
    ):
        await until_ready(client)
        yield client


async def until_ready(client: httpx.AsyncClient, status: int = 200) -> None:
    async with asyncio.timeout(30):
        while (await client.get("/readyz")).status_code != status:
            await asyncio.sleep(0.05)


async def records_on(settings: Settings) -> list[ConsumerRecord]:
    """Everything on the topic now, by partition and offset."""
    topic = settings.topics["cloudevents"]
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(settings.partitions)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[ConsumerRecord] = []
        async with asyncio.timeout(20):
            for partition in partitions:
                while await consumer.position(partition) < ends[partition]:
                    batches = await consumer.getmany(partition, timeout_ms=200)
                    found += [record for batch in batches.values() for record in batch]
        return found
    finally:
        await consumer.stop()


async def test_p1_every_accepted_case_arrives_as_the_event_that_was_sent(settings: Settings):
    sent = []
    async with client_of(settings) as client:
        for case in ACCEPTED:
            headers, body = case["request"]["headers"], cases.http_body(case)
            assert (await client.post("/", headers=headers, content=body)).status_code == 202
            sent += cases.read_case(case)
    arrived = [read_record(record.headers, record.value) for record in await records_on(settings)]
    assert len(arrived) == len(sent)

    def sortable(event):
        return sorted((name, str(value)) for name, value in event.attributes.items()), event.body or b""

    assert sorted(map(sortable, arrived)) == sorted(map(sortable, sent))


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ATTRIBUTES = {
    "specversion": "1.0",
    "id": "a%b €\u0301",
    "source": "https://ci.example.com/a?b=c#d",
    "type": "com.example.déployé",
    "subject": ' "quoted" 100% 😀',
    "time": "2026-01-31T12:00:00.123456789+02:30",
    "dataschema": "urn:example:schema#1",
    "unknown": "~!@#$^&*()_+`-={}|[]:;'<>?,./",
    "ext1": "\u202e",
    "traceparent": TRACE,
}
DATA = '{ "b" : 1.0,\n"a":12345678901234567890123 ,"n":"\\u0000é\U0001f600" }'.encode()


def requests_of(event_id: str) -> dict[str, tuple[dict[str, str], bytes]]:
    """The same event in each mode, as a client sends it."""
    attributes = ATTRIBUTES | {"id": event_id}
    head = json.dumps(attributes | {"datacontenttype": "application/json"}).encode()[:-1]
    envelope = head + b', "data": ' + DATA + b"}"
    binary = {f"ce-{name}": quote(value, safe="") for name, value in attributes.items()}
    trace = {"traceparent": TRACE, "tracestate": "a=1"}
    return {
        "binary": ({**binary, "content-type": "application/json", **trace}, DATA),
        "structured": ({"content-type": "application/cloudevents+json", **trace}, envelope),
        "batch": ({"content-type": "application/cloudevents-batch+json", **trace}, b"[ " + envelope + b" ]"),
    }


async def test_p1_each_mode_puts_the_same_bytes_onto_the_topic(settings: Settings):
    async with client_of(settings) as client:
        for path in ("/", "/cloudevents"):
            for headers, body in requests_of(ATTRIBUTES["id"]).values():
                response = await client.post(path, headers=headers, content=body)
                assert response.status_code == 202, response.text
                assert response.content == b""
    records = await records_on(settings)
    assert len(records) == 6
    expected = {f"ce_{name}": value.encode() for name, value in ATTRIBUTES.items()}
    expected |= {"content-type": b"application/json", "traceparent": TRACE.encode(), "tracestate": b"a=1"}
    for record in records:
        assert record.value == DATA
        assert dict(record.headers) == expected
        assert len(record.headers) == len(expected)
        assert record.key == (ATTRIBUTES["source"] + ATTRIBUTES["subject"]).encode()


async def test_events_of_one_subject_keep_their_order(settings: Settings):
    async with client_of(settings) as client:
        for number in range(30):
            headers = {**BINARY, "ce-id": str(number), "ce-subject": f"s{number % 3}"}
            await client.post("/", headers=headers, content=b"%d" % number)
    records = await records_on(settings)
    for subject in ("s0", "s1", "s2"):
        mine = [record for record in records if ("ce_subject", subject.encode()) in record.headers]
        assert len({record.partition for record in mine}) == 1
        assert [int(record.value) for record in mine] == sorted(int(record.value) for record in mine)
        assert {record.key for record in mine} == {b"/s" + subject.encode()}


async def test_b1_b15_an_event_at_the_cap_reaches_the_topic(settings: Settings):
    body = b'"' + b"x" * (settings.body_limit - 2) + b'"'
    long_headers = {f"ce-ext{number}": "v" * 8000 for number in range(3)}
    async with client_of(settings) as client:
        response = await client.post("/", headers={**BINARY, **long_headers}, content=body)
        assert response.status_code == 202, response.text
        assert_problem(await client.post("/", headers=BINARY, content=body + b" "), 413, "too-large")
    (record,) = await records_on(settings)
    assert record.value == body


async def test_a_batch_of_a_thousand(settings: Settings):
    batch = [
        {"specversion": "1.0", "id": str(n), "type": "t", "source": f"/s/{n % 20}", "data": n}
        for n in range(1000)
    ]
    headers = {"content-type": "application/cloudevents-batch+json"}
    async with client_of(settings) as client:
        assert (await client.post("/", headers=headers, content=json.dumps(batch))).status_code == 202
    assert sorted(int(record.value) for record in await records_on(settings)) == list(range(1000))


async def test_p10_a_batch_with_one_bad_event_leaves_nothing_on_the_topic(settings: Settings):
    good = {"specversion": "1.0", "id": "1", "type": "t", "source": "/s"}
    batch = [good] * 20 + [{**good, "time": "yesterday"}]
    headers = {"content-type": "application/cloudevents-batch+json"}
    async with client_of(settings) as client:
        response = await client.post("/", headers=headers, content=json.dumps(batch))
    assert assert_problem(response, 400, "invalid-event")["index"] == 20
    assert await records_on(settings) == []


async def test_the_same_event_fifty_times_at_once_is_accepted_each_time(settings: Settings):
    async with client_of(settings) as client:
        answers = await asyncio.gather(*(client.post("/", headers=BINARY, content=b"{}") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {202}
    assert len(await records_on(settings)) == 50


async def test_k4_a_missing_topic_is_said_and_not_made(infra: Infra, topics: Topics):
    settings = Settings(kafka=infra.kafka, topic_prefix=f"{topics.prefix}missing.", send_timeout=1)
    app = create_app(settings, KafkaPublisher(settings))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://i") as client,
    ):
        await asyncio.sleep(2)
        problem = assert_problem(await client.get("/readyz"), 503, "unavailable")
        assert settings.topics["cloudevents"] in problem["detail"]
        assert_problem(await client.post("/", headers=BINARY), 503, "unavailable")


async def test_k4_a_record_beyond_the_producers_limit(settings: Settings):
    publisher = KafkaPublisher(settings)
    await publisher.start()
    async with asyncio.timeout(30):
        while publisher.trouble() is not None:
            await asyncio.sleep(0.05)
    with pytest.raises(RecordTooLarge):
        await publisher.publish([Record(b"k", b"x" * settings.message_limit, [])])
    await publisher.publish([Record(b"k", b"x", [])])
    await publisher.stop()
    assert len(await records_on(settings)) == 1
