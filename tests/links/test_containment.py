"""Which changes a deployment contains, and how long they took."""

from tests.links.telling import (
    REPOSITORY,
    build,
    contained,
    deploy,
    fail,
    lead_hours,
    links_of,
    merge,
    push,
    roll_back,
)


def test_a_deployment_contains_all_commits_since_the_one_before():
    links = links_of(
        push(1, "a"), push(2, "b", "c"), push(5, "d"), deploy(3, "d1", "a"), deploy(6, "d2", "d")
    )
    assert contained(links) == {"a": "d1", "b": "d2", "c": "d2", "d": "d2"}
    assert lead_hours(links) == {"a": 3, "b": 5, "c": 5, "d": 2}
    assert [each.changes for each in links.attributions] == [1, 3]


def test_a_revision_within_a_push_leaves_the_rest_of_the_push_for_later():
    links = links_of(push(1, "a", "b", "c"), deploy(2, "d1", "b"), deploy(4, "d2", "c"))
    assert contained(links) == {"a": "d1", "b": "d1", "c": "d2"}


def test_what_is_deployed_again_or_rolled_back_to_contains_nothing_new():
    told = [push(1, "a"), push(2, "b"), deploy(3, "d1", "a"), deploy(4, "d2", "b")]
    links = links_of(told[0], told[1], *told[2:], roll_back(5, "r1", commit="a"), deploy(6, "d3", "b"))
    assert contained(links) == {"a": "d1", "b": "d2"}
    assert [each.linked for each in links.attributions] == [True, True, False, True]


def test_a_failed_rollout_delivers_nothing():
    links = links_of(push(1, "a"), fail(2, "f1"), deploy(3, "d1", "a"))
    assert contained(links) == {"a": "d1"}
    assert [each.deploy_id for each in links.attributions] == ["d1"]


def test_a_commit_that_nobody_pushed_is_not_linked():
    links = links_of(push(1, "a"), deploy(2, "d1", "unknown"), deploy(3, "d2"))
    assert contained(links) == {}
    assert [each.linked for each in links.attributions] == [False, False]


def test_the_artifact_tells_the_revision_whatever_its_tag_and_registry():
    digest = "sha256:" + "0" * 64
    built = f"pkg:oci/shop@{digest.replace(':', '%3A')}?repository_url=ghcr.io/acme/shop&tag=v1"
    run = f"pkg:oci/shop@{digest}?repository_url=mirror.example/shop&tag=latest"
    links = links_of(push(1, "a"), build(built, "a"), deploy(2, "d1", artifact=run))
    assert contained(links) == {"a": "d1"}


def test_an_artifact_of_a_change_is_the_commit_that_the_change_became():
    links = links_of(
        push(1, "a"),
        merge(1, "pull/1", commit="a"),
        build("pkg:oci/shop@1", "pull/1", commit=None),
        deploy(2, "d1", artifact="pkg:oci/shop@1"),
    )
    assert contained(links) == {"a": "d1", "pull/1": "d1"}


def test_the_repository_is_found_by_the_commit():
    links = links_of(push(1, "a"), deploy(2, "d1", commit="a"), deploy(3, "d2", commit="A"))
    assert [each.repository for each in links.attributions] == [REPOSITORY, REPOSITORY]
    assert links_of(push(1, "a"), deploy(2, "d1", "a", repository=None)).attributions[0].linked


def test_names_of_repositories_are_joined_however_they_are_written():
    links = links_of(push(1, "a"), deploy(2, "d1", "a", repository="https://github.com/Acme/Shop.git"))
    assert contained(links) == {"a": "d1"}


def test_a_squash_counts_the_commits_that_were_squashed_and_not_what_they_became():
    links = links_of(
        push(2, "f1", "f2", made=1, branch="feature"),
        push(10, "s", made=10),
        merge(10, "pull/1", commit="s", head="f2", opened=3),
        deploy(11, "d1", "s"),
    )
    assert contained(links) == {"f1": "d1", "f2": "d1", "s": "d1", "pull/1": "d1"}
    assert lead_hours(links) == {"f1": 10, "f2": 10}
    assert [each.merge_seconds for each in links.changes if each.kind == "change"] == [3600]


def test_a_rebase_counts_the_commits_before_it():
    links = links_of(
        push(2, "f1", "f2", made=1, branch="feature"),
        push(10, "r1", "r2", made=10),
        merge(10, "pull/1", commit="r2", head="f2"),
        deploy(11, "d1", "r2"),
    )
    assert lead_hours(links) == {"f1": 10, "f2": 10}


