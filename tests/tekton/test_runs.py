"""Runs of Tekton: how they ended, what they worked on and what they have made."""

from typing import Any

import pytest

from streams.tekton.artifacts import artifacts_of, image_of
from streams.tekton.origins import origin_of
from streams.tekton.runs import Kind, Run, read_run

TIME = "2026-03-02T10:15:31Z"
SHA = "8f14e45fceea167a5a36dedd4bea2543d1f5b1c3"
DIGEST = "sha256:" + "4c" * 32


def run(
    kind: Kind = "pipelinerun",
    *,
    params: dict[str, Any] | None = None,
    results: dict[str, Any] | None = None,
    reason: str = "Succeeded",
    status: str = "True",
    spec: dict[str, Any] | None = None,
    **metadata: Any,
) -> Run:
    listed = [{"name": name, "value": value} for name, value in (params or {}).items()]
    told = {
        "metadata": {"name": "r-1", "namespace": "ci", "uid": "u-1", **metadata},
        "spec": {"params": listed, **(spec or {})},
        "status": {
            "conditions": [
                {"type": "Ready", "status": "False"},
                {"type": "Succeeded", "status": status, "reason": reason, "message": "m"},
            ],
            "pipelineResults": [{"name": name, "value": value} for name, value in (results or {}).items()],
        },
    }
    return read_run(kind, told, TIME)


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        # tektoncd/pipeline, pkg/apis/pipeline/v1/{pipelinerun,taskrun}_types.go, v1beta1/customrun_types.go
        ("Failed", "failure"),
        ("StepFailed", "failure"),
        ("StepOOM", "failure"),
        ("TaskRunResultLargerThanAllowedLimit", "failure"),
        ("WhateverACustomTaskSays", "failure"),
        ("", "failure"),
        ("Cancelled", "cancel"),
        ("CancelledRunningFinally", "cancel"),
        ("StoppedRunningFinally", "cancel"),
        ("PipelineRunCancelled", "cancel"),
        ("TaskRunCancelled", "cancel"),
        ("CustomRunCancelled", "cancel"),
        ("RunCancelled", "cancel"),
        ("PipelineRunTimeout", "error"),
        ("PipelineRunTimeoutRunningFinally", "error"),
        ("TaskRunTimeout", "error"),
        ("CustomRunTimedOut", "error"),
        ("CouldntGetPipeline", "error"),
        ("PipelineRunCouldntCancel", "error"),
        ("PipelineValidationFailed", "error"),
        ("TaskRunValidationFailed", "error"),
        ("TaskRunImagePullFailed", "error"),
        ("CreateContainerConfigError", "error"),
        ("PodCreationFailed", "error"),
        ("PodEvicted", "error"),
        ("ParameterMissing", "error"),
        ("ObjectParameterMissKeys", "error"),
        ("InvalidTaskResultReference", "error"),
        ("CELEvaluationFailed", "error"),
    ],
)
def test_the_reason_of_a_failed_run_says_how_it_ended(reason: str, outcome: str):
    assert run(status="False", reason=reason).outcome == outcome


@pytest.mark.parametrize("reason", ["Succeeded", "Completed", "FailureIgnored"])
def test_a_run_whose_condition_is_true_has_succeeded(reason: str):
    assert run(reason=reason).outcome == "success"
    assert run(reason=reason).errors is None


@pytest.mark.parametrize(
    ("metadata", "spec", "pipeline"),
    [
        ({}, {"pipelineRef": {"name": "release"}}, "release"),
        ({"labels": {"tekton.dev/pipeline": "release"}}, {"pipelineRef": {"resolver": "git"}}, "release"),
        # Of a pipeline that is written into the run the label is the run's own name.
        (
            {"labels": {"tekton.dev/pipeline": "r-1"}, "generateName": "release-"},
            {"pipelineSpec": {}},
            "release",
        ),
        ({"labels": {"tekton.dev/pipeline": "r-1"}}, {"pipelineSpec": {}}, "r-1"),
        (
            {"annotations": {"pipelinesascode.tekton.dev/original-prname": "on-push"}, "generateName": "x-"},
            {"pipelineSpec": {}},
            "on-push",
        ),
    ],
)
def test_a_pipeline_has_one_name_over_all_its_runs(
    metadata: dict[str, Any], spec: dict[str, Any], pipeline: str
):
    assert run(spec=spec, **metadata).of == pipeline


@pytest.mark.parametrize(
    ("results", "params", "origin"),
    [
        (
            {"CHAINS-GIT_URL": "https://github.com/acme/shop", "CHAINS-GIT_COMMIT": f"{SHA}\n"},
            {},
            ("acme/shop", SHA),
        ),
        ({}, {"gitrevision": SHA, "gitrepositoryurl": "git@github.com:acme/shop.git"}, ("acme/shop", SHA)),
        (
            {},
            {"git-url": "ssh://git@git.example:2222/team/sub/shop.git", "revision": SHA},
            ("team/sub/shop", SHA),
        ),
        # A result is what the run found out, a param what it was asked for.
        ({"commit": SHA}, {"commit": "0" * 40}, (None, SHA)),
        # A branch, a tag and an abbreviation are no commit; what is called a commit is.
        ({}, {"gitrevision": "main", "revision": "v1.2.3"}, (None, None)),
        ({}, {"revision": "deadbeef"}, (None, None)),
        ({"git_commit": "deadbeef"}, {}, (None, "deadbeef")),
        ({"commit": "not a hash"}, {"commit": SHA}, (None, SHA)),
        ({"commit": [SHA]}, {"commit": {"sha": SHA}}, (None, None)),
        (
            {
                "source-ARTIFACT_INPUTS": {
                    "uri": "git+https://github.com/acme/shop.git",
                    "digest": f"sha1:{SHA}",
                }
            },
            {},
            ("acme/shop", SHA),
        ),
        ({"image-ARTIFACT_INPUTS": {"uri": "registry.example/base", "digest": DIGEST}}, {}, (None, None)),
        ({}, {"repository": "registry.example/acme/shop"}, (None, None)),
    ],
)
def test_the_commit_is_what_params_and_results_call_so(
    results: dict[str, Any], params: dict[str, Any], origin: tuple[str | None, str | None]
):
    assert origin_of(run(results=results, params=params)) == origin


