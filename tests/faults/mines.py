"""Points in a worker's code at which it dies by SIGKILL, each once: one after another, a start for each.

``plant`` gives Python that runs in the worker before it starts. The folder keeps which points are left.
With another signal it is frozen there; ``arm`` plants the next one while it runs.
"""

import signal
from pathlib import Path

POINTS = (
    "consumed",  # transform has taken a batch, nothing is done
    "published",  # its outputs are confirmed, no row is stored
    "stored",  # its rows are stored, nothing is acknowledged
    "recorded",  # CDEvents and facts are stored, not acknowledged
    "counted",  # the buckets are in PostgreSQL, the tables know nothing
    "remembered",  # the tables know, not acknowledged
    "buried",  # a dead letter is on its topic, its event is not acknowledged
    "committed",  # offsets of the input were committed just now
)

MINES = """
import os
from pathlib import Path
from streams import consumer, pipeline
from streams.agents import measure, record, transform

FOLDER = Path({folder!r})

def step_on(point):
    left = sorted(FOLDER.iterdir())
    if left and left[0].name.endswith("-" + point):
        left[0].rename(FOLDER.parent / ("done-" + left[0].name))
        os.kill(os.getpid(), {number})

def around(owner, name, before="", after=""):
    inner = getattr(owner, name)
    async def mined(*args, **options):
        if before:
            step_on(before)
        result = await inner(*args, **options)
        if after:
            step_on(after)
        return result
    setattr(owner, name, mined)

around(transform, "handle", before="consumed")
around(pipeline.Pipeline, "publish", after="published")
around(pipeline.Pipeline, "bury", after="buried")
around(pipeline.Pipeline, "store", after="stored")
around(record, "handle", after="recorded")
around(measure.frequency, "store", before="measured", after="counted")
around(measure, "handle", after="remembered")

commit = consumer.Consumer._commit_offsets
async def commit_and_die(self, offsets, *args, **options):
    done = await commit(self, offsets, *args, **options)
    if done and any(tp.topic.endswith("cloudevents") for tp in offsets):
        step_on("committed")
    return done
consumer.Consumer._commit_offsets = commit_and_die
"""


def plant(folder: Path, points: tuple[str, ...] = POINTS, number: signal.Signals = signal.SIGKILL) -> str:
    """Python for ``before``. Once a mine went off it is gone; ``left`` tells how many there are still."""
    (folder / "mines").mkdir(parents=True, exist_ok=True)
    for point in points:
        arm(folder, point)
    return MINES.format(folder=str(folder / "mines"), number=number.value)


def arm(folder: Path, point: str) -> None:
    """Plant one more, which goes off after those that are left."""
    armed = folder / "mines"
    before = len([*armed.iterdir(), *folder.glob("done-*")])
    (armed / f"{before}-{point}").touch()


def left(folder: Path) -> list[str]:
    """The points at which the worker has not died yet."""
    return sorted(path.name for path in (folder / "mines").iterdir())
