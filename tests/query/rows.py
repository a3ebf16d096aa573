"""Rows for the tables, by SQL, so that the query room is tested without the rooms before it."""

import hashlib
import json
from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import asyncpg

from schemas.calendar import bucket_of

BUCKETS = ("day", "week", "month", "year")


class Tables:
    """Fills the tables. ``keep_frequency`` does what the stream's windowed tables do, by plain counting."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self._serial = 0

    async def set_zone(self, zone: str) -> None:
        await self.connection.execute("UPDATE generations SET timezone = $1 WHERE state = 'active'", zone)

    async def deployment(
        self, service: str, at: str | datetime, environment: str = "production", **columns
    ) -> dict:
        self._serial += 1
        at = datetime.fromisoformat(at) if isinstance(at, str) else at
        row = {
            "deploy_id": f"d{self._serial:04}",
            "time_created": at,
            "deploy_name": service,
            "service": service,
            "environment": environment,
            "channel": "kubernetes",
            "kind": "deployed",
            "outcome": "success",
            "counted": True,
            "counted_reason": "deployed",
            "decided_at": at,
            "cd_source": "/cluster",
            "cd_id": f"c{self._serial:04}",
        } | columns
        await self._insert("deployments", row)
        return row

    async def frequency(
        self, service, bucket, start, deployments, *, days=1, environment="production"
    ) -> None:
        at = datetime.fromisoformat(start) if isinstance(start, str) else start
        await self._insert(
            "deployment_frequency",
            {
                "service": service,
                "environment": environment,
                "bucket": bucket,
                "bucket_start": at,
                "deployments": deployments,
                "deployment_days": days,
            },
        )

    async def keep_frequency(self, zone: str = "UTC") -> None:
        """Fill ``deployment_frequency`` from the counted deployments, in ``zone``."""
        found = await self.connection.fetch(
            "SELECT service, environment, time_created FROM deployments WHERE counted"
        )
        numbers: Counter = Counter()
        days: dict = {}
        for service, environment, at in found:
            day, _ = bucket_of(at, "day", ZoneInfo(zone))
            for bucket in BUCKETS:
                start, _ = bucket_of(at, bucket, ZoneInfo(zone))
                key = (service, environment, bucket, start.astimezone(UTC))
                numbers[key] += 1
                days.setdefault(key, set()).add(day)
        await self.connection.executemany(
            "INSERT INTO deployment_frequency VALUES ($1, $2, $3, $4, $5, $6)",
            [(*key, number, len(days[key])) for key, number in numbers.items()],
        )

    async def event(self, identity: str, body: bytes | None = b"{}", **columns) -> dict:
        self._serial += 1
        at = datetime(2026, 7, 1, 10, 0, self._serial % 60, tzinfo=UTC)
        row = {
            "event_timestamp": at,
            "source": "/cluster",
            "id": identity,
            "type": "dev.knative.apiserver.resource.update",
            "attributes": json.dumps({"specversion": "1.0", "source": "/cluster", "id": identity}),
            "body": body,
            "digest": hashlib.sha256(body or b"").digest(),
            "received_at": at,
            "fate": "mapped",
            "topic": "cloudevents",
            "topic_partition": 3,
            "topic_offset": self._serial,
        } | columns
        await self._insert("cloudevents_raw", row)
        return row

    async def cdevent(self, identity: str, cause: str, document: dict | None = None, **columns) -> dict:
        row = {
            "cd_source": "/cluster",
            "cd_id": identity,
            "cd_timestamp": datetime(2026, 7, 1, 10, tzinfo=UTC),
            "cd_type": "dev.cdevents.service.deployed.0.3.0",
            "cd_subject_id": "shop",
            "content": json.dumps(document if document is not None else {"context": {"id": identity}}),
            "cause_source": "/cluster",
            "cause_id": cause,
        } | columns
        await self._insert("cdevents_raw", row)
        return row

    async def deadletter(self, **columns) -> dict:
        self._serial += 1
        row = {
            "stage": "read",
            "reason": "no attribute 'id'",
            "attempts": 1,
            "headers": json.dumps([["content-type", "dGV4dC9wbGFpbg=="], ["empty", None]]),
            "value": b"\xff\x00garbage",
            "origin_topic": "cloudevents",
            "origin_partition": 0,
            "origin_offset": self._serial,
            "failed_at": datetime(2026, 7, 1, tzinfo=UTC),
            "identity": self._serial.to_bytes(32, "big"),
        } | columns
        await self._insert("deadletters", row)
        return row

    async def _insert(self, table: str, row: dict) -> None:
        names = ", ".join(row)
        places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
        await self.connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", *row.values())  # noqa: S608
