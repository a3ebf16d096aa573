"""The metrics that exist: every module of ``streams.metrics`` that holds a ``METRIC``."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import streams.metrics
from streams.metrics.metric import Metric


@cache
def metrics() -> tuple[Metric, ...]:
    """All metrics by name. Raises ``ValueError`` when two modules claim one name."""
    found: dict[str, Metric] = {}
    for module in iter_modules(streams.metrics.__path__):
        metric = getattr(import_module(f"streams.metrics.{module.name}"), "METRIC", None)
        if metric is not None and found.setdefault(metric.name, metric) is not metric:
            raise ValueError(f"two metrics are called {metric.name!r}; rename one in streams/metrics")
    return tuple(found[name] for name in sorted(found))
