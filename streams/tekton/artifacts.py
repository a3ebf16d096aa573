"""What a run of Tekton has made, by the names that Tekton Chains gives results. Pure.

Type hints: tekton.dev/docs/chains/slsa-provenance. ``IMAGE_URL`` and ``IMAGE_DIGEST`` with any prefix,
``IMAGES``, ``ARTIFACT_URI`` and ``ARTIFACT_DIGEST`` with any prefix, objects called ``...ARTIFACT_OUTPUTS``.
"""

import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from schemas import purl
from streams.tekton.runs import Json, Run, comparable, text_of, texts_of

# Of one run; nothing good comes of more.
MOST_ARTIFACTS = 50

HINTS = ("IMAGES", "IMAGE_URL", "ARTIFACT_URI", "ARTIFACT_OUTPUTS")
PAIRS = (("IMAGE_URL", "IMAGE_DIGEST"), ("ARTIFACT_URI", "ARTIFACT_DIGEST"))
# Params by which a run is given an image.
IMAGES = ("imagereference", "imageref", "imageurl", "image")

DIGEST = re.compile(r"sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})", re.ASCII)
PURL = re.compile(r"pkg:[a-z][a-z0-9.+-]*/[!-~]{1,500}", re.ASCII)
SCHEME = re.compile(r"(?:docker|oci|https?)://")


def artifacts_of(run: Run) -> list[str]:
    """The purls of what the run has made, each with its digest; each once, in the order of the results."""
    return list(islice(dict.fromkeys(_made(run.results)), MOST_ARTIFACTS))


def image_of(run: Run) -> str | None:
    """The purl of the one image that a run is about: made by it, or else given to it."""
    given = filter(None, map(image, texts_of(comparable(run.params), IMAGES)))
    return next(chain(_made(run.results), _made(run.params), given), None)


def image(reference: str) -> str | None:
    """The purl of an image reference, or of what is a purl already."""
    return (
        reference if PURL.fullmatch(reference) else purl.container_image(SCHEME.sub("", reference, count=1))
    )


def _made(values: Json) -> Iterator[str]:
    hints = ((key, value) for key, value in values.items() if key.endswith(HINTS))
    found = (made for key, value in hints for made in _made_as(key, value, values))
    return (made for made in found if made is not None)


def _made_as(key: str, value: Any, values: Json) -> Iterator[str | None]:
    if key == "IMAGES":
        references = re.split(r"[,\n]", text_of(value) or "")
        yield from (_pinned(*reference.strip().partition("@")[::2]) for reference in references)
    elif key.endswith("ARTIFACT_OUTPUTS") and isinstance(value, dict):
        yield _pinned(text_of(value.get("uri")), text_of(value.get("digest")))
    else:
        for location, digest in PAIRS:
            if key.endswith(location):
                yield _pinned(text_of(value), text_of(values.get(key.removesuffix(location) + digest)))


def _pinned(location: str | None, digest: str | None) -> str | None:
    """The purl of what has this digest; ``None`` if that cannot be said."""
    if location is None or digest is None or not DIGEST.fullmatch(digest):
        return None
    if PURL.fullmatch(location):
        return location
    # A plain word is rather a file than an image of Docker Hub.
    plain = SCHEME.sub("", location, count=1)
    return purl.container_image(f"{plain}@{digest}") if "/" in plain else None
