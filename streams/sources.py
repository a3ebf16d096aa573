"""Finding the sources: every module of ``streams.transformers`` that has a ``source``."""

import importlib
import pkgutil

import streams.transformers
from streams.source import Source


class DuplicateSource(RuntimeError):
    """Two transformer modules offer a source of the same name."""


def find_sources() -> dict[str, Source]:
    """The built-in sources by name. Raises ``DuplicateSource`` naming both modules."""
    found: dict[str, Source] = {}
    modules: dict[str, str] = {}
    for info in pkgutil.iter_modules(streams.transformers.__path__):
        module = importlib.import_module(f"streams.transformers.{info.name}")
        source = getattr(module, "source", None)
        if not isinstance(source, Source):
            continue
        if source.name in found:
            raise DuplicateSource(f"{info.name} and {modules[source.name]} are both called {source.name!r}")
        found[source.name], modules[source.name] = source, info.name
    return found
