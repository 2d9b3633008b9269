"""Python's garbage collector, kept from holding the event loop: it looks at what is new, and only while that is little.

Rows, records and states are freed by their reference counts.  What needs the collector are cycles, and they are few: a
session of a client, an exception's traceback.  So it never runs by itself, in the midst of something, over whatever there is.
It is called now and then, and looks at ``MOST`` new objects at most: a few milliseconds.  What was looked at twice is set
aside (``gc.freeze``, which takes no time): it is never looked at again, and still freed by its reference counts.

A cycle that dies after it was set aside stays until ``look_at_all``: at the next assignment, when nothing is read anyway, if
there are few objects; or once ``ASIDE`` more (of millions: as many again) are set aside than the last look left, however long that
takes: so a worker that makes cycles all the time stays bounded (``docs/decisions/0025-the-collector-is-called.md``).
"""

from __future__ import annotations

import gc
import logging
import time

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
#: New objects that are looked at: up to 5 ms.
MOST = 8_000
#: Survivors of a first look that are waited for before the second.
SURVIVORS = 4_000
#: New objects that were too many so often (a state was restored, a storm) are set aside unseen.
TRIES = 20
#: So many more may be set aside than are known to live: some 100 MB.
ASIDE = 500_000
#: At an assignment all are looked at while there are no more: 0.3 s.
FEW = 500_000
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


def look_at_few() -> None:
    """``look_at_all`` where that is soon done.

    With ten thousand models it takes 2 s, in which no heartbeat is sent: the partitions were lost again, and it began anew.
    """
    if gc.get_freeze_count() + len(gc.get_objects()) <= FEW:
        look_at_all()


class Collector:
    """``look`` is called when the loop has a moment; ``look_at_few`` when it may be held."""

    def __init__(self) -> None:
        self._missed = 0
        #: Objects set aside since they were last counted, and those that lived when all were last looked at.
        self._aside, self._known = 0, gc.get_freeze_count()

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
        self._aside += len(gc.get_objects())
        gc.freeze()
        self._missed = 0
        if self._aside > self._allowed():
            self._count()

    def _count(self) -> None:
        """Most of what was set aside has been freed, as a rule; to count what is left takes a millisecond for 50 000 objects."""
        self._aside = gc.get_freeze_count() - self._known
        if self._aside > self._allowed():
            self._look_at_all()

    def _allowed(self) -> int:
        """The more are known to live, the longer a look takes, and the rarer it is."""
        return ASIDE + max(0, self._known - FEW)

    def _look_at_all(self) -> None:
        before, began = gc.get_freeze_count(), time.perf_counter()
        look_at_all()
        self._aside, self._known = 0, gc.get_freeze_count()
        took = time.perf_counter() - began
        log.warning("of %d objects that were set aside %d live; to look at all took %.2f s", before, self._known, took)


def _is_much() -> bool:
    # The count costs nothing, and is too small where older objects were freed meanwhile.
    return gc.get_count()[0] > MOST or sum(len(gc.get_objects(generation=one)) for one in _YOUNG) > MOST
