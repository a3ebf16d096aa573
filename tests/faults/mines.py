"""Points in a worker's code at which it dies by SIGKILL, each once: one after another, a start for each.

``plant`` gives Python that runs in the worker before it starts. The folder keeps which points are left.
"""

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
import os, signal
from pathlib import Path
from streams import consumer, pipeline
from streams.agents import measure, record, transform

FOLDER = Path({folder!r})

def step_on(point):
    left = sorted(FOLDER.iterdir())
    if left and left[0].name.endswith("-" + point):
        left[0].rename(FOLDER.parent / ("done-" + left[0].name))
        os.kill(os.getpid(), signal.SIGKILL)

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
around(measure.frequency, "store", after="counted")
around(measure, "handle", after="remembered")

commit = consumer.Consumer._commit_offsets
async def commit_and_die(self, offsets, *args, **options):
    done = await commit(self, offsets, *args, **options)
    if done and any(tp.topic.endswith("cloudevents") for tp in offsets):
        step_on("committed")
    return done
consumer.Consumer._commit_offsets = commit_and_die
"""


def plant(folder: Path, points: tuple[str, ...] = POINTS) -> str:
    """Python for ``before``. Once a mine went off it is gone; ``left`` tells how many there are still."""
    armed = folder / "mines"
    armed.mkdir(parents=True, exist_ok=True)
    for position, point in enumerate(points):
        (armed / f"{position}-{point}").touch()
    return MINES.format(folder=str(armed))


def left(folder: Path) -> list[str]:
    """The points at which the worker has not died yet."""
    return sorted(path.name for path in (folder / "mines").iterdir())
