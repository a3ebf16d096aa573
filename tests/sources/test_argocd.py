"""Argo CD: what a peer makes of the same Applications, and what holds in whatever order they are told of."""

import itertools
import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from ingress.webhooks.argocd import provider
from ingress.webhooks.provider import WebhookRequest
from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent
from schemas.cloudevents.event import CloudEvent
from schemas.instant import parse_instant
from streams.facts.deployments import deployment_of, merge_all
from streams.outcome import Observed
from streams.router import Fate, settle
from streams.transformers import kubernetes
from streams.transformers.argocd import source
from tests.sources.evidence import Case, cases
from tests.sources.payloads import fate_of

PEER = Path(__file__).parents[1] / "fixtures" / "cdviz" / "argocd_notifications"

# What cdviz says of each Application that it maps, and what we say, in short; a difference has its reason.
ONE_FOR_ALL = "one event for the application; the peer has one more for each image that ever ran in it"
NEVER_SYNCED = "Unknown because the project forbids the repository: nothing was deployed that could fail"
NOTES: dict[str, tuple[list[str], str]] = {
    "captured__000_cli_template": ([], NEVER_SYNCED),
    "captured__002": (["service.deployed"], ONE_FOR_ALL),
    "captured__003": ([], NEVER_SYNCED),
    "captured__006": ([], "no sync is told of; the peer calls it deployed at the time of sending"),
    "captured__012_sync_podinfo_2_2": (
        ["dora-deployment.failed", "incident.detected"],
        "Degraded ten minutes after its sync; the peer looks at the health only when there was no sync",
    ),
    "captured__015_sync_podinfo_3_2": (
        ["incident.detected"],
        "still Degraded while the next sync runs; to a worker that saw it before, it is no news",
    ),
    "captured__017_sync_podinfo_3_4": (["service.deployed"], ONE_FOR_ALL),
    "captured__022_remove_podinfo_2_1": (["service.removed"], ONE_FOR_ALL),
}  # fmt: skip
PAIRS = sorted(PEER.iterdir())


def notified(body: bytes) -> CloudEvent:
    return provider.translate(WebhookRequest({}, body, 1_767_225_600.0))


def named(cdevent: CDEvent) -> str:
    return ".".join(cdevent.type.split(".")[2:4])


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_a_peer_agrees_or_the_difference_has_its_reason(pair: Path):
    ours = fate_of(notified((pair / "input.json").read_bytes()), source).cdevents
    theirs = json.loads((pair / "case.json").read_text())["summary"]
    told = [named(each) for each in ours]
    if pair.name in NOTES:
        assert told == NOTES[pair.name][0], NOTES[pair.name][1]
        assert told != [each["event"] for each in theirs]
        theirs = theirs[:1]
    else:
        assert told == [each["event"] for each in theirs]
    for our, their in zip(ours, theirs, strict=False):
        assert parse_instant(our.timestamp) == parse_instant(their["timestamp"])
        name = their["subject_id"].split("/")[2]
        assert our.subject_id == name, "the peer puts the namespace of Argo CD before the name"
        assert their["content"]["environment"]["id"] == "https://kubernetes.default.svc", (
            "the peer's environment is the cluster, under an address that all have; ours is the namespace"
        )


@pytest.mark.parametrize("name", sorted(NOTES))
def test_the_notes_are_about_pairs(name: str):
    assert (PEER / name).is_dir()


def play(events: list[CloudEvent]) -> tuple[list[Fate], Any]:
    """The fates of events that are told in this order, and what is remembered in the end."""
    state, fates = None, []
    for event in events:
        outcome = source.transform(event, Catalog.empty())
        if isinstance(outcome, Observed):
            facts = orjson.loads(orjson.dumps(outcome.facts))
            state, outcome = source.fold(state, Observed(outcome.key, facts), Catalog.empty())
            state = orjson.loads(orjson.dumps(state))
        fates.append(settle(outcome, rule="argocd", event=event))
    return fates, state


def deployments(fates: list[Fate]) -> dict[str, tuple[str, bool]]:
    """What the table of deployments says in the end."""
    told = (deployment_of(each, Catalog.empty()) for fate in fates for each in fate.cdevents)
    merged = merge_all(each for each in told if each is not None)
    return {key: (each.kind, each.counted) for key, each in merged.items()}


