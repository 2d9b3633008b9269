"""What a chart of pane scores is standardised by: the long-run sd of a pane's mean, in which correlation from pane to pane counts.

A sum of correlated values wanders as a sum of independent ones of the long-run variance does, and a CUSUM is such a sum.  Charts on
the residuals of an AR(1) fit lose their rate instead: a pane's mean is a slow series plus the noise of its rows, which is no AR(1).

A pane of fewer rows than the reference's panes had is as many times noisier; one of more is taken for as noisy as those were, as
what panes wander by is not known apart from the noise of their rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors.calibration.calibrate import Blocked, Window, blocked_ordered
from detectors.calibration.location import location_of, normal_scores

Floats = NDArray[np.float64]

#: Panes in a block at most: longer ones would cut out a rhythm that a chart still sees, such as a day's of minutes.
BLOCK_PANES = 24


@dataclass(frozen=True, slots=True)
class Baseline:
    """Of an ordered feature: the reference's mean score, and the long-run variance of a pane's mean score.

    :param scores: of each bin; in sd of a normal feature, so a mean score is a shift of its middle.
    :param thinness: mean of one over the rows of a pane.
    :param panes: non-empty ones that the mean rests on; ``blocks``: that the variance rests on.
    """

    scores: Floats
    middle: float
    variance: float
    thinness: float
    panes: int
    blocks: int


def baseline_of(counts: ArrayLike) -> Baseline | None:
    """From the reference's (panes, bins) counts in time order; None where the scores have no spread or panes are too few.

    >>> panes = np.random.default_rng(1).multinomial(100, [0.1] * 10, size=200)
    >>> made = baseline_of(panes)
    >>> round(made.variance, 3), made.panes, made.blocks
    (0.023, 200, 20)
    """
    table = np.asarray(counts, dtype=np.float64)
    rows = table.sum(axis=1)
    filled = rows > 0
    if not filled.any():
        return None
    known = blocked_ordered(table, Window(BLOCK_PANES, BLOCK_PANES * float(rows.mean())))
    return None if known is None else _baseline(known, rows=rows)


def deviation(score: Floats, rows: ArrayLike, *, middle: ArrayLike, variance: ArrayLike, thinness: ArrayLike) -> Floats:
    """Values for charts from the sums of scores of some rows; where there is no row 0, which moves no chart.

    >>> deviation(np.array([12.0, 24.0, 3.0, 0.0]), [4, 8, 1, 0], middle=0.0, variance=0.25, thinness=0.25).tolist()
    [6.0, 6.0, 3.0, 0.0]
    """
    rows = np.asarray(rows)
    each = 1.0 / np.maximum(rows, 1)
    spread = np.sqrt(variance * np.maximum(each / thinness, 1.0))
    found: Floats = np.where(rows > 0, (score * each - middle) / spread, 0.0)
    return found


def standardised(baseline: Baseline, counts: ArrayLike) -> Floats:
    """(panes,) values for a chart from (panes, bins) counts.

    >>> panes = np.random.default_rng(1).multinomial(100, [0.1] * 10, size=200)
    >>> standardised(baseline_of(panes), [[10] * 10, [0] * 10, [0] * 9 + [100]]).round(1).tolist()
    [0.0, 0.0, 11.6]
    """
    table = np.asarray(counts, dtype=np.float64)
    return deviation(
        table @ baseline.scores,
        table.sum(axis=1),
        middle=baseline.middle,
        variance=baseline.variance,
        thinness=baseline.thinness,
    )


def _baseline(known: Blocked, *, rows: Floats) -> Baseline | None:
    scores = normal_scores(known.shares)
    effect = location_of(known.counts, scores, length=known.length, scale=known.scale)
    long_run = float(effect.size[0] * effect.in_reference[0]) * len(rows) / known.scale.rows
    filled = rows > 0
    means = (known.counts[filled] @ scores) / rows[filled]
    middle = float(known.total @ scores / known.scale.rows)
    variance = max(long_run, float(np.mean((means - middle) ** 2)))
    if variance <= 0.0:
        return None
    thinness = float(np.mean(1.0 / rows[filled]))
    return Baseline(scores[known.groups], middle, variance, thinness, int(filled.sum()), known.scale.blocks)
