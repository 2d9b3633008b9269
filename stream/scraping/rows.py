"""From a part of what waits to rows: one request each, with a time, a status, a latency and tokens.  Pure.

The buckets of a histogram are kept exactly: as many rows lie in each as were counted there.  Inside a bucket rows are spread
evenly over a stretch of it, the same stretch of every bucket, chosen so that the sum of all rows is the histogram's sum
wherever the buckets allow that.  A sum without buckets gives every request the mean.  Time, latency and status are dealt out
so that any stretch of time holds a fair sample of all: what happened when within an interval, a counter does not know.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.scraping.meters import Meter
from stream.scraping.waiting import Part

Floats = NDArray[np.float64]

#: Rows whose times differ, of a record; so they fall into at most as many panes, whatever a pane's length.
MOST_TIMES = 1_000
#: Rows of a record.
RECORD_ROWS = 4_000
#: Of a bucket's width, how near to its lower bound (which belongs to the bucket below) a row may lie.
_LEAST = 2.0**-20
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Columns of one length; a measure is NaN where a request has none."""

    timestamps_ms: NDArray[np.int64]
    errors: NDArray[np.bool_]
    measures: Mapping[str, Floats]


def rows_of(part: Part) -> Rows:
    """The rows of a part, in order of time."""
    errors = np.zeros(part.rows, dtype=bool)
    errors[_evenly(part.errors, part.rows)] = True
    columns = {name: _column(meters, errors) for name, meters in part.measures.items() if meters}
    return Rows(times(part.rows, begin_ms=part.begin_ms, end_ms=part.end_ms), errors, columns)


def times(rows: int, *, begin_ms: int, end_ms: int) -> NDArray[np.int64]:
    """So many times in (begin, end], evenly, the last at the end.

    >>> times(4, begin_ms=0, end_ms=1000).tolist()
    [250, 500, 750, 1000]
    """
    at_once = max(1, math.ceil(min(rows, RECORD_ROWS) / MOST_TIMES))
    step = np.minimum((np.arange(rows) // at_once + 1) * at_once, rows)
    return begin_ms + np.ceil(step * (max(0, end_ms - begin_ms) / rows)).astype(np.int64)


def placed(meter: Meter) -> Floats:
    """A value for each observation of a histogram, bucket by bucket.

    >>> placed(Meter(2.5, (1.0, 2.0), (2.0, 1.0, 0.0))).tolist()  # the middle of each bucket
    [0.25, 0.75, 1.5]
    >>> placed(Meter(9.0, (1.0, 2.0), (2.0, 1.0, 1.0))).tolist()  # and what is left for the one above
    [0.25, 0.75, 1.5, 6.5]
    """
    lower = np.array([min(0.0, meter.bounds[0]), *meter.bounds])
    upper = np.array([*meter.bounds, np.inf])
    counts = np.array(meter.counts, dtype=np.int64)
    beyond, share = _fitted(lower, upper, counts=counts, total=meter.total)
    buckets = zip(lower, upper[:-1], counts, strict=False)
    inside = [_inside(low + _stretch(n, share) * (high - low), low=low, high=high) for low, high, n in buckets]
    return np.concatenate([*inside, np.full(counts[-1], beyond)])


def _inside(values: Floats, *, low: float, high: float) -> Floats:
    """Rounding never moves a value into another bucket; a bound belongs to the bucket below it."""
    return np.minimum(np.maximum(values, np.nextafter(low, np.inf)), high)


def _fitted(lower: Floats, upper: Floats, *, counts: NDArray[np.int64], total: float | None) -> tuple[float, float]:
    """The value above every bound, and where in its bucket the mean of the others lies (0 to 1), for all to add up to the total."""
    n, last = counts[:-1], float(lower[-1])
    above = last + max(abs(last), 1.0) * _LEAST
    base, width = float(n @ lower[:-1]), float(n @ (upper[:-1] - lower[:-1]))
    if total is None:
        return above, 0.5
    if counts[-1]:
        beyond = (total - base - width / 2) / float(counts[-1])
        if beyond > above or not width:
            return max(beyond, above), 0.5
        total -= above * float(counts[-1])
    return above, min(1.0, max(_LEAST, (total - base) / width)) if width else 0.5


def _stretch(n: int, share: float) -> Floats:
    """n places in (0, 1] with this mean, evenly over the widest stretch around it."""
    spread = min(share, 1.0 - share)
    return share - spread + 2 * spread * (np.arange(n) + 0.5) / max(n, 1)


def _column(meters: tuple[Meter, ...], errors: NDArray[np.bool_]) -> Floats:
    """A quantity's values by row.  Requests that succeeded have theirs first: a failed one may end without."""
    column = np.full(len(errors), np.nan)
    succeeded, failed = np.flatnonzero(~errors), np.flatnonzero(errors)
    observed = np.concatenate([np.empty(0), *(placed(meter) for meter in meters if meter.bounds)])
    first = min(len(observed), len(succeeded))
    rows = np.sort([*succeeded[_evenly(first, len(succeeded))], *failed[_evenly(len(observed) - first, len(failed))]])
    column[rows.astype(np.int64)] = np.sort(observed)[dealt(len(observed))]
    bare = succeeded[np.isnan(column[succeeded])]
    sums = math.fsum(meter.total or 0.0 for meter in meters if not meter.bounds)
    if sums and len(bare):
        column[bare] = sums / len(bare)
    return column


def dealt(n: int) -> NDArray[np.int64]:
    """An order of n things in which every run holds small and large ones alike: ranks of multiples of the golden ratio.

    >>> dealt(8).tolist()
    [4, 1, 6, 3, 0, 5, 2, 7]
    """
    return np.argsort(np.argsort((np.arange(n) + 1) * _GOLDEN % 1.0))


def _evenly(chosen: int, of: int) -> NDArray[np.int64]:
    """So many places of so many, spread out."""
    return (np.arange(chosen, dtype=np.int64) * of + of // 2) // max(chosen, 1) if chosen else np.empty(0, np.int64)