def test_a_merge_commit_is_no_work_of_its_own():
    links = links_of(
        push(2, "f1", made=1, branch="feature"),
        push(10, "f1", "m", made=10),
        merge(10, "pull/1", commit="m", head="f1"),
        deploy(11, "d1", "m"),
    )
    assert lead_hours(links) == {"f1": 10}


def test_a_squash_of_commits_that_nobody_told_of_is_what_there_is():
    links = links_of(
        push(10, "s"), merge(10, "pull/1", commit="s", head="f2", opened=3), deploy(11, "d1", "s")
    )
    assert lead_hours(links) == {"s": 2}


def test_a_squash_whose_commit_is_not_told_is_what_the_push_at_that_moment_brought():
    links = links_of(
        push(2, "f1", made=1, branch="feature"),
        push(8, "x", made=7),
        push(10, "s", made=10),
        merge(10.01, "merge/1", head="f1"),
        deploy(9, "d1", "x"),
        deploy(11, "d2", "s"),
    )
    assert contained(links) == {"x": "d1", "s": "d2", "merge/1": "d2", "f1": "d2"}


def test_without_pushes_changes_are_contained_in_the_order_of_their_merges():
    links = links_of(
        merge(1, "pull/1", commit="a", opened=0),
        merge(2, "pull/2", commit="b", opened=0),
        merge(3, "pull/3", commit="c", opened=0),
        deploy(1.5, "d1", "a"),
        deploy(4, "d2", "c"),
    )
    assert contained(links) == {"pull/1": "d1", "pull/2": "d2", "pull/3": "d2"}
    assert lead_hours(links) == {"pull/1": 1.5, "pull/2": 4, "pull/3": 4}


def test_a_first_deployment_does_not_swallow_what_is_older_than_a_month():
    days = 24
    links = links_of(push(0, "old"), push(40 * days, "a"), push(50 * days, "b"), deploy(60 * days, "d1", "b"))
    assert contained(links) == {"a": "d1", "b": "d1"}


def test_a_branch_of_its_own_brings_only_what_is_new():
    links = links_of(
        push(1, "a"),
        push(2, "b"),
        push(3, "a", "h", branch="hotfix/1", made=2),
        deploy(2, "d1", "a"),
        deploy(4, "d2", "h"),
        deploy(5, "d3", "b"),
    )
    assert contained(links) == {"a": "d1", "h": "d2", "b": "d3"}


def test_pushes_of_one_second_follow_one_another():
    first = push(1, "z", before="y", after="z")
    second = push(1, "b", before="z", after="b")
    third = push(1, "c", before="b", after="c")
    for told in ([first, second, third], [third, second, first]):
        assert contained(links_of(*told, deploy(2, "d1", "b"))) == {"z": "d1", "b": "d1"}


def test_r16_a_clock_that_is_wrong_shows():
    links = links_of(push(5, "a", made=4), deploy(3, "d1", "a"))
    assert lead_hours(links) == {"a": -1}


def test_each_service_of_a_repository_has_its_own_deployments():
    links = links_of(push(1, "a"), push(2, "b"), deploy(3, "d1", "b", service="other"), deploy(4, "d2", "a"))
    assert contained(links) == {"a": "d2"}


def test_of_a_divided_repository_a_deployment_contains_what_concerns_its_service():
    told = [
        push(1, "a", services=["shop"]),
        push(2, "b", services=["search"]),
        push(3, "c", services=["search", "shop"]),
        push(4, "d", services=[]),
        push(5, "e"),
        deploy(6, "d1", "e"),
    ]
    assert contained(links_of(*told, divided=frozenset([REPOSITORY]))) == {"a": "d1", "c": "d1", "e": "d1"}
    assert contained(links_of(*told)) == dict.fromkeys("abcde", "d1")


def test_a_merged_change_concerns_what_its_commits_concern():
    told = [
        push(1, "f1", branch="feature", services=["search"]),
        push(2, "s1", services=["search"]),
        merge(2, "pull/1", commit="s1", head="f1"),
        push(3, "s2", services=["shop"]),
        merge(3, "pull/2", commit="s2", head="unknown"),
        merge(4, "pull/3", commit="s3"),
        push(4, "s3", services=None),
        deploy(5, "d1", "s3"),
    ]
    found = contained(links_of(*told, divided=frozenset([REPOSITORY])))
    assert found == {"s2": "d1", "pull/2": "d1", "s3": "d1", "pull/3": "d1"}


def test_a_deployment_that_brings_nothing_of_its_own_is_linked_all_the_same():
    links = links_of(push(1, "a", services=["search"]), deploy(2, "d1", "a"), divided=frozenset([REPOSITORY]))
    assert [(each.changes, each.linked) for each in links.attributions] == [(0, True)]
