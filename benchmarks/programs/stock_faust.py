"""Faust as its documentation has it: ``async for event in stream.events()`` and ``await topic.send``.

So it guarantees less than the rest: sends are not confirmed before the event is acknowledged. With
``CONFIRMED`` set it awaits what ``send`` returns, too, and guarantees the same.
"""

import os
import sys

import faust

from benchmarks.programs.work import GROUP, KAFKA, SINK, SOURCE, Count, transform

CONFIRMED = "CONFIRMED" in os.environ

app = faust.App(
    GROUP,
    broker=f"kafka://{KAFKA}",
    web_enabled=False,
    topic_disable_leader=True,
    topic_allow_declare=False,
    datadir=os.environ["STATE"],
    consumer_auto_offset_reset="earliest",
    producer_acks=-1,
    producer_linger=0.002,
    producer_max_request_size=2**21,
)
source = app.topic(SOURCE, key_serializer="raw", value_serializer="raw")
sink = app.topic(SINK, key_serializer="raw", value_serializer="raw")
count = Count()


@app.agent(source)
async def work(stream: faust.Stream) -> None:
    """One event after the other."""
    async for event in stream.events():
        count.begin()
        message = event.message
        for key, value, headers in transform(message.headers, message.value, message.timestamp * 1000):
            sent = await sink.send(key=key, value=value, headers=headers)
            if CONFIRMED:
                await sent
        if count.add(1):
            os._exit(0)  # what it did not commit is not part of what is measured


if __name__ == "__main__":
    sys.argv = ["faust", "worker", "-l", "warn", "--without-web"]
    app.main()
