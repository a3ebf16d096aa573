"""Finding the sources: the modules of ``streams.transformers``, and those of other installed packages.

A package offers one through the entry-point group ``dora.transformers``; the entry point names a ``Source``,
or a module that has one called ``source`` (docs/adding-a-source.md).
"""

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points

import streams.transformers
from streams.source import Source

GROUP = "dora.transformers"


class DuplicateSource(RuntimeError):
    """Two transformers offer a source of the same name."""


class UnusableSource(RuntimeError):
    """An installed package offers what is no source. Without it, its events would be lost to everybody."""


def find_sources() -> dict[str, Source]:
    """All sources by name. Raises ``DuplicateSource`` naming both places, and ``UnusableSource``."""
    found: dict[str, Source] = {}
    places: dict[str, str] = {}
    for place, source in (*_built_in(), *_installed()):
        if source.name in found:
            raise DuplicateSource(f"{place} and {places[source.name]} are both called {source.name!r}")
        found[source.name], places[source.name] = source, place
    return found


def _built_in() -> Iterator[tuple[str, Source]]:
    for info in pkgutil.iter_modules(streams.transformers.__path__):
        module = importlib.import_module(f"streams.transformers.{info.name}")
        source = getattr(module, "source", None)
        if isinstance(source, Source):
            yield info.name, source


def _installed() -> Iterator[tuple[str, Source]]:
    points = {(point.name, point.value): point for point in entry_points(group=GROUP)}
    for _, point in sorted(points.items()):
        yield f"{_package(point)} ({point.value})", _loaded(point)


def _loaded(point: EntryPoint) -> Source:
    try:
        offered = point.load()
    except Exception as error:  # whatever a stranger's module raises
        raise UnusableSource(
            f"{_package(point)}: its entry point {GROUP} {point.name} = {point.value} cannot be loaded"
            f" ({type(error).__name__}: {error}); repair or uninstall the package"
        ) from error
    source = offered if isinstance(offered, Source) else getattr(offered, "source", None)
    if not isinstance(source, Source):
        raise UnusableSource(
            f"{_package(point)}: {GROUP} {point.name} = {point.value} is no Source, and no module with one"
            " called 'source'; repair or uninstall the package"
        )
    return source


def _package(point: EntryPoint) -> str:
    return "an installed package" if point.dist is None else point.dist.name
