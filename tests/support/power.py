"""How many rows it takes to find a difference that is there, in those of a test at one size fixed beforehand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from detectors.experiments.means import log_e_of_means
from detectors.experiments.rates import log_e_of_rates
from tests.support.experiments import Floats

LOOKS, LONGEST, LEVEL, POWER = 120, 6.0, 0.05, 0.8
_Z = -float(special.ndtri(LEVEL / 2)) + float(special.ndtri(POWER))


@dataclass(frozen=True, slots=True)
class Needed:
    """``fixed``: rows of both arms that the test at one size needs for 80 % power.

    In multiples of it: ``at_most``, by when 80 % are found, and ``mean``, when they are (those never found count `LONGEST`).
    """

    fixed: float
    at_most: float
    mean: float


def rates_needed(rng: np.random.Generator, experiments: int, *, rates: tuple[float, float], share: float) -> Needed:
    """Two rates, looked at `LOOKS` times."""
    p, q = rates
    fixed = _Z**2 * (p * (1 - p) / (1 - share) + q * (1 - q) / share) / (q - p) ** 2
    n1, n2 = _sizes(fixed, 1.0 - share), _sizes(fixed, share)
    one, other = (
        np.cumsum(rng.binomial(np.diff(n, prepend=0.0).astype(np.int64), r, (experiments, LOOKS)), axis=1)
        for n, r in ((n1, p), (n2, q))
    )
    return _needed(fixed, log_e_of_rates((n1, one), (n2, other)))


def means_needed(rng: np.random.Generator, experiments: int, *, effect: float, share: float) -> Needed:
    """Normal values whose means differ by ``effect`` standard deviations, looked at `LOOKS` times."""
    fixed = _Z**2 * (1 / (1 - share) + 1 / share) / effect**2
    arms = [_normal(rng, experiments, n=_sizes(fixed, part), mean=m) for part, m in ((1 - share, 0.0), (share, effect))]
    return _needed(fixed, log_e_of_means(arms[0], arms[1]))


def _normal(rng: np.random.Generator, experiments: int, *, n: Floats, mean: float) -> tuple[Floats, Floats, Floats]:
    """(n, total, squares) of normal values, from the distribution of these sums."""
    new = np.diff(n, prepend=0.0)
    total = new * mean + np.sqrt(new) * rng.normal(size=(experiments, LOOKS))
    squares = total**2 / new + rng.chisquare(np.maximum(new - 1.0, 1e-9), (experiments, LOOKS))
    return np.broadcast_to(n, total.shape), total.cumsum(axis=1), squares.cumsum(axis=1)


def _sizes(fixed: float, part: float) -> Floats:
    steps = np.arange(1.0, LOOKS + 1.0)
    found: Floats = np.maximum(np.ceil(fixed * part * LONGEST * steps / LOOKS), steps)
    return found


def _needed(fixed: float, log_e: Floats) -> Needed:
    found = np.maximum.accumulate(log_e, axis=1) >= -math.log(LEVEL)
    when = np.where(found.any(axis=1), found.argmax(axis=1) + 1.0, float(LOOKS)) * LONGEST / LOOKS
    return Needed(fixed, float(np.quantile(when, POWER)), float(when.mean()))
