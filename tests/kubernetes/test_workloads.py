"""Reading objects: the rules of ``kubectl rollout status``, and which template belongs to which revision."""

from typing import Any

import pytest

from streams.kubernetes.workloads import (
    REVISION,
    Look,
    look_at_daemon_set,
    look_at_deployment,
    look_at_stateful_set,
)
from tests.kubernetes.objects import workload

TEMPLATE_ANNOTATIONS = "spec__template__metadata__annotations"


def deployment(**changes: Any) -> Look:
    return look_at_deployment(workload("Deployment", **changes))


def stateful_set(**changes: Any) -> Look:
    return look_at_stateful_set(workload("StatefulSet", **changes))


def daemon_set(**changes: Any) -> Look:
    return look_at_daemon_set(workload("DaemonSet", **changes))


def progressing(reason: str, at: str = "2026-11-23T07:40:48Z") -> list[dict[str, str]]:
    return [{"type": "Progressing", "reason": reason, "status": "True", "lastUpdateTime": at}]


def test_a_complete_deployment():
    look = deployment()
    assert (look.phase, look.sequence, look.certain) == ("complete", 1, True)
    assert look.ready == "2026-11-23T07:40:48Z"


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({"status__updatedReplicas": 1}, "progressing"),
        ({"status__replicas": 3}, "progressing"),
        ({"status__availableReplicas": 1}, "progressing"),
        ({"status__availableReplicas": None}, "progressing"),
        # More pods than asked for are enough: a rollout is not undone by scaling down.
        ({"spec__replicas": 1}, "complete"),
        ({"spec__replicas": 0, "status__updatedReplicas": 0, "status__replicas": 0}, "complete"),
        ({"spec__paused": True}, "paused"),
        ({"metadata__generation": 2}, "unobserved"),
        ({"status__observedGeneration": None}, "unobserved"),
        ({"status": {}}, "unobserved"),
        ({"metadata__deletionTimestamp": "2026-11-23T07:40:48Z"}, "terminating"),
        ({"metadata__annotations": {}}, "waiting"),
        ({"status__conditions": progressing("ProgressDeadlineExceeded")}, "failed"),
    ],
)
def test_phase_of_a_deployment(changes: dict[str, Any], phase: str):
    assert deployment(**changes).phase == phase


@pytest.mark.parametrize("phase", ["paused", "unobserved", "terminating", "waiting"])
def test_a_deployment_that_shows_another_template_than_its_revisions_has_no_number(phase: str):
    changes: dict[str, dict[str, Any]] = {
        "paused": {"spec__paused": True},
        "unobserved": {"metadata__generation": 2},
        "terminating": {"metadata__deletionTimestamp": "2026-11-23T07:40:48Z"},
        "waiting": {"metadata__annotations": None},
    }
    assert deployment(**changes[phase]).sequence is None


def test_a_template_without_pods_may_belong_to_the_next_revision():
    # A change of template and scale at once: observedGeneration is up to date before the revision is.
    look = deployment(status__updatedReplicas=None)
    assert (look.phase, look.sequence, look.certain) == ("progressing", 1, False)


def test_pods_of_an_older_template_show_that_the_rollout_began():
    assert deployment(status__replicas=3, status__updatedReplicas=1).started
    assert not deployment(status__replicas=1, status__updatedReplicas=1).started  # scaling
    assert not deployment(status__replicas=2, status__updatedReplicas=None).started


def test_without_a_progressing_condition_a_deployment_tells_no_time():
    look = deployment(status__conditions=None)
    assert (look.phase, look.ready) == ("complete", None)


def test_a_condition_that_has_not_moved_yet_tells_no_time():
    assert deployment(status__conditions=progressing("ReplicaSetUpdated")).ready is None


def test_going_back_by_recreate_keeps_the_time_of_the_rollout_before():
    stale, moved = "2026-11-23T07:00:00Z", "2026-11-23T09:00:00Z"
    available = {"type": "Available", "status": "True", "lastTransitionTime": moved}
    conditions = [*progressing("NewReplicaSetAvailable", stale), available]
    assert deployment(status__conditions=conditions).ready == stale
    assert deployment(status__conditions=conditions, spec__strategy={"type": "Recreate"}).ready == moved


def test_times_are_written_in_utc():
    conditions = progressing("NewReplicaSetAvailable", "2026-11-23T09:40:48+02:00")
    assert deployment(status__conditions=conditions).ready == "2026-11-23T07:40:48Z"


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({}, "complete"),
        ({"status__readyReplicas": 1}, "progressing"),
        ({"status__updatedReplicas": 1}, "progressing"),
        ({"status__updateRevision": "next"}, "progressing"),
        ({"metadata__generation": 2}, "unobserved"),
        # The two pods of a partition of 1 and 0: one has to be new.
        (
            {
                "status__updateRevision": "next",
                "status__updatedReplicas": 1,
                "spec__updateStrategy__rollingUpdate__partition": 1,
            },
            "complete",
        ),
        (
            {
                "status__updateRevision": "next",
                "status__updatedReplicas": None,
                "spec__updateStrategy__rollingUpdate__partition": 1,
            },
            "progressing",
        ),
        # Pods replaced by hand: the controller never moves currentRevision.
        ({"status__updateRevision": "next", "spec__updateStrategy": {"type": "OnDelete"}}, "complete"),
        ({"metadata__deletionTimestamp": "2026-11-23T07:40:48Z"}, "terminating"),
    ],
)
def test_phase_of_a_stateful_set(changes: dict[str, Any], phase: str):
    assert stateful_set(**changes).phase == phase


def test_a_stateful_set_began_to_roll_when_its_revisions_differ():
    assert stateful_set(status__updateRevision="next").started
    assert not stateful_set(spec__replicas=5).started
    assert not stateful_set(status__currentRevision=None).started


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({}, "complete"),
        ({"status__desiredNumberScheduled": 2}, "progressing"),
        ({"status__desiredNumberScheduled": 2, "status__updatedNumberScheduled": 2}, "progressing"),
        (
            {
                "status__desiredNumberScheduled": 2,
                "status__updatedNumberScheduled": 2,
                "status__numberAvailable": 2,
            },
            "complete",
        ),
        ({"metadata__generation": 2}, "unobserved"),
    ],
)
def test_phase_of_a_daemon_set(changes: dict[str, Any], phase: str):
    assert daemon_set(**changes).phase == phase


def test_a_daemon_set_began_to_roll_when_its_change_was_met_and_not_when_a_node_joined():
    assert daemon_set(metadata__generation=2).started
    assert not daemon_set(status__desiredNumberScheduled=2).started


def test_a_restart_keeps_the_digest_and_another_annotation_does_not():
    plain = deployment().digest
    restarted = {"kubectl.kubernetes.io/restartedAt": "2026-11-23T07:41:13Z"}
    assert deployment(**{TEMPLATE_ANNOTATIONS: restarted}).digest == plain
    assert deployment(**{TEMPLATE_ANNOTATIONS: {}}).digest == plain
    assert deployment(spec__template__metadata__creationTimestamp=0).digest == plain
    assert deployment(**{TEMPLATE_ANNOTATIONS: {"config-hash": "1"}}).digest != plain
    assert deployment(spec__template__metadata__labels={"app": "other"}).digest != plain


@pytest.mark.parametrize("revision", ["", "zero", "0", "-1", "9" * 30])
def test_a_revision_that_is_none_is_refused(revision: str):
    with pytest.raises(ValueError, match=r"revision|int\(\)|digits"):
        deployment(metadata__annotations={REVISION: revision})
