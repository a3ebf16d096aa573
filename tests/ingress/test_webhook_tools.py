"""GitLab, Argo CD and Harbor at their addresses: what is taken, what is refused, what goes on to Kafka."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from ingress.providers import Webhook, find_providers
from ingress.secrets import FixedSecrets
from schemas.cloudevents.kafka import read_record
from tests.ingress.recording import Ingress, assert_problem, running


class Tool(NamedTuple):
    """A tool, the header that it sends its secret in, and a body of the kind that it sends."""

    name: str
    header: str
    prefix: str
    body: bytes
    type: str

    def headers(self, secret: str) -> dict[str, str]:
        return {"content-type": "application/json", self.header: self.prefix + secret}


TOOLS = [
    Tool(
        "gitlab",
        "x-gitlab-token",
        "",
        b'{"object_kind": "deployment", "status": "success", "deployment_id": 15}',
        "com.gitlab.deployment.success",
    ),
    Tool(
        "argocd",
        "authorization",
        "Bearer ",
        b'{"app": {"metadata": {"name": "checkout"}}}',
        "io.argoproj.application",
    ),
    Tool(
        "harbor",
        "authorization",
        "Bearer ",
        b'{"type": "PUSH_ARTIFACT", "occur_at": 1680501893, "event_data": {}}',
        "harbor.artifact.pushed",
    ),
]


@pytest.fixture
async def ingress() -> AsyncIterator[Ingress]:
    known = find_providers()
    hooks = {
        tool.name: Webhook(known[tool.name], FixedSecrets([f"{tool.name}-old".encode(), tool.name.encode()]))
        for tool in TOOLS
    }
    async with running(hooks=hooks) as ingress:
        yield ingress
        ingress.assert_all_counted()


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
async def test_a_delivery_is_published_as_it_was_sent_and_a_redelivery_is_the_same(
    ingress: Ingress, tool: Tool
):
    for secret in (tool.name, f"{tool.name}-old"):
        sent = await ingress.client.post(
            f"/webhooks/{tool.name}", content=tool.body, headers=tool.headers(secret)
        )
        assert (sent.status_code, sent.content) == (202, b"")
    first, again = (read_record(record.headers, record.value) for record in ingress.publisher.records)
    assert (first.type, first.body) == (tool.type, tool.body)
    assert (first.source, first.id) == (again.source, again.id)
    names = {name for record in ingress.publisher.records for name, _ in record.headers}
    assert {name for name in names if not name.startswith("ce_")} == {"content-type"}


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
async def test_a10_a_secret_opens_its_own_tool_only(ingress: Ingress, tool: Tool):
    others = [each.name for each in TOOLS if each is not tool]
    for secret in ("", " ", "another", *others):
        answer = await ingress.client.post(
            f"/webhooks/{tool.name}", content=tool.body, headers=tool.headers(secret)
        )
        assert_problem(answer, 401, "unauthenticated")
    assert not ingress.publisher.records


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b"7"])
async def test_what_is_no_delivery_is_told_so_when_it_is_authentic(ingress: Ingress, tool: Tool, body: bytes):
    headers = tool.headers(tool.name)
    answer = await ingress.client.post(f"/webhooks/{tool.name}", content=body, headers=headers)
    assert_problem(answer, 400, "invalid-event")


async def test_gitlab_is_not_refused_for_an_event_that_nobody_knows(ingress: Ingress):
    """It switches off hooks that are."""
    body = b'{"object_kind": "of tomorrow", "event_name": "never_heard_of"}'
    answer = await ingress.client.post("/webhooks/gitlab", content=body, headers=TOOLS[0].headers("gitlab"))
    assert answer.status_code == 202
    (record,) = ingress.publisher.records
    assert read_record(record.headers, record.value).type == "com.gitlab.never_heard_of"


async def test_harbors_own_cloudevents_go_on_as_they_are(ingress: Ingress):
    body = b'{"specversion":"1.0","id":"1","source":"/projects/1","type":"harbor.artifact.pushed","data":{}}'
    headers = TOOLS[2].headers("harbor") | {"content-type": "application/cloudevents+json"}
    answer = await ingress.client.post("/webhooks/harbor", content=body, headers=headers)
    assert answer.status_code == 202
    (record,) = ingress.publisher.records
    event = read_record(record.headers, record.value)
    assert (event.source, event.id, event.type) == ("/projects/1", "1", "harbor.artifact.pushed")
