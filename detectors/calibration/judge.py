"""The verdict on a window: is it further from the reference than honest windows of its length are?

Two questions, answered together: do the shares differ at all (omnibus, a sum of squares), and did the middle move (location, where
bins have an order).  Their p-values combine by Cauchy's rule, which holds whatever the dependence between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from detectors.calibration.calibrate import Calibration
from detectors.calibration.stacked import Stacked, stacked
from detectors.calibration.tail import saddlepoint, three_moments
from detectors.segments import totals

Floats = NDArray[np.float64]

#: A p-value is not taken for more: one of exactly 1 would silence the other.
_MOST = 0.99
#: Smallest shift found four times out of five, in standard errors, at a level of 5 %.
_FOUND = 2.8
#: Where three moments say more, they are right enough, and the saddlepoint is not asked.
_BODY = 0.2


@dataclass(frozen=True, slots=True)
class Verdict:
    """p-values of a window of ``rows``, and what belongs beside them.

    :param p: of both questions together; ``p_location`` and ``shift`` (in sd of a normal feature) None without an order.
    :param effective_rows: independent rows that would tell as much; for people, no test uses it.
    :param expected_psi: what PSI comes to, on the same bins, with no drift.
    :param smallest_shift: the least shift of location that a window of this size finds four times out of five.
    """

    rows: int
    p: float
    p_omnibus: float
    p_location: float | None
    shift: float | None
    effective_rows: float
    expected_psi: float
    smallest_shift: float | None

    @property
    def error(self) -> float | None:
        """Standard error of the shift."""
        return None if self.smallest_shift is None else self.smallest_shift / _FOUND


def judge(calibration: Calibration, counts: ArrayLike) -> Verdict | None:
    """The verdict on (bins,) counts of a window; None of a window without rows.

    >>> from detectors.calibration.calibrate import Window, calibrate_ordered
    >>> panes = np.random.default_rng(1).multinomial(100, [0.1] * 10, size=200)
    >>> test = calibrate_ordered(panes, Window(panes=10, rows=1000))
    >>> same, moved = judge(test, panes[:10].sum(axis=0)), judge(test, [60, 70, 80, 90, 100, 100, 110, 120, 130, 140])
    >>> same.p > 0.05, moved.p < 1e-3, round(moved.shift, 2), round(same.effective_rows, -2)
    (True, True, 0.25, 800.0)
    """
    return judge_all([(calibration, counts)])[0]


def judge_all(windows: Sequence[tuple[Calibration, ArrayLike]]) -> list[Verdict | None]:
    """The verdicts on many windows, each with its own calibration."""
    if not windows:
        return []
    side_by_side = stacked([calibration for calibration, _ in windows])
    return judge_stacked(side_by_side, np.concatenate([np.asarray(counts, dtype=np.float64) for _, counts in windows]))


def judge_stacked(tests: Stacked, counts: ArrayLike) -> list[Verdict | None]:
    """The verdicts of all tests on (bins,) counts that lie behind one another as the tests do."""
    return judge_folded(tests, tests.folded(counts))


def judge_folded(tests: Stacked, window: Floats) -> list[Verdict | None]:
    """The same on counts that are folded already, and need not be whole rows."""
    rows = tests.rows(window)
    away, some = tests.away(window, rows), np.maximum(rows, 1.0)
    weights = tests.omnibus.of(some, tests.scales)
    p_omnibus = _tail(totals(away**2 / tests.share, tests.starts), weights, tests)
    shift, error = totals(away * tests.score, tests.starts), np.sqrt(tests.location.of(some, tests.scales)[:, 0])
    p_location = _tail_of_shift(shift, error, tests)
    p = np.where(tests.ordered, cauchy(p_omnibus, p_location), p_omnibus)
    spread = weights.sum(axis=1)
    columns = (rows, p, p_omnibus, p_location, shift, (tests.bins - 1.0) / spread, spread, _FOUND * error)
    return [
        _verdict(values, ordered=ordered) if values[0] else None
        for ordered, *values in zip(tests.ordered.tolist(), *(one.tolist() for one in columns), strict=True)
    ]


def cauchy(first: Floats, second: Floats) -> Floats:
    """One p-value of two, whatever their dependence (Liu and Xie, 2020).

    >>> cauchy(np.array([0.05, 1e-12]), np.array([0.05, 0.9])).round(15).tolist()
    [0.05, 2e-12]
    """
    either = 1.0 / np.tan(np.pi * np.clip([first, second], 1e-300, _MOST))
    found: Floats = np.arctan2(1.0, either.mean(axis=0)) / np.pi
    return found


def _verdict(values: Sequence[float], *, ordered: bool) -> Verdict:
    rows, p, p_omnibus, p_location, shift, effective, expected, smallest = values
    return Verdict(
        rows=round(rows),
        p=p,
        p_omnibus=p_omnibus,
        p_location=p_location if ordered else None,
        shift=shift if ordered else None,
        effective_rows=effective,
        expected_psi=expected,
        smallest_shift=smallest if ordered else None,
    )


def _tail(statistic: Floats, weights: Floats, tests: Stacked) -> Floats:
    """The larger of both tail areas; the saddlepoint only where it may matter."""
    scales = tests.scales
    found = three_moments(statistic, weights, scales.freedom_of_scale, freedom=scales.freedom_of_shape)
    far = np.flatnonzero(found <= _BODY)
    if far.size:
        beyond = saddlepoint(statistic[far], weights[far], scales.freedom_of_scale[far])
        found[far] = np.maximum(found[far], beyond)
    return found


def _tail_of_shift(shift: Floats, error: Floats, tests: Stacked) -> Floats:
    """Two-sided, by Student's t; .5 where there is no order."""
    z = np.divide(np.abs(shift), error, out=np.zeros_like(shift), where=error > 0.0)
    tail = 2.0 * special.stdtr(tests.scales.freedom_of_shift, -z)
    return np.where(tests.ordered, tail, 0.5)
