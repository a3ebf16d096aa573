"""Which deployments failed, by which rule, when they had recovered, and which were not planned."""

from dataclasses import replace
from datetime import timedelta

import pytest

from schemas.cdevents.event import Draft
from tests.links.telling import (
    deploy,
    event,
    failed,
    hour,
    incident,
    links_of,
    push,
    recovery_hours,
    reworked,
    roll_back,
)


def correct(at: float, deploy_id: str, **said):
    content = {name: value for name, value in said.items() if value is not None}
    draft = Draft(
        type="dev.cdeventsx.dora-attribution.set.0.1.0",
        source="/people",
        subject_id=deploy_id,
        timestamp=hour(at),
        content=content,
    )
    return event(draft)


def test_an_incident_that_names_a_deployment_fails_that_one():
    links = links_of(deploy(1, "d1"), deploy(5, "d2"), incident(6, 8, deploy_id="d1"))
    assert failed(links) == {"d1": ("link", "i1")}
    assert recovery_hours(links) == {"d1": 7}


def test_an_incident_that_names_a_commit_fails_the_deployment_that_brought_it():
    told = [push(1, "a", "b"), push(3, "c"), deploy(2, "d1", "b"), deploy(4, "d2", "c")]
    assert failed(links_of(*told, incident(100, 101, commit="a"))) == {"d1": ("link", "i1")}


def test_an_incident_that_names_an_artifact_fails_its_last_deployment_before():
    told = [deploy(at, f"d{at}", artifact="pkg:oci/shop@1") for at in (1, 2, 9)]
    links = links_of(*told, incident(5, 6, artifact="pkg:oci/shop@1", service=None))
    assert failed(links) == {"d2": ("link", "i1")}


def test_what_went_wrong_elsewhere_with_the_same_artifact_is_no_failure_here():
    told = incident(2, 3, artifact="pkg:oci/shop@d1", environment="staging")
    assert failed(links_of(deploy(1, "d1"), told)) == {}


def test_a_link_to_a_deployment_of_another_service_fails_nothing_here():
    assert failed(links_of(deploy(1, "d1"), incident(2, 3, deploy_id="elsewhere"))) == {}


def test_a_rollback_fails_what_ran():
    links = links_of(deploy(1, "d1"), deploy(2, "d2"), roll_back(4, "r1", to="d1"))
    assert failed(links) == {"d2": ("rollback", "r1")}
    assert recovery_hours(links) == {"d2": 2}
    assert reworked(links) == {"r1": "rollback"}


def test_a_rollback_of_a_rollback_fails_nothing_more():
    links = links_of(
        deploy(1, "d1"), deploy(2, "d2"), roll_back(3, "r1", to="d1"), roll_back(4, "r2", to="d2")
    )
    assert failed(links) == {"d2": ("rollback", "r1")}


def test_two_rollbacks_further_and_further_back_fail_two():
    told = [deploy(1, "d1"), deploy(2, "d2"), deploy(3, "d3")]
    links = links_of(*told, roll_back(4, "r1", to="d2"), roll_back(5, "r2", to="d1"))
    assert failed(links) == {"d3": ("rollback", "r1"), "d2": ("rollback", "r2")}


def test_rollbacks_to_an_unknown_version_go_back_and_forth():
    links = links_of(deploy(1, "d1"), deploy(2, "d2"), roll_back(3, "r1"), roll_back(4, "r2"))
    assert failed(links) == {"d2": ("rollback", "r1")}


def test_a_rollback_without_a_deployment_before_it_fails_nothing():
    assert failed(links_of(roll_back(1, "r1"), deploy(2, "d1"))) == {}


def test_a_revert_fails_the_deployment_that_brought_what_it_takes_back():
    told = [push(1, "a"), push(5, "r", reverts="a"), deploy(2, "d1", "a")]
    links = links_of(*told)
    assert (failed(links), recovery_hours(links)) == ({"d1": ("revert", "r")}, {"d1": None})
    links = links_of(*told, deploy(6, "d2", "r"))
    assert recovery_hours(links) == {"d1": 4}
    assert reworked(links) == {"d2": "revert"}


def test_what_is_reverted_before_it_is_deployed_fails_nothing():
    links = links_of(push(1, "a"), push(2, "r", reverts="a"), deploy(3, "d1", "r"))
    assert (failed(links), reworked(links)) == ({}, {})


def test_the_revert_of_a_revert_fails_only_what_the_first_one_took_back():
    told = [push(1, "a"), push(3, "r", reverts="a"), push(5, "rr", reverts="r")]
    links = links_of(*told, deploy(2, "d1", "a"), deploy(4, "d2", "r"), deploy(6, "d3", "rr"))
    assert failed(links) == {"d1": ("revert", "r")}


def test_a_hotfix_fails_what_ran_and_is_rework():
    links = links_of(deploy(1, "d1"), deploy(2, "d2"), deploy(4, "d3", hotfix=True))
    assert failed(links) == {"d2": ("hotfix", "d3")}
    assert recovery_hours(links) == {"d2": 2}
    assert reworked(links) == {"d3": "hotfix"}


