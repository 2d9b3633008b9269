"""How far the shares of a feature wander from block to block, in every direction: what a sum of squares is to be held against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.calibration.blocks import sums
from detectors.calibration.correlation import believed, lag_one
from detectors.calibration.effects import Effects, Scale, effects_of

Floats = NDArray[np.float64]

#: Components whose own autocorrelation is estimated; the rest share one.
_OWN = 3
#: A component of less is rounding.
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Omnibus:
    """Effects of the principal components of the blocks' shares.

    :param scale_freedom: degrees of freedom of the estimated scale, m.
    :param shape_freedom: degrees of freedom of the sum itself that the reference's own blocks allow, at most bins - 1.
    """

    effects: Effects
    scale_freedom: float
    shape_freedom: float


def omnibus_of(counts: Floats, shares: Floats, *, length: int, scale: Scale) -> Omnibus:
    """Calibrated from (panes, bins) counts, folded; ``shares``: the reference's, none 0."""
    series = _components(_whitened(sums(counts, length, step=length), shares))
    if not series.shape[1]:
        return _independent(len(shares) - 1, scale)
    sizes = (series**2).sum(axis=0) / scale.blocks
    mean, shape = _own_statistics(_whitened(sums(counts, length, step=max(1, length // 4)), shares))
    effects = effects_of(sizes * (mean / sizes.sum()), _correlations(series, scale.blocks), scale)
    weights = effects.size * effects.in_window
    return Omnibus(
        effects,
        scale_freedom=max(1.0, weights.sum() ** 2 / ((weights**2 / effects.freedom).sum())),
        shape_freedom=_shape_freedom(weights, effects.size, shape=shape, most=len(shares) - 1.0),
    )


def _independent(components: int, scale: Scale) -> Omnibus:
    """Where every block holds the very same shares, which no chance would make: rows are taken for independent."""
    effects = effects_of(np.ones(components), np.zeros(components), scale)
    return Omnibus(effects, scale_freedom=scale.blocks - 1.0, shape_freedom=float(components))


def _whitened(blocks: Floats, shares: Floats) -> Floats:
    """(blocks, bins) residuals of the shares in sd of independent rows; empty blocks are left out.

    The middle is the blocks' common share of all rows, which is the reference's.
    """
    rows = blocks.sum(axis=1, keepdims=True)
    blocks, rows = blocks[rows[:, 0] > 0], rows[rows[:, 0] > 0]
    found: Floats = (blocks / rows - shares) / np.sqrt(shares) * np.sqrt(rows)
    return found


def _components(whitened: Floats) -> Floats:
    """(blocks, components) principal series, strongest first, those of no size left out."""
    left, strength, _ = np.linalg.svd(whitened, full_matrices=False)
    kept = strength > max(1e-9 * strength[0], _NOTHING)
    found: Floats = (left * strength)[:, kept]
    return found


def _correlations(series: Floats, blocks: int) -> Floats:
    """Autocorrelation of each component: the first three's own, where that exceeds the one that all share."""
    power = (series**2).sum(axis=0)
    raw = lag_one(series)
    shared = believed(float((raw * power).sum() / power.sum()), blocks, series=power.sum() ** 2 / (power**2).sum())
    own = [max(shared, believed(one, blocks)) for one in raw[:_OWN].tolist()]
    return np.array(own + [shared] * (len(raw) - len(own)))


def _own_statistics(whitened: Floats) -> tuple[float, float]:
    """(mean, degrees of freedom implied by mean and variance) of the statistic over the reference's own blocks."""
    found = (whitened**2).sum(axis=1)
    variance = float(found.var(ddof=1)) if len(found) > 1 else 0.0
    return float(found.mean()), 2.0 * float(found.mean()) ** 2 / variance if variance > 0.0 else np.inf


def _shape_freedom(weights: Floats, sizes: Floats, *, shape: float, most: float) -> float:
    implied = weights.sum() ** 2 / (weights**2).sum()
    in_block = sizes.sum() ** 2 / (sizes**2).sum()
    return float(np.clip(min(implied, shape * implied / in_block), 1.0, most))
