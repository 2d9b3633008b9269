"""Limits of data quality that a reference teaches, by place: for windows of one length and about as many events.  Pure.

They are made with the calibrated tests (:mod:`stream.evaluate.calibration.calibrated`), beside the event loop, and kept with
them.  A window has at least the events that they are made for, so its own limits would be no wider.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.budget.limits import MARGIN
from detectors.calibration.calibrate import Window
from detectors.quality.limits import LEARNED, Learned, Limit, learned_limits
from detectors.quality.verdict import LEVEL
from stream.evaluate.calibration.budget_share import rate_of
from stream.evaluate.calibration.learned import checks_of
from stream.evaluate.columns.rules import ColumnRules
from stream.evaluate.columns.watched import Watched
from stream.evaluate.columns.yardstick import NOT_HELD, Place
from stream.evaluate.panes.tiers import rows_a_day

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class QualityLimits:
    """(places,) by check: a share above ``limit`` is unlike the reference, ``expected`` is what it holds; NaN where not known.

    ``together``: so many rows without a value count as one, for they come together.
    """

    limit: dict[Learned, Floats]
    expected: dict[Learned, Floats]
    together: Floats


def no_limits(places: int) -> QualityLimits:
    """Where nothing was learned."""
    unknown = dict.fromkeys(LEARNED, np.full(places, np.nan))
    return QualityLimits(unknown, unknown, np.full(places, np.nan))


def quality_limits(watched: Watched, length_ms: int, events: int) -> QualityLimits:
    """The limits for windows of a length and so many events; none where the reference's panes do not make up the window."""
    pane_ms, places = watched.reference.pane_ms, watched.yardstick.places
    limit, expected = ({name: np.full(len(places), np.nan) for name in LEARNED} for _ in range(2))
    limits = QualityLimits(limit, expected, np.full(len(places), np.nan))
    if pane_ms is None or length_ms % pane_ms:
        return limits
    window = Window(length_ms // pane_ms, events, day=rows_a_day(pane_ms))
    for at, (place, rules) in enumerate(zip(places, watched.rules, strict=True)):
        if place.held != NOT_HELD and place.room == "features":
            level = _level(watched, place, rules, length_ms=length_ms)
            learned = learned_limits(watched.yardstick.profiles[place.held], window, level=level)
            # What is held against the weeks before has outgrown the reference's names and range.
            kept = {name: limit for name, limit in learned.items() if name == "missing" or not rules.rolling}
            _put(limits, at, kept)
    return limits


def _level(watched: Watched, place: Place, rules: ColumnRules, *, length_ms: int) -> float:
    """Where the budget decides, a check's part of the rate, as though each judgement were the first to look at its rows."""
    checks = checks_of(watched, place, rules, length_ms=length_ms)
    if not checks:
        return LEVEL
    return min(LEVEL, MARGIN * rate_of(watched, every_ms=watched.monitor.step_ms) / len(checks))


def _put(limits: QualityLimits, at: int, learned: dict[Learned, Limit]) -> None:
    for name, found in learned.items():
        limits.limit[name][at], limits.expected[name][at] = found.limit, found.expected
        if name == "missing":
            limits.together[at] = found.effect