def test_a_change_that_is_marked_makes_its_deployment_a_hotfix():
    told = [push(1, "a"), push(3, "h", hotfix=True), deploy(2, "d1", "a"), deploy(4, "d2", "h")]
    assert failed(links_of(*told)) == {"d1": ("hotfix", "d2")}


def test_a_first_hotfix_fails_nothing():
    assert failed(links_of(deploy(1, "d1", hotfix=True))) == {}


def test_an_incident_fails_the_last_deployment_before_it():
    links = links_of(deploy(1, "d1"), deploy(2, "d2"), incident(3, 7), deploy(5, "d3"))
    assert failed(links) == {"d2": ("incident", "i1")}
    assert recovery_hours(links) == {"d2": 5}
    assert reworked(links) == {"d3": "incident"}


def test_an_incident_before_every_deployment_fails_none():
    assert failed(links_of(deploy(5, "d1"), incident(3, 7))) == {}


@pytest.mark.parametrize(("begin", "fails"), [(3, True), (3.01, False)])
def test_an_incident_that_comes_too_late_fails_nothing(begin, fails):
    links = links_of(deploy(1, "d1"), incident(begin, 9), incident_within=timedelta(hours=2))
    assert bool(failed(links)) is fails


def test_incidents_of_others_and_of_nobody_fail_nothing():
    told = [incident(2, 3, "i1", service="other"), incident(2, 3, "i2", environment="staging")]
    assert failed(links_of(deploy(1, "d1"), *told, incident(2, 3, "i3", service=None))) == {}


def test_a_deployment_with_several_incidents_failed_once_and_recovered_with_the_last():
    links = links_of(deploy(1, "d1"), incident(2, 9, "i1"), incident(3, 5, "i2"))
    assert (failed(links), recovery_hours(links)) == ({"d1": ("incident", "i1")}, {"d1": 8})
    links = links_of(deploy(1, "d1"), incident(2, 9, "i1"), incident(3, None, "i2"))
    assert recovery_hours(links) == {"d1": None}


def test_an_incident_that_is_opened_again_is_open():
    again = incident(6, None)
    links = links_of(deploy(1, "d1"), incident(2, 4), again)
    assert recovery_hours(links) == {"d1": None}
    assert recovery_hours(links_of(deploy(1, "d1"), incident(2, 4), again, incident(None, 8))) == {"d1": 7}


def test_r16_an_incident_of_which_only_the_end_is_known_fails_nothing():
    assert failed(links_of(deploy(1, "d1"), incident(None, 3))) == {}


def test_r16_an_end_before_the_beginning_is_a_wrong_clock_and_no_recovery_before_the_fault():
    links = links_of(deploy(3, "d1"), incident(4, 2))
    assert recovery_hours(links) == {"d1": -1}


def test_the_first_rule_that_matches_is_told():
    told = [
        push(1, "a"),
        push(5, "r", reverts="a"),
        deploy(0.5, "d0"),
        deploy(2, "d1", "a"),
        incident(2.5, 4, deploy_id="d1"),
        roll_back(3, "r1", to="d0"),
        deploy(6, "d2", "r", hotfix=True),
    ]
    assert failed(links_of(*told))["d1"] == ("link", "i1")
    assert failed(links_of(*told[:4], *told[5:]))["d1"] == ("rollback", "r1")
    assert failed(links_of(*told[:4], *told[6:]))["d1"] == ("revert", "r")
    assert failed(links_of(*told[2:4], *told[6:]))["d1"] == ("hotfix", "d2")


def test_a_person_has_the_last_word():
    told = [deploy(1, "d1"), deploy(2, "d2"), incident(3, 7), deploy(9, "d3")]
    said = correct(20, "d2", failed=False)
    assert failed(links_of(*told, said)) == {}
    assert failed(links_of(*told, said, correct(21, "d2"))) == {"d2": ("incident", "i1")}
    links = links_of(
        *told, said, correct(21, "d1", failed=True, cause="i1"), correct(21, "d3", unplanned=True)
    )
    assert failed(links) == {"d1": ("correction", "i1")}
    assert recovery_hours(links) == {"d1": 6}
    assert reworked(links) == {"d3": "correction"}
    assert recovery_hours(links_of(*told, correct(21, "d1", failed=True)))["d1"] == 1


def test_only_the_channel_that_counts_rolls_back():
    told = [deploy(1, "d1", channel="argocd"), roll_back(2, "r1", channel="kubernetes")]
    assert failed(links_of(*told, channel="argocd")) == {}
    assert failed(links_of(*told, channel=None)) == {"d1": ("rollback", "r1")}


def test_deployments_of_one_instant_are_ordered_by_their_names():
    told = [deploy(1, "d2"), deploy(1, "d1"), incident(1, 2)]
    assert failed(links_of(*told)) == failed(links_of(*reversed(told))) == {"d2": ("incident", "i1")}
    assert replace(links_of(*told).attributions[0], role="rollback") != links_of(*told).attributions[0]


def test_an_end_that_repeats_its_beginning_is_a_whole_incident():
    links = links_of(deploy(1, "d1"), incident(None, 3, detected_at=hour(2)))
    assert (failed(links), recovery_hours(links)) == ({"d1": ("incident", "i1")}, {"d1": 2})
