"""How well a predicted distribution explains a window: divergence, with a price for what was fitted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from detectors.signatures.cells import Cells, without_gaps
from detectors.signatures.distribution import Distribution, distribution_of, moved, smoothed
from schemas.reference import NumericProfile

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """A window's cells, its shares in them, the reference's distribution, and the divergence where nothing happened.

    ``merged``: the cells, as many together as a divergence need not tell apart.  ``rows`` of the window; ``known``: rows that
    would know as much, were the reference's shares exact.
    ``sd_ratio``: the window's standard deviation over the reference's; None where either is not known.
    """

    cells: Cells
    merged: Cells
    rows: int
    known: float
    shares: Floats
    of: Distribution
    unmoved: Floats
    base: float
    sd_ratio: float | None = None

    def predicted(self, scale: Floats, shift: Floats) -> Floats:
        """(maps, cells) smoothed shares of ``scale * x + shift``."""
        return smoothed(moved(self.of, self.cells, scale=scale, shift=shift), len(self.shares))

    def divergences(self, scale: Floats, shift: Floats) -> Floats:
        """(maps,) KL of the window from ``predicted``: what the empty cells would hold need not be known."""
        shares = smoothed(moved(self.of, self.merged, scale=scale, shift=shift), len(self.shares))
        return kl(self.merged.counts / self.rows, shares)

    def divergence(self, predicted: Floats) -> Floats:
        """(maps,) KL of the window from smoothed shares."""
        return kl(self.shares, predicted)

    def price(self, fitted: int) -> float:
        """What so many fitted parameters must gain to be worth it."""
        return fitted * math.log(self.rows) / (2.0 * self.known)

    def chance(self, predicted: Floats) -> float:
        """The divergence to be expected of a window that was drawn from the prediction, known from the reference's rows."""
        return float(self.chances(predicted[np.newaxis])[0])

    def chances(self, predicted: Floats) -> Floats:
        """(maps,) the same of each."""
        found: Floats = np.maximum(deviance(self.rows * predicted).sum(axis=1) - 1.0, 0.0) / (2.0 * self.known)
        return found


def scene_of(profile: NumericProfile, cells: Cells, *, sd: float | None = None) -> Scene:
    """What all hypotheses are held against; of a window and a reference that hold a value."""
    of, rows = distribution_of(profile), cells.rows
    known, shares = 1.0 / (1.0 / rows + 1.0 / of.rows), cells.counts / rows
    unmoved = smoothed(moved(of, cells, scale=np.ones(1), shift=np.zeros(1)), len(shares))[0]
    base = float(kl(shares, unmoved))
    return Scene(cells, without_gaps(cells), rows, known, shares, of, unmoved, base, _ratio(sd, profile.sd))


def _ratio(sd: float | None, of: float | None) -> float | None:
    return sd / of if sd and of and math.isfinite(sd / of) else None


def kl(shares: Floats, predicted: Floats) -> Floats:
    """(...,) Σ w ln(w/q) over the cells that hold a row.

    >>> round(float(kl(np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.25, 0.5]))), 4)
    0.6931
    """
    held = shares > 0
    w = shares[held]
    found: Floats = (w * np.log(w)).sum() - np.log(predicted[..., held]) @ w
    return found


def deviance(expected: Floats) -> Floats:
    """What a cell adds to twice the log-likelihood ratio by chance: 1 where it expects many rows, 1.14 of two, 0 of none.

    >>> deviance(np.array([0.0, 0.1, 2.0, 1000.0])).round(3).tolist()
    [0.0, 0.474, 1.139, 1.0]
    """
    mu, mean = _deviances()
    found: Floats = np.interp(np.log(np.maximum(expected, mu[0] / 10.0)), np.log(mu), mean, left=0.0)
    return found


@cache
def _deviances() -> tuple[Floats, Floats]:
    """Expected deviance 2(k ln(k/mu) - k + mu) of a Poisson count of mean mu."""
    mu = np.geomspace(1e-4, 100.0, 121)
    k = np.arange(250)
    law = np.exp(k * np.log(mu[:, None]) - mu[:, None] - special.gammaln(k + 1.0))
    mean = (law * 2.0 * (special.xlogy(k, k / mu[:, None]) - k + mu[:, None])).sum(axis=1)
    return np.append(mu, 1_000.0), np.append(mean, 1.0)
