"""Causes of drift from the counts of a window: what they say, and how it is told.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from detectors.moments import CLIP, variance_of
from detectors.signatures.cells import Window
from detectors.signatures.signature import signature
from schemas.reference import NumericProfile
from schemas.reports import ColumnCause
from stream.evaluate.causes.causes import Which
from stream.evaluate.columns.watched import Watched
from stream.evaluate.columns.yardstick import Place
from stream.state.layout import HASH_BUCKETS, OUTSIDE_KEYS, SPECIALS, Layout
from stream.state.packing import Partial

#: How causes that hold a value of the feature are told where messages leave: without it.
PLAIN: Mapping[str, str] = {
    "stuck": "stuck at one value",
    "fill": "looks like one value filled in",
    "clip": "looks like values cut off at an end",
    "rows_lost": "looks like rows lost by their value",
}


def found(watched: Watched, total: Partial, wanted: Iterable[Which], *, end_ms: int) -> dict[Which, ColumnCause | None]:
    """The likely cause of each of these columns in a window that ends here; None where nothing stands out."""
    places = {(place.room, place.name): place for place in watched.yardstick.places}
    return {which: _found(watched, total, places[which], end_ms=end_ms) for which in wanted}


def plainly(cause: ColumnCause) -> str:
    """A cause in words that hold no value of the feature.

    >>> plainly(ColumnCause("stuck", "stuck at 7", 1.0, 500, 0, {"value": 7.0}))
    'stuck at one value'
    """
    return PLAIN.get(cause.family, cause.words)


def window_in(layout: Layout, total: Partial, number: int) -> Window:
    """A numeric column of a pane, or of a window's sum of panes, as a signature wants it."""
    column, first = layout.numeric[number], layout.numeric_starts[number]
    behind = first + column.bins + len(SPECIALS)
    counts = total.cells[first : first + column.bins]
    least, greatest = total.extrema[2 * number : 2 * number + 2].tolist()
    cut = max(abs(least - column.mean), abs(greatest - column.mean)) >= CLIP * column.sd
    sum_q, sum_q2 = total.sums[2 * number : 2 * number + 2].tolist()
    variance = None if cut else variance_of(sum_q, sum_q2, int(counts.sum()), sd=column.sd)
    outside = behind + HASH_BUCKETS
    return Window(
        counts,
        least,
        greatest,
        outside=total.cells[outside : outside + OUTSIDE_KEYS],
        buckets=total.cells[behind:outside],
        sd=None if variance is None else variance**0.5,
    )


def _found(watched: Watched, total: Partial, place: Place, *, end_ms: int) -> ColumnCause | None:
    profile = watched.yardstick.profiles[place.held]
    if not isinstance(profile, NumericProfile) or place.number is None:
        return None
    window = window_in(watched.layout, total, place.number)
    if not np.asarray(window.counts).sum():
        return None
    try:
        said = signature(profile, window)
    except ValueError:  # counts that contradict each other explain nothing; the judgement does without
        return None
    if said is None:
        return None
    return ColumnCause(said.family, said.words, said.explained, said.n, end_ms, dict(said.parameters))
