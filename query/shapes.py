"""Rows as they are answered."""

from base64 import b64encode
from typing import Any

import orjson

from query.database import Row
from query.paging import location


def deployment(row: Row) -> dict[str, Any]:
    """A row of ``deployments``."""
    told = dict(row)
    return told | {"event": event_path(told.pop("cd_source"), told.pop("cd_id"))}


def deadletter(row: Row) -> dict[str, Any]:
    """A row of ``deadletters`` without its bytes."""
    return dict(row) | {"url": f"/v1/deadletters/{row['deadletter_id']}"}


def whole_deadletter(row: Row) -> dict[str, Any]:
    """A row of ``deadletters`` with its bytes."""
    told = deadletter(row)
    told["headers"] = orjson.Fragment(told["headers"])
    for name in ("key", "value"):
        content = told.pop(name)
        told[f"{name}_base64"] = None if content is None else b64encode(content).decode()
        text, encoding = _readable(content)
        told[f"{name}_text"] = text if encoding == "text" else None
    return told


def event(row: Row) -> dict[str, Any]:
    """A row of ``cloudevents_raw`` without its data."""
    told = {
        name: row[name]
        for name in ("source", "id", "type", "subject", "received_at", "fate", "reason", "rule")
    }
    return told | {"time": row["event_timestamp"], "url": event_path(row["source"], row["id"])}


def whole_event(row: Row) -> dict[str, Any]:
    """A row of ``cloudevents_raw`` with its data: as text when it is UTF-8, else as base64."""
    body, encoding = _readable(row["body"])
    return event(row) | {
        "attributes": orjson.Fragment(row["attributes"]),
        "body": body,
        "body_encoding": encoding,
        "topic": row["topic"],
        "partition": row["topic_partition"],
        "offset": row["topic_offset"],
        "traceparent": row["traceparent"],
    }


def cdevent(row: Row) -> dict[str, Any]:
    """A row of ``cdevents_raw``."""
    return {
        "source": row["cd_source"],
        "id": row["cd_id"],
        "type": row["cd_type"],
        "timestamp": row["cd_timestamp"],
        "subject_id": row["cd_subject_id"],
        "subject_source": row["cd_subject_source"],
        "recorded_at": row["recorded_at"],
        "traceparent": row["traceparent"],
        "content": orjson.Fragment(row["content"]),
        "url": event_path(row["cd_source"], row["cd_id"]),
    }


def event_path(source: str, identity: str) -> str:
    """Where the API tells of an event."""
    return location("/v1/events", {"source": source, "id": identity})


def _readable(body: bytes | None) -> tuple[str | None, str | None]:
    if body is None:
        return None, None
    try:
        return body.decode("utf-8"), "text"
    except UnicodeDecodeError:
        return b64encode(body).decode(), "base64"
