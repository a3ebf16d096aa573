"""How far each stage has come in each partition, and what may be committed because of it.

Every stage handles a partition's records in offset order, so one number says it all: the offset of the next
record that the stage has not finished. What may be committed is the smallest number of all stages that read
the topic. Gaps in the offsets (compaction, transaction markers) need no bookkeeping.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from faust.types import TP


class Frontier:
    """``stages`` says for each topic which stages must have finished a record before it is committed."""

    def __init__(self, stages: Mapping[str, Iterable[str]]) -> None:
        self._stages = {topic: frozenset(names) for topic, names in stages.items()}
        self._next: defaultdict[TP, dict[str, int]] = defaultdict(dict)

    def advance(self, stage: str, tp: TP, offset: int) -> None:
        """``stage`` has finished every record of ``tp`` up to and including ``offset``."""
        stages = self._next[tp]
        stages[stage] = max(offset + 1, stages.get(stage, 0))

    def pass_gap(self, tp: TP, last: int | None, position: int) -> None:
        """Nothing follows the record ``last`` before ``position``, and ``None``: there was no record.

        Without effect while a stage has not finished ``last``.
        """
        stages = self._next[tp]
        if last is not None and any(stages.get(name, -1) <= last for name in self._stages[tp.topic]):
            return
        for name in self._stages[tp.topic]:
            stages[name] = max(position, stages.get(name, 0))

    def committable(self, tp: TP) -> int | None:
        """The offset to commit, or ``None`` while a stage has not finished anything of ``tp``."""
        stages = self._next.get(tp)
        if not stages or not self._stages[tp.topic] <= stages.keys():
            return None
        return min(stages.values())

    @property
    def topics(self) -> frozenset[str]:
        """The topics that stages read; changelogs are not among them."""
        return frozenset(self._stages)

    @property
    def stages(self) -> frozenset[str]:
        """The names of all stages."""
        return frozenset().union(*self._stages.values())

    def partitions(self) -> list[TP]:
        """The partitions in which anything was finished."""
        return list(self._next)

    def clear(self) -> None:
        """Forget everything: the partitions were given up and will be read again from what is committed."""
        self._next.clear()
