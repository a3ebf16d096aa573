"""A week of one service, as CDEvents that a producer posts: deployments, commits, failures, incidents."""

import json
from collections.abc import Iterable

import httpx

from schemas.cdevents.event import CDEvent
from tests.links.telling import deploy, fail, flat, incident, merge, push, roll_back

SERVICE = "shop"
# What each event tells, in hours after 2026-06-01 UTC.
STORY: list[CDEvent] = flat(
    [
        push(8, "c1", made=3),
        push(20, "c2", "c3", made=[10, 15]),
        push(50, "c4", made=26),
        push(98, "c5", made=97.5),
        merge(49, "17", opened=27, commit="c4", head="c4h"),
        deploy(12, "d1", "c1"),
        deploy(30, "d2", "c3"),
        deploy(56, "d3", "c4"),
        roll_back(58, "d4", to="d2"),
        deploy(100, "d5", "c5"),
        fail(110, "d6"),
        deploy(150, "d7", "c5"),
        incident(31, 34, "INC-1"),
        incident(101, 104, "INC-2"),
    ]
)


def envelope(event: CDEvent) -> dict[str, object]:
    """``event`` as a CloudEvent in JSON format."""
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "datacontenttype": "application/json",
        "data": event.document,
    }


async def post(ingress: str, events: Iterable[CDEvent], **headers: str) -> None:
    """POST ``events`` in batches, as one producer would."""
    told = [envelope(event) for event in events]
    headers = {"content-type": "application/cloudevents-batch+json", **headers}
    async with httpx.AsyncClient(base_url=ingress, timeout=30, headers=headers) as client:
        for start in range(0, len(told), 500):
            answer = await client.post("/cdevents", content=json.dumps(told[start : start + 500]))
            assert answer.status_code == 202, answer.text
