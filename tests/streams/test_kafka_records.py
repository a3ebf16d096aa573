"""Record batches that aiokafka alone would stop at."""

from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from schemas.topics import Topics
from streams.kafka_records import Records
from tests.infra.production import count, eventually, fetch
from tests.infra.servers import Infra
from tests.infra.workers import Worker
from tests.streams.test_pipeline import deployed


class RawName(str):
    """A header name that is written as bytes which are no text."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe-name"


def builder() -> Any:
    return _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 1_000_000)


def content() -> bytes:
    """Three records; the one in the middle has a header name that is not UTF-8."""
    batch = builder()
    _, body, headers = deployed(1)
    batch.append(0, 0, b"k1", body, headers)
    batch.append(1, 0, b"k2", b"foreign", [(RawName("x"), b"\x00value"), ("plain", None)])
    _, body, headers = deployed(2)
    batch.append(2, 0, None, body, headers)
    return bytes(batch.build())


def test_every_record_of_such_a_batch_is_read() -> None:
    records = Records(content())
    batch = records.next_batch()
    assert batch.validate_crc()
    read = list(batch)
    assert [record.offset for record in read] == [0, 1, 2]
    assert read[1].headers == [("\\xff\\xfe-name", b"\x00value"), ("plain", None)]
    assert (read[1].key, read[1].value, type(read[1].value)) == (b"k2", b"foreign", bytes)
    assert read[0].headers == deployed(1)[2]
    assert records.next_batch() is None


@pytest.mark.connected
async def test_a_worker_reads_on(infra: Infra, topics: Topics, database: str, tmp_path: Path) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=infra.kafka)
    await producer.start()
    batch = producer.create_batch()
    batch._builder = builder()
    for record in (deployed(1), (b"k", b"foreign", [(RawName("x"), b"")]), deployed(2)):
        key, value, headers = record
        batch.append(key=key, value=value, timestamp=1, headers=headers)
    await (await producer.send_batch(batch, topics["cloudevents"], partition=0))
    await producer.stop()
    with Worker(infra.kafka, topics, database, tmp_path) as worker:
        await worker.ready()

        async def settled() -> bool:
            return await count(database, "deployments") == 2 and await count(database, "deadletters") == 1

        await eventually(settled, what=worker.log())
    (letter,) = await fetch(database, "SELECT value, reason FROM deadletters")
    assert letter["value"] == b"foreign"
