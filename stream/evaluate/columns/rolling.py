"""Columns with ``reference: rolling``: a window against an earlier one of the same stream, as values such as ids age.  Pure.

A window shorter than a week is held against the same hours a week before, by the clocks of the model's zone, for hours differ; a
longer one against the one before it.  Both hold so few rows as one window does, so bins are summed until each holds forty rows of
the smaller one: PSI with no drift is then at most .05, if rows are independent.  Names counted by a hash are compared by its
buckets, in which a plane or a customer is one of many: what shows is that few take the place of many, or many of few.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors import psi_of_columns
from detectors.calibration.folding import folded, named_groups, ordered_groups
from detectors.seasonal import week_before
from schemas.reports import Measure, State
from stream.evaluate.columns.rules import LEAST_ROWS, ColumnRules
from stream.evaluate.columns.watched import Watched
from stream.evaluate.columns.yardstick import NOT_HELD, Place
from stream.evaluate.panes.tiers import DAY_MS
from stream.evaluate.panes.windows import boundary_before
from stream.state.layout import EVENTS

Ints = NDArray[np.int64]

WEEK_MS = 7 * DAY_MS
#: Clocks are never changed by more.
CLOCKS_MS = DAY_MS
#: Rows that a bin holds of the smaller window at least, over the five that folding asks for.
_FOLDED = 8.0


@dataclass(frozen=True, eq=False, slots=True)
class Earlier:
    """The cells of the earlier window; ``complete``: the model's panes reach back to its start."""

    cells: Ints
    complete: bool

    @property
    def events(self) -> int:
        return int(self.cells[EVENTS])


@dataclass(frozen=True, eq=False, slots=True)
class Rolled:
    """A column's verdict: what it is held against, and the ``state`` it has if nothing is beyond a threshold."""

    state: State
    values: int
    measures: Mapping[str, Measure]


def is_rolling(watched: Watched) -> bool:
    """Whether any column is held against an earlier window."""
    return any(rules.rolling for rules in watched.rules)


def earlier_span(start_ms: int, end_ms: int, *, zone: str = "UTC") -> tuple[int, int]:
    """The earlier window of one; that of a week before begins when the clocks of a zone showed the same time.

    >>> earlier_span(30 * DAY_MS, 31 * DAY_MS) == (23 * DAY_MS, 24 * DAY_MS)
    True
    >>> earlier_span(28 * DAY_MS, 56 * DAY_MS) == (0, 28 * DAY_MS)
    True
    """
    length = end_ms - start_ms
    begin = week_before(start_ms, zone=zone) if length < WEEK_MS else start_ms - length
    return begin, begin + length


def ends_held_against(starts: Iterable[int], *, length_ms: int, step_ms: int, zone: str, upto: int) -> set[int]:
    """Ends of the judged windows whose earlier window holds any of the panes that begin here.

    >>> sorted(end // DAY_MS for end in ends_held_against([0], length_ms=2 * DAY_MS, step_ms=DAY_MS, zone="UTC", upto=99 * DAY_MS))
    [8, 9]
    """
    back_ms, panes, candidates = max(WEEK_MS, length_ms), sorted(starts), set[int]()
    for start in panes:
        first = boundary_before(start + back_ms - CLOCKS_MS, step_ms=step_ms)
        candidates |= set(range(first, min(upto, start + back_ms + length_ms + CLOCKS_MS) + 1, step_ms))
    spans = {end: earlier_span(end - length_ms, end, zone=zone) for end in candidates}
    return {end for end, (begin, stop) in spans.items() if bisect_left(panes, begin) < bisect_left(panes, stop)}


def convention_of(length_ms: int) -> str:
    """What the measures of a window of a length are called."""
    return "driftline, same hours a week before" if length_ms < WEEK_MS else "driftline, window before"


def rolled(
    watched: Watched, place: Place, rules: ColumnRules, *, windows: tuple[Ints, Earlier], length_ms: int
) -> Rolled:
    """A rolling column in a window's cells and those of the earlier one."""
    cells, earlier = windows
    now, then = (_bins(watched, place, each) for each in (cells, earlier.cells))
    values, rows = int(then[:-1].sum()), (int(now.sum()), int(then.sum()))
    if not earlier.complete:
        return Rolled("warming", values, {})
    # An earlier window without values is nothing to be held against: a feature that appears, or came back after a failure.
    if min(*rows, values) < LEAST_ROWS:
        return Rolled("not_enough_data", values, {})
    return Rolled(
        "ok", values, {"psi": _psi(now, then, place=place, limit=rules.thresholds["psi"], length_ms=length_ms)}
    )


def _psi(now: Ints, then: Ints, *, place: Place, limit: float, length_ms: int) -> Measure:
    """Of folded bins and a last one of rows without a value."""
    first, second = (_folded(each, _groups(now[:-1], then[:-1], place)) for each in (then, now))
    start = np.zeros(1, np.int64)
    value, bins = psi_of_columns.driftline(first, second, start)
    expected = psi_of_columns.expected(bins, second.sum(keepdims=True), first.sum(keepdims=True))
    found = float(value[0])
    return Measure(
        found, convention_of(length_ms), expected=float(expected[0]), threshold=limit, exceeded=found > limit
    )


def _groups(now: Ints, then: Ints, place: Place) -> Ints:
    """Neighbours are summed, and of names the rare ones; a hash's buckets are all alike, and summed as neighbours."""
    both = (now + then).astype(np.float64)
    least = min(now.sum(), then.sum()) / _FOLDED
    fold = named_groups if _is_named(place) else ordered_groups
    return fold(both / max(both.sum(), 1.0), float(least))


def _folded(counts: Ints, groups: Ints) -> Ints:
    return np.append(folded(counts[:-1], groups).astype(np.int64), counts[-1])


def _is_named(place: Place) -> bool:
    return place.number is None and place.held != NOT_HELD


def _bins(watched: Watched, place: Place, cells: Ints) -> Ints:
    """Bins with a value, as the reference's are folded, then the rows without one."""
    held = place.held != NOT_HELD
    begins = np.array(watched.yardstick.begins[place.held]) if held else np.arange(place.first, place.values_end + 1)
    values: Ints = np.add.reduceat(cells, begins)[:-1]
    return np.append(values, cells[place.values_end : place.rows_end].sum())