def incidents(fates: list[Fate]) -> dict[str, tuple[str, str | None]]:
    """When each incident began, and when it ended."""
    found: dict[str, dict[str, str]] = {}
    for cdevent in (each for fate in fates for each in fate.cdevents if named(each).startswith("incident.")):
        found.setdefault(cdevent.subject_id, {})[named(cdevent)] = cdevent.timestamp
    return {key: (times["incident.detected"], times.get("incident.resolved")) for key, times in found.items()}


TOLD_REPEATEDLY: list[Case] = [
    case for case in cases() if case.source == "argocd" and (case.folder / "requests.jsonl").exists()
]


@pytest.mark.parametrize("case", TOLD_REPEATEDLY, ids=str)
def test_neither_order_nor_repetition_changes_what_counts(case: Case):
    events = list(case.events())
    fates, _ = play(events)
    for order in itertools.permutations(events):
        for told in (list(order), [each for one in order for each in (one, one)]):
            others, _ = play(told)
            assert deployments(others) == deployments(fates)
            assert incidents(others) == incidents(fates)


def test_one_application_over_its_whole_recorded_life():
    """Synced, Degraded, synced again with other values, a newer chart, and removed: the peer's recording."""
    of_one = [json.loads((pair / "input.json").read_bytes()) for pair in PAIRS]
    uid = "648b3973-e90b-4496-84c0-febef8536eec"
    bodies = [orjson.dumps(each) for each in of_one if each["app"]["metadata"]["uid"] == uid]
    fates, state = play([notified(body) for body in bodies])
    assert sorted(deployments(fates).values()) == [("deployed", True), ("failed", False)]
    ((began, ended),) = incidents(fates).values()
    assert (began, ended) == ("2025-10-02T16:31:04Z", "2025-10-02T16:53:25Z")
    assert len(orjson.dumps(state)) < 2000


def test_a_health_that_flaps_for_ever_is_forgotten_in_the_end():
    body = (TOLD_REPEATEDLY[0].folder / "requests.jsonl").read_text().splitlines()[0]
    told = json.loads(json.loads(body)["body"])
    events = []
    for minute in range(200):
        told["app"]["status"]["health"] = {
            "status": ("Healthy", "Degraded")[minute % 2],
            "lastTransitionTime": f"2026-04-01T{minute // 60:02}:{minute % 60:02}:00Z",
        }
        events.append(notified(orjson.dumps(told)))
    fates, state = play(events)
    assert len(incidents(fates)) == 100
    assert len(orjson.dumps(state)) < 10_000


def test_the_same_application_over_an_api_server_source_is_the_same_deployment():
    body = (PEER / "captured__008_sync_podinfo_1_2" / "input.json").read_bytes()
    (ours,) = fate_of(notified(body), source).cdevents
    attributes = {
        "specversion": "1.0",
        "id": "1",
        "source": "https://10.96.0.1:443",
        "type": "dev.knative.apiserver.resource.update",
        "time": "2026-01-01T00:00:00Z",
    }
    watched = CloudEvent(attributes, orjson.dumps(orjson.loads(body)["app"]))
    (theirs,) = fate_of(watched, kubernetes.source).cdevents
    assert (ours.dora, ours.source, ours.timestamp) == (theirs.dora, theirs.source, theirs.timestamp)


SYNC = "2026-03-02T09:05:29Z"
A, B = "a" * 40, "b" * 40


def synced(*history: Any, **status: Any) -> dict[str, Any]:
    """An Application whose history is of these revisions, the last of which was synced just now."""
    entries = [{"revision": each, "deployedAt": f"2026-03-01T09:00:0{n}Z"} for n, each in enumerate(history)]
    state = {"phase": "Succeeded", "finishedAt": SYNC, "syncResult": {"revision": history[-1]}}
    health = {"status": "Healthy", "lastTransitionTime": SYNC}
    return {
        "metadata": {"name": "shop", "namespace": "argocd", "uid": "u1"},
        "spec": {
            "destination": {"namespace": "live"},
            "source": {"repoURL": "https://github.com/acme/deploy"},
        },
        "status": {"health": health, "operationState": state, "history": entries, **status},
    }


def told_of(application: dict[str, Any], catalog: str = "") -> list[CDEvent]:
    known = Catalog.parse(catalog)
    return list(fate_of(notified(orjson.dumps(application)), source, known).cdevents)


