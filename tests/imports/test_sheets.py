"""Files of rows as the backfill plays them."""

from pathlib import Path

from deploy.imports.options import plan_of
from deploy.imports.sheets import Sheet
from deploy.messages import Message

ROWS = "id,service,environment,time,resolved_at\n1,a,b,2025-01-01T00:00:00Z,2025-01-02T00:00:00Z\n1,a\n"


def test_each_request_knows_its_line_and_all_bytes_are_told(tmp_path: Path):
    file = tmp_path / "f.csv"
    file.write_text(ROWS)
    items = list(Sheet.of("f", file, plan_of("incident"), None, "utf-8").items())
    assert [item.origin for item in items] == ["f:2", "f:2", "f:3"]
    assert [isinstance(item, Message) for item in items] == [True, True, False]
    assert abs(sum(item.weight for item in items) - len(ROWS.split("\n", 1)[1])) <= 1


def test_a_sheet_is_known_by_what_it_says_and_how_it_is_read(tmp_path: Path):
    def digest(name: str, text: str, **options: str) -> str:
        (tmp_path / name).write_text(text)
        return Sheet.of(name, tmp_path / name, plan_of("incident", **options), None, "utf-8").digest

    first = digest("a", ROWS)
    assert digest("b", ROWS) == first
    assert digest("a", f"{ROWS}\n") != first
    assert digest("a", ROWS, timezone="Europe/Berlin") != first
