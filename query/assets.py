"""Style sheets, scripts and the font of the pages: read and compressed once, and addressed by their content.

All of them share one digest, which is part of the address: scripts import each other by relative names, and a
browser never mixes those of two versions. ``query/web/assets/vendor/SOURCES.md`` says what is not our own.
"""

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent; ``compressed`` is ``None`` where gzip gains nothing."""

    media_type: str
    body: bytes
    compressed: bytes | None


@cache
def assets() -> Mapping[str, Asset]:
    """All assets, by their path below ``query/web/assets``."""
    return {name: _asset(name, file.read_bytes()) for name, file in _found(_folder(), PurePosixPath())}


@cache
def digest() -> str:
    """Another one as soon as a single byte of any asset differs."""
    told = sha256()
    for name, asset in sorted(assets().items()):
        told.update(f"{name}\0{len(asset.body)}\0".encode())
        told.update(asset.body)
    return told.hexdigest()[:16]


def address(name: str) -> str:
    """Where the asset called ``name`` is. Raises ``KeyError`` when there is none."""
    _ = assets()[name]
    return f"/assets/{digest()}/{name}"


def _folder() -> Traversable:
    return files("query").joinpath("web", "assets")


def _found(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        name = path / entry.name
        if entry.is_dir():
            yield from _found(entry, name)
        elif name.suffix in TYPES:
            yield str(name), entry


def _asset(name: str, body: bytes) -> Asset:
    compressed = gzip.compress(body, 9, mtime=0)
    return Asset(
        TYPES[PurePosixPath(name).suffix], body, compressed if len(compressed) < 0.9 * len(body) else None
    )
