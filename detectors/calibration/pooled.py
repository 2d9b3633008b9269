"""The location test of features that come from one source: what one month says of each one's rhythm, all of them say together.

A slow feature has few independent stretches in a reference: January holds two to four of temperature.  Its autocorrelation is then
the weakest number of the test, and the features of one feed share their weather.  Half of each one's own estimate is taken, and
half of the mean of all; the degrees of freedom count both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from detectors.calibration.blocks import LEAST_BLOCKS, block_length, sums
from detectors.calibration.calibrate import Window
from detectors.calibration.correlation import MOST, inflation, lag_one

Floats = NDArray[np.float64]

_OWN = 0.5
_LEAST_FREE = 0.1


@dataclass(frozen=True, eq=False, slots=True)
class Pooled:
    """Of each feature: the mean score of the reference, variances, degrees of freedom.

    :param in_window: the variance of the mean score of a window of ``rows``, as many as the reference's have.
    :param in_reference: the variance of ``middle``.
    """

    middle: Floats
    in_window: Floats
    in_reference: Floats
    rows: Floats
    freedom: Floats
    blocks: int

    def variance(self, rows: Floats) -> Floats:
        """Of a window's mean less the reference's: fewer rows than usual say less, more of the same panes no more."""
        found: Floats = self.in_window * np.maximum(1.0, self.rows / np.maximum(rows, 1.0)) + self.in_reference
        return found

    @property
    def enough(self) -> bool:
        """Whether the reference has the twenty blocks without which the test may not decide."""
        return self.blocks >= LEAST_BLOCKS


def pooled(scores: Sequence[Floats], rows: Sequence[Floats], window: Window) -> Pooled | None:
    """Calibrated from (panes,) sums of scores and (panes,) rows of each feature; None of fewer than five blocks.

    >>> random = np.random.default_rng(3)
    >>> rows = [np.full(744, 30.0)] * 2
    >>> made = pooled([row * random.normal(size=744) for row in rows], rows, Window(24, 720.0))
    >>> made.blocks, made.freedom.round(1).tolist()
    (37, [25.3, 25.7])
    """
    length = block_length(len(scores[0]), window.panes, day=window.day)
    middle = np.array([float(sum_.sum() / max(row.sum(), 1.0)) for sum_, row in zip(scores, rows, strict=True)])
    series = np.array([_series(*one, length=length) for one in zip(scores, rows, middle, strict=True)]).T
    blocks = len(series)
    if blocks < 5 or not (series != 0.0).any(axis=0).all():
        return None
    phi, free = _correlations(series)
    in_reference = inflation(phi, blocks)
    size = (series**2).sum(axis=0) / (blocks - 1) / np.maximum(1.0 - in_reference / blocks, _LEAST_FREE)
    windows = window.panes / length
    return Pooled(
        middle=middle,
        in_window=size * inflation(phi, windows) / max(windows, 1.0),
        in_reference=size * in_reference / blocks,
        rows=np.array([row.mean() for row in rows]) * window.panes,
        freedom=_freedom(phi, blocks, free=free),
        blocks=blocks,
    )


def p_of_shifts(test: Pooled, shift: Floats, rows: Floats) -> Floats:
    """(features,) two-sided p-values of a window's mean scores less the reference's, in a window of so many rows each."""
    found: Floats = 2.0 * special.stdtr(test.freedom, -np.abs(shift) / np.sqrt(test.variance(rows)))
    return found


def _series(scores: Floats, rows: Floats, middle: float, *, length: int) -> Floats:
    """(blocks,) residual sums, in means of a block of mean size: traffic of an hour weighs as it does in the window."""
    in_block = sums(rows, length, step=length)
    found: Floats = (sums(scores, length, step=length) - middle * in_block) / max(float(in_block.mean()), 1.0)
    return found


def _correlations(series: Floats) -> tuple[Floats, float]:
    """(autocorrelation of each feature, how many independent features there are)."""
    blocks, features = series.shape
    raw = lag_one(series)
    own, shared = _without_bias(raw, blocks), _without_bias(np.array([raw.mean()]), blocks)
    together = np.corrcoef(series.T).reshape(features, features)
    independent = features**2 / float((np.linalg.eigvalsh(together) ** 2).sum())
    return np.clip(_OWN * own + (1.0 - _OWN) * shared, 0.0, MOST), independent


def _without_bias(raw: Floats, blocks: int) -> Floats:
    found: Floats = np.clip((blocks * raw + 1.0) / (blocks - 3.0), 0.0, MOST)
    return found


def _freedom(phi: Floats, blocks: int, *, free: float) -> Floats:
    """Degrees of freedom: of the variance given the autocorrelation, and of the autocorrelation itself."""
    of_variance = (blocks - 1) * (1.0 - phi**2) / (1.0 + phi**2)
    of_phi = (blocks - 1) * (1.0 - phi) / (1.0 + phi) / (_OWN**2 + (1.0 - _OWN) ** 2 / free)
    return np.maximum(1.0 / (1.0 / of_variance + 1.0 / of_phi), 1.0)
