"""How far a stream is known while some of its partitions are idle.

An idle partition holds no watermark back, because nothing of it is left to read; and that was so when its worker last heard from
Kafka, not for ever.  Where traffic returns after a silence, or a worker is behind or gone, the others may be counted hours further
before the first event of this one is.  So it vouches for what the others had counted by then: their clocks are believed as they
were before that moment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from stream.evaluate.panes.clocks import PartitionState
from stream.state.watermarks import PartitionClock

#: Looks at a stream that wait to be vouched for; where its worker is gone, the first ones count.
MOST_LOOKS = 8


def leaves_out(partitions: Sequence[PartitionState]) -> bool:
    """Whether the watermark leaves idle partitions out; where all are idle it does not."""
    idle = sum(partition.clock.idle for partition in partitions)
    return 0 < idle < len(partitions)


def vouched_ms(partitions: Sequence[PartitionState]) -> int | None:
    """Up to when all that are idle were known to be read to their end; None where no worker says when."""
    said = (partition.clock.idle_ms for partition in partitions if partition.clock.idle)
    return min((ms for ms in said if ms is not None), default=None)


class Quiet:
    """What was seen of one stream's partitions, and as much of it as could be believed."""

    def __init__(self) -> None:
        self._looks: deque[tuple[int, list[PartitionClock]]] = deque()
        self._known: list[PartitionClock] = []

    def all_known(self, partitions: list[PartitionState]) -> list[PartitionState]:
        """The partitions as they are: none is left out."""
        self._looks.clear()
        self._known = [partition.clock for partition in partitions]
        return partitions

    def known(self, partitions: list[PartitionState], *, now_ms: int) -> list[PartitionState]:
        """The partitions, with clocks as they were when each idle one had nothing left to read.

        :param now_ms: a time by which everything seen was stored (epoch ms, Redis' clock).
        """
        vouched = vouched_ms(partitions)
        if vouched is None:
            return self.all_known(partitions)
        if len(self._looks) < MOST_LOOKS:
            self._looks.append((now_ms, [partition.clock for partition in partitions]))
        while self._looks and self._looks[0][0] <= vouched:
            self._known = self._looks.popleft()[1]
        unseen = [PartitionClock()] * (len(partitions) - len(self._known))
        clocks = [*self._known, *unseen]
        return [_with(partition, clock) for partition, clock in zip(partitions, clocks, strict=False)]


def _with(partition: PartitionState, clock: PartitionClock) -> PartitionState:
    if partition.clock.idle:
        return partition
    return replace(partition, clock=replace(clock, idle=False))
