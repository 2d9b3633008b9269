"""How far event time is complete: a partition's watermark, and which partitions are idle or run ahead.

Pure.  A wall clock decides only whether a partition is idle; everything else follows from what was counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: The watermark of a partition that nobody has read from yet.
UNREAD = -(1 << 62)


@dataclass(frozen=True, slots=True)
class PartitionClock:
    """What the offset hash says of a partition; None where no event (``clock``) or control record (``closed``) came."""

    clock: int | None = None
    closed: int | None = None
    idle: bool = False
    #: Something of it was read, if only events without a time that can be believed.
    begun: bool = False
    #: Of an idle partition: when nothing was left to read (epoch ms, Redis' clock); None: a worker of before did not say.
    idle_ms: int | None = None
    #: Its models are over their quota, and it waits for others.
    behind: bool = False


def clock_of(fields: Mapping[bytes, bytes]) -> PartitionClock:
    """The progress a stored offset hash tells."""
    clock, closed = fields.get(b"clock"), fields.get(b"closed")
    return PartitionClock(
        int(clock) if clock else None,
        int(closed) if closed else None,
        idle=fields.get(b"idle") == b"1",
        begun=int(fields.get(b"next") or 0) > 0,
        behind=bool(fields.get(b"behind")),
    )  # fmt: skip


def partition_watermark(progress: PartitionClock, *, lateness_ms: int) -> int:
    """No event older than this is waited for: greatest event time less the lateness, or what a control record said.

    >>> partition_watermark(PartitionClock(clock=10_000), lateness_ms=2_000)
    8000
    """
    seen = UNREAD if progress.clock is None else progress.clock - lateness_ms
    return max(seen, UNREAD if progress.closed is None else progress.closed)


def is_idle(*, unread: int | None, quiet_s: float, idle_after_s: float, empty: bool) -> bool:
    """Nothing left to read (None: not known yet), and quiet long enough; an empty partition at once."""
    return unread == 0 and (empty or quiet_s >= idle_after_s)


def ahead_of(clocks: Mapping[int, PartitionClock], *, ahead_ms: int) -> set[int]:
    """Partitions that run more than ``ahead_ms`` of event time ahead of the slowest that is not idle.

    One of which nothing was read yet is the slowest; one that only ever held events without a time is left out, and so is one
    that was put behind the others: they are not to wait for it.

    >>> ahead_of({0: PartitionClock(100), 1: PartitionClock(5_000), 2: PartitionClock(9_999, idle=True)}, ahead_ms=1_000)
    {1}
    """
    active = {
        number: of for number, of in clocks.items() if not (of.idle or of.behind or (of.begun and of.clock is None))
    }
    slowest = min((_clock(progress) for progress in active.values()), default=UNREAD)
    return {number for number, progress in active.items() if _clock(progress) > slowest + ahead_ms}


def _clock(progress: PartitionClock) -> int:
    return UNREAD if progress.clock is None else progress.clock
