"""The verdict on a window: is it further from the reference than honest windows of its length are?

Two questions, answered together: do the shares differ at all (omnibus, a sum of squares), and did the middle move (location, where
bins have an order).  Their p-values combine by Cauchy's rule, which holds whatever the dependence between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from detectors.calibration.calibrate import Calibration
from detectors.calibration.effects import Effects, variances
from detectors.calibration.folding import folded
from detectors.calibration.tail import saddlepoint, three_moments

Floats = NDArray[np.float64]

#: A p-value is not taken for more: one of exactly 1 would silence the other.
_MOST = 0.99
#: Smallest shift found four times out of five, in standard errors, at a level of 5 %.
_FOUND = 2.8


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


@dataclass(frozen=True, slots=True)
class _Measured:
    """A window's distance from the reference, before its tail areas: the statistic and the variances of its components."""

    rows: float
    statistic: float
    spread: Floats
    shift: float | None
    error: float | None
    freedom: float


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


def judge_all(windows: Iterable[tuple[Calibration, ArrayLike]]) -> list[Verdict | None]:
    """The verdicts on many windows, of one feature or of many, at hardly more than the cost of one."""
    pairs = list(windows)
    measured = [_measured(calibration, counts) for calibration, counts in pairs]
    there = [(pair[0], one) for pair, one in zip(pairs, measured, strict=True) if one is not None]
    found = iter(_verdicts([one for one, _ in there], [one for _, one in there]) if there else [])
    return [None if one is None else next(found) for one in measured]


def cauchy(first: Floats, second: Floats) -> Floats:
    """One p-value of two, whatever their dependence (Liu and Xie, 2020).

    >>> cauchy(np.array([0.05, 1e-12]), np.array([0.05, 0.9])).round(15).tolist()
    [0.05, 2e-12]
    """
    either = 1.0 / np.tan(np.pi * np.clip([first, second], 1e-300, _MOST))
    found: Floats = np.arctan2(1.0, either.mean(axis=0)) / np.pi
    return found


def _measured(calibration: Calibration, counts: ArrayLike) -> _Measured | None:
    window = folded(counts, calibration.groups)
    rows = float(window.sum())
    if rows == 0.0:
        return None
    away = window / rows - calibration.counts / calibration.scale.rows
    shift, error, freedom = _location(calibration, away, rows)
    return _Measured(
        rows=rows,
        statistic=float((away**2 / calibration.shares).sum()),
        spread=variances(calibration.omnibus.effects, calibration.scale, rows),
        shift=shift,
        error=error,
        freedom=freedom,
    )


def _location(calibration: Calibration, away: Floats, rows: float) -> tuple[float | None, float | None, float]:
    """(shift, its standard error, its degrees of freedom)."""
    effects: Effects | None = calibration.location
    if calibration.scores is None or effects is None:
        return None, None, np.inf
    error = float(np.sqrt(variances(effects, calibration.scale, rows)[0]))
    return float(away @ calibration.scores), error, max(1.0, float(effects.freedom[0]))


def _verdicts(calibrations: Sequence[Calibration], measured: Sequence[_Measured]) -> list[Verdict]:
    p_omnibus, p_location = _omnibus(calibrations, measured), _tail_of_shift(measured)
    p = np.where(np.isnan(p_location), p_omnibus, cauchy(p_omnibus, np.nan_to_num(p_location, nan=0.5)))
    return [
        Verdict(
            rows=int(one.rows),
            p=float(p[at]),
            p_omnibus=float(p_omnibus[at]),
            p_location=None if np.isnan(p_location[at]) else float(p_location[at]),
            shift=one.shift,
            effective_rows=(len(calibrations[at].shares) - 1) / float(one.spread.sum()),
            expected_psi=float(one.spread.sum()),
            smallest_shift=None if one.error is None else _FOUND * one.error,
        )
        for at, one in enumerate(measured)
    ]


def _omnibus(calibrations: Sequence[Calibration], measured: Sequence[_Measured]) -> Floats:
    widest = max(len(one.spread) for one in measured)
    spread = np.array([np.pad(one.spread, (0, widest - len(one.spread))) for one in measured])
    statistic = np.array([one.statistic for one in measured])
    scale = np.array([one.omnibus.scale_freedom for one in calibrations])
    shape = np.array([one.omnibus.shape_freedom for one in calibrations])
    found: Floats = np.maximum(
        saddlepoint(statistic, spread, scale), three_moments(statistic, spread, scale, freedom=shape)
    )
    return found


def _tail_of_shift(measured: Sequence[_Measured]) -> Floats:
    """Two-sided, by Student's t; NaN where there is no order."""
    z = np.array([np.nan if one.shift is None or not one.error else abs(one.shift) / one.error for one in measured])
    found: Floats = 2.0 * special.stdtr(np.array([one.freedom for one in measured]), -z)
    return found