def test_marks_go_before_params_and_results():
    marked = {"dora.dev/commit": SHA, "dora.dev/repository": "acme/shop"}
    told = {"commit": "0" * 40, "git-url": "https://github.com/acme/other"}
    assert origin_of(run(results=told, annotations=marked)) == ("acme/shop", SHA)


def test_annotations_go_before_labels():
    both = run(labels={"dora.dev/commit": "0" * 40}, annotations={"dora.dev/commit": SHA})
    assert origin_of(both) == (None, SHA)


def pinned(name: str, path: str, tag: str = "") -> str:
    return f"pkg:oci/{name}@{DIGEST.replace(':', '%3A')}?repository_url={path}{tag}"


@pytest.mark.parametrize(
    ("results", "purls"),
    [
        ({"IMAGE_URL": "r.example/shop\n", "IMAGE_DIGEST": DIGEST}, [pinned("shop", "r.example/shop")]),
        (
            {"api-IMAGE_URL": "r.example/api:1", "api-IMAGE_DIGEST": DIGEST},
            [pinned("api", "r.example/api", "&tag=1")],
        ),
        (
            {"IMAGE_URL": "docker://r.example/shop", "IMAGE_DIGEST": DIGEST},
            [pinned("shop", "r.example/shop")],
        ),
        (
            {"x-ARTIFACT_URI": "r.example/shop", "x-ARTIFACT_DIGEST": DIGEST},
            [pinned("shop", "r.example/shop")],
        ),
        (
            {"ARTIFACT_OUTPUTS": {"uri": "r.example/shop", "digest": DIGEST}},
            [pinned("shop", "r.example/shop")],
        ),
        (
            {"IMAGES": f"r.example/a@{DIGEST},r.example/b@{DIGEST}\nr.example/a@{DIGEST}\n,"},
            [pinned("a", "r.example/a"), pinned("b", "r.example/b")],
        ),
        ({"x-ARTIFACT_OUTPUTS": {"uri": "pkg:npm/shop@1.0.0", "digest": DIGEST}}, ["pkg:npm/shop@1.0.0"]),
        # Without its digest, or with one of another image, nothing says what was made.
        ({"IMAGE_URL": "r.example/shop"}, []),
        ({"IMAGE_URL": "r.example/shop", "other-IMAGE_DIGEST": DIGEST}, []),
        ({"IMAGE_URL": "r.example/shop", "IMAGE_DIGEST": "sha256:"}, []),
        ({"IMAGE_URL": "r.example/shop", "IMAGE_DIGEST": 7}, []),
        ({"file-ARTIFACT_OUTPUTS": {"uri": "hello_world", "digest": DIGEST}}, []),
        ({"IMAGES": ["r.example/a"]}, []),
    ],
)
def test_what_a_run_has_made_is_what_chains_would_sign(results: dict[str, Any], purls: list[str]):
    assert artifacts_of(run(results=results)) == purls


def test_a_run_makes_a_bounded_number_of_artifacts():
    many = ",".join(f"r.example/shop-{number}@{DIGEST}" for number in range(5000))
    assert len(artifacts_of(run(results={"IMAGES": many}))) == 50


def test_the_image_that_a_run_is_given_is_what_it_deploys():
    given = run(params={"image": "r.example/shop:1.8.0"})
    assert image_of(given) == "pkg:oci/shop?repository_url=r.example/shop&tag=1.8.0"
    made = run(
        params={"image": "r.example/old"}, results={"IMAGE_URL": "r.example/shop", "IMAGE_DIGEST": DIGEST}
    )
    assert image_of(made) == pinned("shop", "r.example/shop")
    assert image_of(run(params={"image": "no image!"})) is None


def test_times_come_from_the_run_and_else_from_the_event():
    told = run()
    assert (told.created, told.started, told.completed) == (TIME, TIME, TIME)
    created = run(creationTimestamp="2026-03-02T10:12:00Z")
    assert (created.created, created.started, created.completed) == (
        "2026-03-02T10:12:00Z",
        "2026-03-02T10:12:00Z",
        TIME,
    )
    assert run(creationTimestamp=None).created == TIME  # how Go writes a time that is not set


def test_a_run_can_be_looked_at_where_its_annotation_says():
    page = "https://console.example/ns/ci/r-1?" + "q" * 500
    mark = "pipelinesascode.tekton.dev/log-url"
    assert run(annotations={mark: page}).uri == page
    for none in ("no uri", "/relative", page * 3, 7, None):
        assert run(annotations={mark: none}).uri.startswith("kubernetes:///apis/tekton.dev/v1/")


def test_a_run_is_where_its_namespace_and_its_name_say():
    odd = run(name="two words/and%more")
    assert odd.source == "/apis/tekton.dev/v1/namespaces/ci/pipelineruns/two%20words%2Fand%25more"
    assert odd.uri == f"kubernetes://{odd.source}"
