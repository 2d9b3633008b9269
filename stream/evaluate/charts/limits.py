"""Beyond which limits each chart alarms, and which of the charts say something by themselves.  Pure.

Where the budget decides about a column, both its CUSUMs do, by their share of it (`detectors.budget`).  Elsewhere limits are fixed,
both of a run length of 465 values that do not hang together: the first chart informs, unless thresholds are fixed, and then none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors import cusum
from detectors.budget.limits import chart_limits
from stream.evaluate.calibration.budget_share import rate_of
from stream.evaluate.columns.watched import Watched

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Limits without a budget: of equal run length.
FIXED = (cusum.LIMIT, 8.447)
#: Sums are held so many sd above their limit, and are clear so many below it (at a fifth of a limit that is low).
HELD, BACK, LEAST_BACK = 1.0, 4.0, 0.2


@dataclass(frozen=True, eq=False, slots=True)
class Limits:
    """(charts, columns): the limits, where sums are held and where they are clear again, and which charts say something.

    budgeted: (columns,) which columns the budget decides about.
    """

    at: Floats
    held: Floats
    clear: Floats
    decide: Bools
    budgeted: Bools


def limits_of(watched: Watched) -> Limits:
    """The limits of every chart; worked out once."""
    known: Limits | None = watched.chart_limits.get("known")
    if known is None:
        known = watched.chart_limits["known"] = _limits(watched)
    return known


def limits_at(at: Floats, *, decide: Bools, budgeted: Bools) -> Limits:
    """(charts, columns) limits with what follows from them.

    >>> one = np.ones((1, 1), dtype=np.bool_)
    >>> found = limits_at(np.array([[10.0]]), decide=one, budgeted=one[0])
    >>> found.held.tolist(), found.clear.tolist()
    ([[11.0]], [[6.0]])
    """
    return Limits(at, at + HELD, np.maximum(at - BACK, LEAST_BACK * at), decide, budgeted)


def prepare(watched: Watched) -> None:
    """Work out all that a judgement of panes needs: a dozen milliseconds, to be spent off the event loop."""
    watched.prepare()
    limits_of(watched)


def is_prepared(watched: Watched) -> bool:
    """Whether all of it is worked out."""
    return watched.prepared and bool(watched.chart_limits)


def _limits(watched: Watched) -> Limits:
    numbers = watched.charted.numbers.tolist()
    budgeted = np.array([bool(watched.rules[number].budgeted) for number in numbers], dtype=np.bool_)
    informs = np.array([_informs(watched, number) for number in numbers], dtype=np.bool_)
    at = np.repeat(np.array(FIXED)[:, None], len(numbers), axis=1)
    for column in np.flatnonzero(budgeted).tolist():
        share = rate_of(watched, every_ms=watched.layout.pane_ms)
        at[:, column] = chart_limits(watched.charted.baselines[column], share)
    return limits_at(at, decide=np.stack([budgeted | informs, budgeted]), budgeted=budgeted)


def _informs(watched: Watched, number: int) -> bool:
    """Whether a column's chart is wanted although no budget says so: nobody has said by fixed thresholds what decides."""
    monitor, place = watched.monitor, watched.yardstick.places[number]
    feature = monitor.features.get(place.name) if place.room == "features" else None
    return monitor.budget is None and not monitor.fixed and not (feature and feature.fixed)
