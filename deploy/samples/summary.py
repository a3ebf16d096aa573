"""The metrics as a table in the terminal, read from the REST API as anybody would."""

from typing import Any

import httpx
from rich.table import Table

BARS = "▁▂▃▄▅▆▇█"


def read_metrics(query: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each service as ``/v1/services`` lists it, with its deployment frequency per week."""
    with httpx.Client(base_url=query, timeout=15, trust_env=False) as client:
        services = client.get("/v1/services").raise_for_status().json()["items"]
        names = sorted({service["service"]: service for service in services}.items())
        return [(service, frequency(client, name)) for name, service in names]


def frequency(client: httpx.Client, service: str) -> dict[str, Any]:
    """The answer of the metric for one service over its default period."""
    answer = client.get("/v1/metrics/deployment-frequency", params={"service": service, "bucket": "week"})
    told: dict[str, Any] = answer.raise_for_status().json()
    return told


def draw(metrics: list[tuple[dict[str, Any], dict[str, Any]]]) -> Table:
    """The table: a line for each service, and a bar for each week."""
    first = metrics[0][1] if metrics else {"from": "", "to": "", "environments": []}
    where = ", ".join(first["environments"]) or "all environments"
    table = Table(title=f"Deployment frequency, {where}, {first['from'][:10]} to {first['to'][:10]}")
    for heading in ("service", "team"):
        table.add_column(heading)
    table.add_column("deployments", justify="right")
    table.add_column("a day", justify="right")
    table.add_column("class")
    table.add_column("by week")
    for service, told in metrics:
        values = [point["sample_count"] for point in told["points"]]
        table.add_row(
            service["service"],
            service.get("team") or "",
            str(told["sample_count"]),
            f"{told['value'] or 0:.2f}",
            told["class"] or "",
            spark(values),
        )
    return table


def spark(values: list[int]) -> str:
    """A bar for each value, as high as it is beside the largest."""
    top = max(values, default=0)
    return "".join(BARS[round(value / top * (len(BARS) - 1))] if top else BARS[0] for value in values)
