"""Artifacts by purl. The forms with a digest are those of the examples of CDEvents and of purl-spec."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.purl import container_image, generic

DIGEST = "0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427"


@pytest.mark.parametrize(
    ("reference", "purl"),
    [
        (
            f"mycr.io/myapp@sha256:{DIGEST}",
            f"pkg:oci/myapp@sha256%3A{DIGEST}?repository_url=mycr.io/myapp",
        ),
        (
            f"ghcr.io/acme/shop/checkout:1.2.0@sha256:{DIGEST}",
            f"pkg:oci/checkout@sha256%3A{DIGEST}?repository_url=ghcr.io/acme/shop/checkout&tag=1.2.0",
        ),
        (
            "registry.example:5000/shop/checkout:1.0.0",
            "pkg:oci/checkout?repository_url=registry.example:5000/shop/checkout&tag=1.0.0",
        ),
        ("localhost/web:x", "pkg:oci/web?repository_url=localhost/web&tag=x"),
        ("localhost:5000/web", "pkg:oci/web?repository_url=localhost:5000/web&tag=latest"),
        # What a container runtime makes of a name without a registry.
        ("nginx", "pkg:oci/nginx?repository_url=docker.io/library/nginx&tag=latest"),
        ("nginx:1.27", "pkg:oci/nginx?repository_url=docker.io/library/nginx&tag=1.27"),
        ("acme/web:2", "pkg:oci/web?repository_url=docker.io/acme/web&tag=2"),
    ],
)
def test_container_image(reference: str, purl: str):
    assert container_image(reference) == purl


@pytest.mark.parametrize(
    "reference", ["", " ", "a b", "/web", "web/", "web:", "web@sha256:12", "ü", "w\n", "w" * 600]
)
def test_what_is_no_reference_has_no_purl(reference: str):
    assert container_image(reference) is None


@given(st.text())
def test_no_text_raises(text: str):
    assert (container_image(text) or "pkg:oci/").startswith("pkg:oci/")


def test_generic():
    assert generic("staging", "checkout", "u:1") == "pkg:generic/staging/checkout@u%3A1"
