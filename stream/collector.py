"""Python's garbage collector, kept from holding the event loop: it looks at what is new, and only while that is little.

Rows, records and states are freed by their reference counts.  What needs the collector are cycles, and they are few: a
session of a client, an exception's traceback.  So it never runs by itself, in the midst of something, over whatever there is.
It is called now and then, and looks at ``MOST`` new objects at most: a few milliseconds.  What was looked at twice is set
aside (``gc.freeze``, which takes no time): it is never looked at again, and still freed by its reference counts.

A cycle that dies after it was set aside stays until ``look_at_all``, at the next assignment, when nothing is read anyway
(``docs/decisions/0025-the-collector-is-called.md``).
"""

from __future__ import annotations

import gc

LOOK_EVERY_S = 1.0
#: New objects that are looked at: up to 5 ms.
MOST = 8_000
#: Survivors of a first look that are waited for before the second.
SURVIVORS = 4_000
#: New objects that were too many so often (a state was restored, a storm) are set aside unseen.
TRIES = 20
_YOUNG = (0, 1)


def spare_the_collector() -> None:
    """Have the collector wait until it is called; what there is by now lives as long as the process."""
    gc.disable()
    look_at_all()


def look_at_all() -> None:
    """Free every cycle that has died, wherever it is: 0.6 µs an object, 0.1 to 0.3 s in a worker."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


class Collector:
    """``look`` is called when the loop has a moment; ``look_at_all`` when it may be held."""

    def __init__(self) -> None:
        self._missed = 0

    def look(self) -> None:
        """Free the dead cycles among what is new, unless that is much just now."""
        if _is_much():
            self._missed += 1
            if self._missed == TRIES:
                self._set_aside()
            return
        self._missed = 0
        gc.collect(1)
        if len(gc.get_objects(generation=2)) > SURVIVORS:
            gc.collect(2)
            self._set_aside()

    async def run_once(self) -> None:
        """``look``, as a periodic task."""
        self.look()

    def _set_aside(self) -> None:
        gc.freeze()
        self._missed = 0


def _is_much() -> bool:
    # The count costs nothing, and is too small where older objects were freed meanwhile.
    return gc.get_count()[0] > MOST or sum(len(gc.get_objects(generation=one)) for one in _YOUNG) > MOST
