"""A bare loop of aiokafka: consume, transform, produce confirmed, commit after the confirmation."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.programs.work import EXPECTED, GROUP, KAFKA, SINK, SOURCE, Count, transform


async def run() -> None:
    """Until all expected records are done."""
    count = Count()
    consumer = AIOKafkaConsumer(
        SOURCE,
        bootstrap_servers=KAFKA,
        group_id=GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_records=1000,
    )
    producer = AIOKafkaProducer(  # with the worker's settings
        bootstrap_servers=KAFKA,
        acks="all",
        enable_idempotence=True,
        linger_ms=2,
        max_batch_size=256 * 1024,
        max_request_size=2**21,
    )
    async with consumer, producer:
        while count.done < EXPECTED:
            batches = await consumer.getmany(timeout_ms=1000, max_records=500)
            pending, number = [], 0
            for records in batches.values():
                count.begin()
                for record in records:
                    for key, value, headers in transform(record.headers, record.value, record.timestamp):
                        pending.append(await producer.send(SINK, value, key, headers=headers))
                number += len(records)
            await asyncio.gather(*pending)
            if number:
                await consumer.commit()
                count.add(number)


if __name__ == "__main__":
    asyncio.run(run())
