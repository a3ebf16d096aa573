"""The sizing table follows from saved figures, and the page says what they say."""

import re

import orjson
import pytest

from benchmarks import sizing
from benchmarks.report import RESULTS


def results(worker: float, ingress: float) -> dict:
    def figure(benchmark: str, name: str, median: float) -> dict:
        return {"benchmark": benchmark, "figure": name, "median": median}

    return {
        "at": "2026-11-23T16:00:00+00:00",
        "machine": {"cores": 2},
        "figures": [
            figure("ingress", "bare handler, one event a request", 9e9),
            figure("ingress", "one event a request", ingress),
            figure("backlog", "backlog of 1000000 events", worker),
        ],
    }


def test_a_part_has_twice_what_the_peak_takes_and_never_one_alone():
    table = sizing.sizes(results(worker=500, ingress=1500))
    assert table is not None
    assert [line for line in table.splitlines() if re.match(r"\| \d", line)] == [
        "| 50 | 2 | 2 | 8 |",
        "| 300 | 2 | 2 | 8 |",
        "| 1,000 | 2 | 4 | 8 |",
        "| 3,000 | 4 | 12 | 32 |",
    ]


@pytest.mark.parametrize("lacking", ["ingress", "backlog"])
def test_without_a_figure_there_is_no_table(lacking: str):
    found = results(1, 1)
    found["figures"] = [each for each in found["figures"] if each["benchmark"] != lacking]
    assert sizing.sizes(found) is None


def test_the_page_has_the_table_of_one_of_the_saved_results():
    saved = {sizing.sizes(orjson.loads(file.read_bytes())) for file in RESULTS.glob("20*.json")} - {None}
    if saved:
        assert sizing.told() in {str(table).strip() for table in saved}
    else:
        assert sizing.told()
