"""docs/operating.md: what exists is in it, and what is in it exists."""

import ast
import re
from typing import Any

from pydantic import SecretStr
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

import ingress.settings
import query.settings
import streams.settings
from deploy.cli import available
from deploy.migrations import LEDGER, shipped
from query.observation import Measures
from schemas.topics import DAY_MS, Topic, Topics
from streams.telemetry import Telemetry
from tests.docs.pages import DOCS, ROOT, first_cells, quoted, rows, section

PAGE = (DOCS / "operating.md").read_text()
PROGRAMS: dict[str, type[BaseSettings]] = {
    "ingress": ingress.settings.Settings,
    "worker": streams.settings.Settings,
    "query": query.settings.Settings,
}
CREATED = re.compile(r"^CREATE TABLE (?:IF NOT EXISTS )?([a-z_]+) \(", re.MULTILINE)
VARIABLE = "DORA_[A-Z]+(?:_[A-Z]+)*"


def shown(default: Any) -> str:
    """A default as the table writes it."""
    if default is PydanticUndefined:
        return "required"
    text = default.get_secret_value() if isinstance(default, SecretStr) else default
    if text in (None, ""):
        return "unset"
    return f"`{text:g}`" if isinstance(text, float) else f"`{text}`"


def settings() -> dict[str, dict[str, str]]:
    """Every setting: program → default."""
    found: dict[str, dict[str, str]] = {}
    for program, kind in PROGRAMS.items():
        for name, field in kind.model_fields.items():
            found.setdefault(f"DORA_{name.upper()}", {})[program] = shown(field.default)
    return found


def test_every_setting_is_there_with_its_defaults():
    text = section(PAGE, "Settings")
    told = {
        cells[0].strip("`"): {
            program: cell for program, cell in zip(PROGRAMS, cells[1:4], strict=True) if cell
        }
        for cells in rows(text)
        if len(cells) == 5 and cells[0].startswith("`DORA_")
    }
    alone = {name for name, defaults in settings().items() if defaults.keys() == {"ingress"}}
    assert told == {name: defaults for name, defaults in settings().items() if name not in alone}
    (elsewhere,) = re.findall(r"^The ingress alone has these.*?^$", text, re.MULTILINE | re.DOTALL)
    assert quoted([elsewhere], VARIABLE) == alone


def test_every_variable_of_the_command_is_there():
    files = [ROOT / "dora", *(ROOT / "deploy").rglob("*.py")]
    used = {name for file in files for name in re.findall(rf"\b{VARIABLE}", file.read_text())}
    told = quoted(first_cells(section(PAGE, "Settings")), VARIABLE)
    assert used - told == set()
    assert told - used - settings().keys() == set()


def test_every_command_is_there():
    told = quoted(first_cells(section(PAGE, "Commands")), "dora [a-z-]+")
    assert told == {f"dora {name}" for name in available()}


def kept(topic: Topic) -> str:
    """How long a topic keeps its records, in the words of the table."""
    if topic.retention_ms is None:
        return "compacted"
    days = topic.retention_ms // DAY_MS
    return f"{days} day" if days == 1 else f"{days} days"


def test_every_topic_is_there_with_its_retention():
    told = {
        name.replace("-gN", "-g1"): cells[1]
        for cells in rows(section(PAGE, "Topics"))
        for name in quoted(cells[:1], "[^`]+")
    }
    assert told == {topic.name: kept(topic) for topic in Topics().all(1)}


def test_every_table_is_there():
    statements = [LEDGER.strip(), *(migration.sql for migration in shipped())]
    made = {name for statement in statements for name in CREATED.findall(statement)}
    assert quoted(first_cells(section(PAGE, "Tables")), "[a-z_]+") == made


def test_every_metric_of_worker_and_query_is_there():
    families = [*Telemetry().registry.collect(), *Measures().registry.collect()]
    exist = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    told = quoted(first_cells(section(PAGE, "Metrics")), "dora_[^`]+")
    assert {name.partition("{")[0] for name in told} == exist


def logged() -> set[str]:
    """The names of the log events of worker and query, as they stand in calls of the code."""
    found = set()
    for file in [*(ROOT / "streams").rglob("*.py"), *(ROOT / "query").rglob("*.py")]:
        for call in (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)):
            position = {"log.info": 0, "log.warning": 0, "log.error": 0, "exit_now": 1}.get(
                ast.unparse(call.func)
            )
            if position is not None and isinstance(event := call.args[position], ast.Constant):
                found.add(event.value)
    return found


def test_every_log_event_is_there():
    assert quoted(first_cells(section(PAGE, "Logs")), "[a-z_.]+") == logged()