@pytest.mark.parametrize(
    ("history", "kind"),
    [
        ([A], "deployed"),
        ([A, B], "deployed"),
        ([A, B, A], "rolledback"),
        ([A, B, A, A], "rolledback"),
        ([A, A], "deployed"),
    ],
)
def test_a_revision_that_was_there_before_another_is_a_rollback(history: list[str], kind: str):
    (deployed,) = told_of(synced(*history))
    assert named(deployed) == f"service.{kind}"
    assert deployed.dora["commit"] == history[-1]
    assert deployed.dora["artifact"] == f"pkg:github/acme/deploy@{history[-1]}"


def test_a_sync_that_repeats_the_one_before_is_the_same_deployment():
    (first,), (again,), (other,) = told_of(synced(B, A)), told_of(synced(B, A, A)), told_of(synced(A, B, A))
    assert first.dora["deploy_id"] == again.dora["deploy_id"] != other.dora["deploy_id"]


@pytest.mark.parametrize(
    ("repository", "artifact"),
    [
        ("ghcr.io/acme/charts", "pkg:oci/shop?repository_url=ghcr.io/acme/charts/shop&tag=1.2.0"),
        ("oci://ghcr.io/acme/charts/", "pkg:oci/shop?repository_url=ghcr.io/acme/charts/shop&tag=1.2.0"),
        ("https://charts.example.com", "pkg:helm/shop@1.2.0?repository_url=https://charts.example.com"),
    ],
)
def test_a_chart_with_the_repository_of_its_values(repository: str, artifact: str):
    application = synced(A)
    application["spec"] = {
        "destination": {"namespace": "live"},
        "sources": [
            {"chart": "shop", "repoURL": repository},
            {"repoURL": "git@github.com:acme/values.git", "ref": "values"},
        ],
    }
    application["status"]["operationState"]["syncResult"] = {"revision": "", "revisions": ["1.2.0", B]}
    (deployed,) = told_of(application)
    facts = (deployed.dora["artifact"], deployed.dora["repository"], deployed.dora["commit"])
    assert facts == (artifact, "acme/values", B)


@pytest.mark.parametrize(
    ("images", "artifact", "listed"),
    [
        (["acme/shop:1.2"], "pkg:oci/shop?repository_url=docker.io/acme/shop&tag=1.2", None),
        (["acme/shop:1.2", "acme/shop:1.2"], "pkg:oci/shop?repository_url=docker.io/acme/shop&tag=1.2", None),
        (["acme/shop:1.2", "nginx"], f"pkg:github/acme/deploy@{A}", 2),
        (["not an image", 7, None], f"pkg:github/acme/deploy@{A}", None),
        ("acme/shop:1.2", f"pkg:github/acme/deploy@{A}", None),
    ],
)
def test_the_artifact_is_the_only_image_or_the_revision(images: Any, artifact: str, listed: int | None):
    (deployed,) = told_of(synced(A, summary={"images": images}))
    assert deployed.dora["artifact"] == artifact
    assert len(deployed.dora.get("images", ())) == (listed or 0)


@pytest.mark.parametrize(
    ("repositories", "commit", "repository"),
    [
        ("[acme/shop]", None, None),
        ("[acme/deploy]", A, "acme/deploy"),
        ("['acme/*']", A, "acme/deploy"),
        ("[]", A, "acme/deploy"),
    ],
)
def test_a_commit_of_manifests_is_none_of_the_service(repositories: str, commit: str, repository: str):
    catalog = f"services: {{shop: {{repositories: {repositories}, applications: [shop]}}}}"
    (deployed,) = told_of(synced(A, summary={"images": ["acme/shop:1.2"]}), catalog)
    assert (deployed.dora.get("commit"), deployed.dora.get("repository")) == (commit, repository)
    assert deployed.dora["artifact"] == "pkg:oci/shop?repository_url=docker.io/acme/shop&tag=1.2"


def test_of_several_sources_the_one_in_the_services_own_repository():
    application = synced(A)
    application["spec"] = {
        "destination": {"namespace": "live"},
        "sources": [
            {"repoURL": "https://github.com/acme/deploy"},
            {"repoURL": "https://github.com/acme/shop"},
        ],
    }
    application["status"]["operationState"]["syncResult"] = {"revisions": [A, B]}
    for catalog, commit in (("", A), ("services: {shop: {repositories: [acme/shop]}}", B)):
        (deployed,) = told_of(application, catalog)
        assert deployed.dora["commit"] == commit
