"""A repository is called owner/name, however a tool writes where it is."""

import pytest

from schemas.repository import repository_of_remote


@pytest.mark.parametrize(
    ("url", "repository"),
    [
        ("https://github.com/acme/shop", "acme/shop"),
        ("https://github.com/acme/shop.git", "acme/shop"),
        ("https://github.com/acme/shop/", "acme/shop"),
        ("https://oauth2:token@gitlab.example:8443/group/sub/shop.git", "group/sub/shop"),
        ("http://git.example/acme/shop.git?ref=main", "acme/shop"),
        ("git+https://github.com/acme/shop.git@main", "acme/shop"),
        ("git+https://github.com/acme/shop#4f0c1d2", "acme/shop"),
        ("git@github.com:acme/shop.git", "acme/shop"),
        ("git@ssh.dev.azure.com:v3/acme/project/shop", "v3/acme/project/shop"),
        ("ssh://git@git.example:2222/acme/shop.git", "acme/shop"),
        ("git://git.example/acme/shop.git", "acme/shop"),
        ("https://github.com/acme/shop.github.io", "acme/shop.github.io"),
        # No remote, or none that says more than a name.
        ("https://git.example/shop.git", None),
        ("https://git.test.com", None),
        ("acme/shop", None),
        ("registry.example/acme/shop:1", None),
        ("/srv/git/shop.git", None),
        ("file:///srv/git/shop.git", None),
        ("https://github.com/acme/sh op", None),
        ("", None),
        ("https://github.com/" + "a/" * 1000, None),
    ],
)
def test_a_repository_is_called_by_its_path(url: str, repository: str | None):
    assert repository_of_remote(url) == repository


@pytest.mark.parametrize("url", ["git@" + "a." * 400, "https://" + "a-" * 400, "ssh://" + "a@" * 400])
def test_no_url_takes_long_to_read(url: str):
    for ending in ("", "/", "/a", ":a/b", "\n"):
        assert repository_of_remote(url + ending) in (None, "a/b")
