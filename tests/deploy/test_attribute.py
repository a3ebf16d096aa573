"""`dora attribute`: a correction, from the command to the links."""

import json

import pytest

from deploy.attributing import message_of
from schemas.catalog import Catalog
from schemas.cdevents.event import CDEvent, complete
from schemas.cloudevents.event import CloudEvent
from streams.outcome import Mapped
from streams.transformers.attribution import source
from tests.infra.commands import dora
from tests.links.telling import deploy, failed, hour, incident, links_of


def correction(at: float, deploy_id: str, **said) -> CDEvent:
    """What the message of a correction becomes."""
    event = json.loads(message_of(deploy_id, said, hour(at)).body)
    data = json.dumps(event.pop("data")).encode()
    outcome = source.transform(CloudEvent(event, data), Catalog.empty())
    assert isinstance(outcome, Mapped)
    (draft,) = outcome.drafts
    return complete(draft, rule="attribution", cause=(event["source"], event["id"]), ordinal=0)


def test_a_correction_reaches_the_links_and_can_be_cleared():
    told = [deploy(1, "d1"), incident(2, 3)]
    assert failed(links_of(*told)) == {"d1": ("incident", "i1")}
    said = correction(4, "d1", failed=False, reason="a failing disk")
    assert failed(links_of(*told, said)) == {}
    assert failed(links_of(*told, said, correction(5, "d1"))) == {"d1": ("incident", "i1")}
    assert failed(links_of(*told, correction(6, "d1", failed=True, cause="INC-17"), said)) == {
        "d1": ("correction", "INC-17")
    }


def test_the_same_correction_of_the_same_moment_is_the_same_event():
    one, other = (json.loads(message_of("d1", {"failed": True}, hour(1)).body)["id"] for _ in range(2))
    later = json.loads(message_of("d1", {"failed": True}, hour(2)).body)["id"]
    assert one == other != later


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ([], "--clear alone"),
        (["--clear", "--failed"], "--clear alone"),
        (["--not-failed", "--cause", "INC-1"], "goes with --failed"),
    ],
)
def test_what_contradicts_itself_is_a_mistake_of_usage(said, advice):
    done = dora("attribute", "d1", *said)
    assert done.returncode == 2
    assert advice in done.stderr


def test_without_an_ingress_it_fails_and_says_so():
    done = dora("attribute", "d1", "--failed", "--ingress-url", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
