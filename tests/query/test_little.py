"""Nothing at all, one deployment, no failures: numbers and nulls, and never a division by zero."""

import json

import pytest

from schemas.catalog import Catalog
from streams.sinks.database import Database
from tests.links.telling import deploy, push
from tests.query.test_linked_metrics import tell
from tests.query.test_scope import METRICS, WINDOW

pytestmark = pytest.mark.connected

# Of each metric: its value without any event, with one deployment, and with one that is linked to its commit.
EXPECTED = {
    "deployment-frequency": (0, 1 / 14, 1 / 14),
    "change-lead-time": (None, None, 11 * 3600),
    "change-failure-rate": (None, 0, 0),
    "failed-deployment-recovery-time": (None, None, None),
    "deployment-rework-rate": (None, 0, 0),
    "time-to-restore": (None, None, None),
    "merge-to-deploy": (None, None, None),
}


@pytest.fixture
def catalog() -> Catalog:
    return Catalog.parse("production: [production]")


@pytest.fixture
async def sink(database):
    found = Database(f"{database}?synchronous_commit=off", 1)
    yield found
    await found.close()


def strict(text: str):
    """JSON without NaN and infinities."""

    def refused(name: str):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refused)


async def values(api, bucket: str) -> dict[str, float | None]:
    found = {}
    for name in METRICS:
        answer = await api.get(f"/v1/metrics/{name}?{WINDOW}&bucket={bucket}")
        assert answer.status_code == 200
        told = strict(answer.text)
        found[name] = told["value"]
        assert sum(point["sample_count"] for point in told["points"]) == told["sample_count"]
        assert (told["value"] in (None, 0)) or told["sample_count"] > 0, told
        for point in told["points"]:
            assert point["value"] is None or point["value"] >= 0
            assert point["sample_count"] or point["value"] in (None, 0)
        assert 0 <= told["coverage"]["linked"] <= told["coverage"]["total"]
    return found


@pytest.mark.parametrize("bucket", ["day", "week", "month", "quarter", "year"])
async def test_q7_nothing_one_deployment_and_no_failures(api, tables, sink, bucket):
    steps = [(), (deploy(12, "d1", "c1"),), (push(2, "c1", made=1),)]
    for step, events in enumerate(steps):
        await tell(sink, *events)
        await tables.connection.execute("TRUNCATE deployment_frequency")
        await tables.keep_frequency()
        expected = {name: each[step] for name, each in EXPECTED.items()}
        assert await values(api, bucket) == pytest.approx(expected, nan_ok=False)


@pytest.mark.parametrize("path", ["services", "deployments", "changes", "incidents", "events", "deadletters"])
async def test_q7_an_empty_list_is_a_page_without_items(api, path):
    assert strict((await api.get(f"/v1/{path}")).text) == {"items": [], "next": None}
