"""What an event's time decides, without any clock: accepted, late, too late or from the future.

"From the future" is judged against the Kafka timestamp of the record, "late" against the partition's own watermark
before the event, so every replay of the partition decides the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: No event of the partition has been seen.
NEVER = -(1 << 62)


@dataclass(frozen=True, eq=False, slots=True)
class Verdicts:
    """One entry an event; ``clock`` is the partition's greatest event time after all of them."""

    future: Bools
    too_late: Bools
    late: Bools
    clock: int


def judge(
    event_ms: Ints,
    record_ms: Ints,
    *,
    clock: int,
    closed: Ints | int,
    pane_end: Ints,
    lateness: Ints,
    keep: Ints,
    skew_ms: int,
) -> Verdicts:
    """Judge the events of one partition, in offset order.

    :param event_ms: event times; ``record_ms``: the Kafka timestamps of their records.
    :param clock: greatest event time before the first of them; ``closed``: watermark set by control records, so far.
    :param pane_end: end of each event's pane; ``lateness`` and ``keep`` (``revise_within``): of its model, in ms.

    An event is late when the watermark had passed the end of its pane, and too late when its pane had ended more than
    ``keep`` before that watermark.  An event from the future, or too late, does not move the clock.

    >>> ms = np.array([1_000, 9_000, 1_500])
    >>> flat = dict(lateness=np.full(3, 2_000), keep=np.full(3, 60_000), skew_ms=1_000)
    >>> found = judge(ms, ms, clock=NEVER, closed=NEVER, pane_end=np.array([2_000, 10_000, 2_000]), **flat)
    >>> found.late.tolist(), found.clock
    ([False, False, True], 9000)
    """
    future = event_ms > record_ms + skew_ms
    seen = np.maximum.accumulate(np.where(future, NEVER, event_ms))
    before = np.maximum(clock, np.concatenate([[NEVER], seen[:-1]])) if len(seen) else seen
    watermark = np.maximum(before - lateness, closed)
    late = ~future & (pane_end <= watermark)
    too_late = late & (pane_end + keep <= watermark)
    return Verdicts(future, too_late, late & ~too_late, max(clock, int(seen[-1])) if len(seen) else clock)
