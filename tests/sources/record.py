"""Write what every recorded payload becomes to ``tests/sources/<source>/golden.json``, to be reviewed.

``python -m tests.sources.record [SOURCE...]``. What has changed is told; read it before you keep it: from
then on it is what must come out.
"""

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from tests.sources.payloads import claimants, event_of, fate_of, payloads, summary

ROOT = Path(__file__).parent

Golden = dict[str, dict[str, Any]]


@cache
def golden_of(source: str) -> Golden:
    """The golden file of ``source``; empty when there is none."""
    file = ROOT / source / "golden.json"
    return json.loads(file.read_text()) if file.exists() else {}


def summaries() -> dict[str, Golden]:
    """What every payload becomes, by source; a payload that cannot be sent yet is told of."""
    found: dict[str, Golden] = {}
    for payload in payloads():
        try:
            event = event_of(payload)
        except LookupError as error:
            print(error)
            continue
        for source in claimants(event):
            found.setdefault(source.name, {})[payload.path] = summary(fate_of(event, source))
    return found


def write(source: str, golden: Golden) -> None:
    """One payload a line, so that a change of one is a change of one line."""
    lines = (f"{json.dumps(path)}: {json.dumps(told, ensure_ascii=False)}" for path, told in golden.items())
    folder = ROOT / source
    folder.mkdir(exist_ok=True)
    (folder / "golden.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main(names: list[str]) -> None:
    """Record the sources of these names, or all."""
    for source, told in summaries().items():
        if names and source not in names:
            continue
        before = golden_of(source)
        changed = sorted(path for path in before.keys() | told.keys() if before.get(path) != told.get(path))
        write(source, told)
        print(f"{source}: {len(told)} payloads, {len(changed)} changed")
        for path in changed:
            print(f"  {path}")
            print(f"    - {json.dumps(before.get(path))}")
            print(f"    + {json.dumps(told.get(path))}")


if __name__ == "__main__":
    main(sys.argv[1:])
