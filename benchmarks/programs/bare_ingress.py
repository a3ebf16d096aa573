"""A bare handler of FastAPI that publishes what it gets, with the guarantee of the ingress and nothing else.

202 when Kafka has confirmed with ``acks=all`` from an idempotent producer. It checks nothing and limits
nothing. A JSON array is published item by item, as the ingress does with a batch.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import uvicorn
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response

TOPIC = os.environ["TOPIC"]
BATCH = "application/cloudevents-batch+json"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One producer, with the ingress's settings."""
    async with AIOKafkaProducer(
        bootstrap_servers=os.environ["KAFKA"],
        acks="all",
        enable_idempotence=True,
        linger_ms=2,
        max_batch_size=512 * 1024,
        max_request_size=1024 * 1024,
    ) as producer:
        app.state.producer = producer
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/")
async def receive(request: Request) -> Response:
    """Publish the body, confirmed."""
    body = await request.body()
    send = request.app.state.producer.send
    if request.headers["content-type"].startswith(BATCH):
        pending = [
            await send(TOPIC, orjson.dumps(event), event["id"].encode()) for event in orjson.loads(body)
        ]
    else:
        headers = [
            (name.replace("ce-", "ce_"), value.encode())
            for name, value in request.headers.items()
            if name.startswith("ce-")
        ]
        pending = [await send(TOPIC, body, request.headers["ce-id"].encode(), headers=headers)]
    await asyncio.gather(*pending)
    return Response(status_code=202)


def main() -> None:
    """Serve on a free port, which is written to ``PORT_FILE``."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        Path(os.environ["PORT_FILE"]).write_text(str(listener.getsockname()[1]))
        config = uvicorn.Config(app, loop="uvloop", http="httptools", log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
