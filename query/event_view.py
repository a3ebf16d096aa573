"""What the page of an event shows: the CloudEvent as it came, and each CDEvent that it became."""

from typing import Any

import orjson

from query.addresses import deployment_address, event_address, service_address
from query.paging import location

LONGEST_SHOWN = 64 * 1024  # characters of one document; the API has all of it

View = dict[str, Any]


def event_view(told: View) -> View:
    """The page of what ``lineage`` tells."""
    event = told["cloudevent"]
    return {
        **{name: told[name] for name in ("source", "id", "kind", "type", "fate", "reason", "deadletters")},
        "cloudevent": event and _cloudevent(event),
        "cdevents": [_cdevent(each) for each in told["cdevents"]],
        "api": location("/v1/events", {"source": told["source"], "id": told["id"]}),
    }


def _cloudevent(event: View) -> View:
    body = event["body"]
    is_text = event["body_encoding"] == "text"
    return {
        **event,
        "address": event_address(event["source"], event["id"]),
        "attributes": orjson.loads(orjson.dumps(event["attributes"])),
        "document": None if body is None else document(body.encode() if is_text else None, body),
    }


def _cdevent(event: View) -> View:
    raw = orjson.dumps(event["content"])
    return {
        **event,
        "address": event_address(event["source"], event["id"]),
        "document": document(raw, raw.decode()),
        "deployments": [
            {
                **each,
                "address": deployment_address(each["deploy_id"]),
                "of_service": service_address(each["service"]),
            }
            for each in event["deployments"]
        ],
    }


def document(raw: bytes | None, text: str) -> View:
    """JSON in lines, anything else as it is; cut, and how much of it was left out."""
    shown = text
    if raw is not None and len(raw) <= 4 * LONGEST_SHOWN:
        try:
            shown = orjson.dumps(orjson.loads(raw), option=orjson.OPT_INDENT_2).decode()
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            shown = text
    return {"text": shown[:LONGEST_SHOWN], "left_out": max(len(shown) - LONGEST_SHOWN, 0)}
