"""What dashboards are made of: panels over PostgreSQL and Prometheus, as Grafana's JSON wants them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

POSTGRES = {"type": "grafana-postgresql-datasource", "uid": "dora-postgres"}
PROMETHEUS = {"type": "prometheus", "uid": "dora-prometheus"}
STATEMENTS = Path(__file__).parent / "statements"
COLUMNS = 24  # of Grafana's grid
SCHEMA_VERSION = 41

Panel = dict[str, Any]


def sql(name: str, *, over_time: bool = False) -> dict[str, Any]:
    """A query of PostgreSQL, a file of statements/; ``over_time`` when it has columns time, metric, value."""
    text = (STATEMENTS / f"{name}.sql").read_text(encoding="utf-8")
    form = "time_series" if over_time else "table"
    return {"datasource": POSTGRES, "format": form, "rawQuery": True, "rawSql": text.strip(), "refId": "A"}


def promql(expression: str, legend: str = "") -> dict[str, Any]:
    """A query of Prometheus."""
    return {"datasource": PROMETHEUS, "expr": expression, "legendFormat": legend, "refId": "A"}


def number(title: str, query: Mapping[str, Any], unit: str, about: str, width: int = 4) -> Panel:
    """One value, large."""
    return panel("stat", title, query, unit, about, width, height=5)


def curves(title: str, query: Mapping[str, Any], unit: str, about: str, width: int = 12) -> Panel:
    """Values over time."""
    return panel("timeseries", title, query, unit, about, width, height=8)


def table(title: str, query: Mapping[str, Any], about: str, width: int = COLUMNS) -> Panel:
    """Rows."""
    return panel("table", title, query, "none", about, width, height=10)


def panel(
    kind: str, title: str, query: Mapping[str, Any], unit: str, about: str, width: int, *, height: int
) -> Panel:
    """Any panel; where it stands is found by `dashboard`."""
    return {
        "type": kind,
        "title": title,
        "description": about,
        "datasource": query["datasource"],
        "targets": [dict(query)],
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "gridPos": {"w": width, "h": height},
    }


def choice(name: str, query: str) -> dict[str, Any]:
    """A variable whose values PostgreSQL knows; all of them at first."""
    return {
        "name": name,
        "type": "query",
        "datasource": POSTGRES,
        "query": query,
        "multi": True,
        "includeAll": True,
        "current": {"text": ["All"], "value": ["$__all"]},
        "refresh": 2,
    }


def dashboard(
    uid: str,
    title: str,
    panels: Iterable[Panel],
    variables: Iterable[Mapping[str, Any]] = (),
    since: str = "now-90d",
) -> dict[str, Any]:
    """A dashboard with its panels set from left to right, line by line."""
    return {
        "uid": uid,
        "title": title,
        "tags": ["dora"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "time": {"from": since, "to": "now"},
        "templating": {"list": list(variables)},
        "panels": list(placed(panels)),
    }


def placed(panels: Iterable[Panel]) -> Iterable[Panel]:
    """The panels with their places in the grid."""
    across = down = line = 0
    for number_, each in enumerate(panels, start=1):
        size = each["gridPos"]
        if across + size["w"] > COLUMNS:
            across, down, line = 0, down + line, 0
        yield {**each, "id": number_, "gridPos": {**size, "x": across, "y": down}}
        across, line = across + size["w"], max(line, size["h"])
