"""Programs broken on purpose, the ways in which such systems are usually broken: the checker must notice.

Each is Python that runs inside the process before the program starts.
"""

ACK_BEFORE_SEND = """
from streams import pipeline

async def drain(self, stage, stream, handle, most=None):
    async for batch in stream.batches(stage, most or self.settings.batch_size):
        batch.finish()
        await self.app.consumer.commit()
        self.app.progress.begin(stage)
        await self.guard.run(stage, batch.events, handle)
        self.app.progress.end(stage)

async def at_once():
    pass

async def drain_ahead(self, stage, stream, handle):
    await drain(self, stage, stream, lambda events: handle(events, at_once))

pipeline.Pipeline.drain = drain
pipeline.Pipeline.drain_ahead = drain_ahead
"""

ACKS_0 = """
import aiokafka

class Careless(aiokafka.AIOKafkaProducer):
    def __init__(self, **settings):
        super().__init__(**{**settings, "acks": 0, "enable_idempotence": False})

aiokafka.AIOKafkaProducer = Careless
"""

INCREMENT = """
import dataclasses
import uuid
from streams import tally

once = tally.Tally.place

def place(self, report):
    once(self, dataclasses.replace(report, deploy_id=str(uuid.uuid4())))

tally.Tally.place = place
"""

TALKATIVE = """
import os, sys
print(os.environ["DORA_POSTGRES"], file=sys.stderr)
"""
