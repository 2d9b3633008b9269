"""What a chart of pane scores is standardised by: the long-run sd of a pane's mean, in which correlation from pane to pane counts.

A sum of correlated values wanders as a sum of independent ones of the long-run variance does, and a CUSUM is such a sum.  Charts on
the residuals of an AR(1) fit lose their rate instead: a pane's mean is a slow series plus the noise of its rows, which is no AR(1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors.calibration.calibrate import Calibration
from detectors.calibration.folding import folded

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Baseline:
    """Of an ordered feature: the reference's mean score, and the long-run sd of a pane's mean score.

    :param panes: non-empty ones that the mean rests on; ``blocks``: that the sd rests on.
    """

    scores: Floats
    groups: NDArray[np.int64]
    middle: float
    sd: float
    panes: int
    blocks: int


def baseline_of(calibration: Calibration, counts: ArrayLike) -> Baseline | None:
    """From a calibration and the (panes, bins) counts it was made of; None where bins have no order or scores no spread."""
    if calibration.scores is None or calibration.location is None:
        return None
    table = folded(counts, calibration.groups)
    rows = table.sum(axis=1)
    means = (table[rows > 0] @ calibration.scores) / rows[rows > 0]
    middle = float(table.sum(axis=0) @ calibration.scores / rows.sum())
    long_run = _long_run_variance(calibration, panes=len(table))
    variance = max(long_run, float(np.mean((means - middle) ** 2)))
    if variance <= 0.0:
        return None
    return Baseline(calibration.scores, calibration.groups, middle, variance**0.5, len(means), calibration.scale.blocks)


def standardised(baseline: Baseline, counts: ArrayLike) -> Floats:
    """(panes,) values for a chart from (panes, bins) counts; of a pane without rows 0, which moves no chart.

    >>> from detectors.calibration.calibrate import Window, calibrate_ordered
    >>> panes = np.random.default_rng(1).multinomial(100, [0.1] * 10, size=200)
    >>> made = baseline_of(calibrate_ordered(panes, Window(10, 1000)), panes)
    >>> standardised(made, [[10] * 10, [0] * 10, [0] * 9 + [100]]).round(1).tolist()
    [0.0, 0.0, 11.6]
    """
    table = folded(counts, baseline.groups)
    rows = table.sum(axis=1)
    mean = np.divide(table @ baseline.scores, rows, out=np.full(len(table), baseline.middle), where=rows > 0)
    found: Floats = (mean - baseline.middle) / baseline.sd
    return found


def _long_run_variance(calibration: Calibration, *, panes: int) -> float:
    """Of a pane's mean: the effect of a block, inflated by the correlation between blocks, for a pane's rows."""
    effect = calibration.location
    assert effect is not None
    return float(effect.size[0] * effect.in_reference[0]) * panes / calibration.scale.rows
