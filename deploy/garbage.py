"""Python's garbage collector, told what the processes are like that take and count events.

It looks at objects that hold others whenever 700 more were made than freed, and by and by at all that there
are: modules, routes, schemas. A worker has thousands in hand at any moment, the records of its batches, and
an ingress the events of its requests. None of them is garbage: they go when their batch or request does. So
collecting seldom frees as much, in far less time, and nobody's request waits for it.
"""

import gc

# Objects made and not freed before the young ones are looked at: more than the batches in hand have.
MADE = 50_000


def collect_seldom() -> None:
    """Leave out what is there already, which stays, and look at the rest when much was made. Call it once."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(MADE, 20, 20)
