"""What a pane's counts say of service levels, as whole numbers that may be summed over panes in any order.  Pure.

A latency counts as slower than promised by the bin it is in; of those in the very bin that the promise divides, the share that
lies above it where they lie evenly.  A promise at an edge of the bins (0.1, 0.25, 0.5, 1, 2, 5 … s) divides none: exact.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.moments import STEPS, scale_of
from stream.evaluate.columns.watched import Watched
from stream.evaluate.panes.totals import bounds_of
from stream.evaluate.verdicts.serving import latencies_of, requests_of
from stream.state.layout import Layout
from stream.state.packing import Ints, Partial

#: What is counted, in this order; ``WITHIN``: latencies in the bin that the promise divides.
REQUESTS, ERRORS, LATENCIES, SLOWER, WITHIN, PERPLEXITIES, PERPLEXITY = range(7)
COUNTS = 7


@dataclass(frozen=True, slots=True)
class Terms:
    """What the counts depend on beside the events, and for how long they are wanted (ms)."""

    pane_ms: int
    longest_ms: int
    promised_ms: int | None


def terms_of(watched: Watched) -> Terms | None:
    """None where nobody asks: no service level is promised of the stream, nor may it hold perplexities."""
    monitor, serving = watched.monitor, watched.monitor.serving
    window = min(monitor.windows.values())
    if watched.stream == serving.stream and (serving.error_rate is not None or serving.latency_p95_ms is not None):
        return Terms(watched.layout.pane_ms, max(serving.period_ms, window), serving.latency_p95_ms)
    return Terms(watched.layout.pane_ms, window, None) if watched.stream == "serving" else None


def counts_of(layout: Layout, pane: Partial, *, promised_ms: int | None) -> Ints:
    """(7,) what a pane adds."""
    found = np.zeros(COUNTS, np.int64)
    found[[REQUESTS, ERRORS]] = requests_of(layout, pane)
    edges, counts, _ = latencies_of(layout, pane)
    found[LATENCIES] = counts.sum()
    if promised_ms is not None:
        at, _ = _divided(bounds_of(edges), promised_ms / 1000)
        found[[SLOWER, WITHIN]] = counts[at + 1 :].sum(), counts[at]
    found[[PERPLEXITIES, PERPLEXITY]] = _perplexity(layout, pane)
    return found


def slower_of(layout: Layout, total: Ints, *, promised_ms: int) -> float | None:
    """How many latencies of a sum were above the promise; None of one beyond the last edge, where no bin says so."""
    (edges,) = (column.edges for column in layout.numeric if column.path == "latency_s")
    at, share = _divided(bounds_of(edges), promised_ms / 1000)
    return float(total[SLOWER] + share * total[WITHIN]) if at < len(edges) else None


def perplexity_of(layout: Layout, total: Ints) -> float | None:
    """The mean perplexity of a sum; None of no value."""
    column = next((column for column in layout.numeric if column.path == "perplexity"), None)
    if column is None or not total[PERPLEXITIES]:
        return None
    return column.mean + scale_of(column.sd) * int(total[PERPLEXITY]) / (STEPS * int(total[PERPLEXITIES]))


def _divided(bounds: Sequence[float], promised: float) -> tuple[int, float]:
    """The bin that the promise is in, above which all are slower, and the share of that bin that is.

    >>> _divided((0.5, 0.75), 0.6), _divided((0.5, 0.75), 0.5)
    ((1, 0.6), (0, 0.0))
    """
    at = bisect_left(bounds, promised)
    if at == len(bounds):
        return at, 0.0
    low = bounds[at - 1] if at else 0.0
    return at, round((bounds[at] - promised) / (bounds[at] - low), 12)


def _perplexity(layout: Layout, pane: Partial) -> tuple[int, int]:
    """(values, their fixed-point sum)."""
    for at, (column, first) in enumerate(zip(layout.numeric, layout.numeric_starts, strict=True)):
        if column.path == "perplexity":
            return int(pane.cells[first : first + column.bins].sum()), int(pane.sums[2 * at])
    return 0, 0
