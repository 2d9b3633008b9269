"""How far the middle of an ordered feature wanders from block to block, on a scale that no tail can stretch.

Each bin scores the normal quantile of its middle rank in the reference, freed of mean and scaled to variance 1; the mean score of
a window is the shift of its location, in sd of a normal feature.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from detectors.calibration.blocks import sums
from detectors.calibration.correlation import believed, lag_one
from detectors.calibration.effects import Effects, Scale, effects_of

Floats = NDArray[np.float64]

_EDGE = 1e-6
#: A sum of squares of less is rounding.
_NOTHING = 1e-18


def normal_scores(shares: Floats) -> Floats:
    """(bins,) scores, of mean 0 and variance 1 under ``shares``; of a single bin that holds all, 0.

    >>> normal_scores(np.array([0.25, 0.5, 0.25])).round(4).tolist()
    [-1.4142, 0.0, 1.4142]
    """
    scores = special.ndtri(np.clip(np.cumsum(shares) - shares / 2.0, _EDGE, 1.0 - _EDGE))
    scores = scores - (shares * scores).sum()
    spread = (shares * scores**2).sum()
    found: Floats = scores / np.sqrt(spread) if spread > 0.0 else np.zeros_like(scores)
    return found


def location_of(counts: Floats, scores: Floats, *, length: int, scale: Scale) -> Effects:
    """The effect on the mean score, calibrated from (panes, bins) counts, folded.

    Where every block has the very same mean, which no chance would make, rows are taken for independent.
    """
    blocks = sums(counts, length, step=length)
    rows = blocks.sum(axis=1)
    blocks, rows = blocks[rows > 0], rows[rows > 0]
    middle = float(counts.sum(axis=0) @ scores / counts.sum())
    series = ((blocks @ scores) / rows - middle) * np.sqrt(rows)
    phi = believed(float(lag_one(series[:, None])[0]), scale.blocks)
    power = float(series @ series)
    if power <= _NOTHING:
        return effects_of(np.ones(1), np.zeros(1), scale)
    return effects_of(np.array([power / scale.blocks]), np.array([phi]), scale)
