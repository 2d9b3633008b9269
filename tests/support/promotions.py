"""Who is promoted by looking every day: by evidence that allows it, and by p-values that do not."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from detectors.experiments.t_mixture import log_e_of_t
from tests.support.experiments import Arms, Floats


def ever(log_e: Floats, *, alpha: float = 0.05) -> float:
    """The share of experiments whose always-valid p-value is at most ``alpha`` at some look."""
    return float((log_e >= -math.log(alpha)).any(axis=-1).mean())


def ever_naive(z: Floats, *, alpha: float = 0.05) -> float:
    """The share of experiments that a test for one look calls at some look."""
    return float((np.abs(z) >= -special.ndtri(alpha / 2)).any(axis=-1).mean())


def z_of_rates(arms: Arms) -> Floats:
    """The pooled z at each look; 0 where no row is a hit."""
    (n1, h1), (n2, h2) = arms.champion, arms.challenger
    rate = (h1 + h2) / (n1 + n2)
    return _over(arms.differences, rate * (1.0 - rate) * (1.0 / np.maximum(n1, 1.0) + 1.0 / np.maximum(n2, 1.0)))


def z_of_means(arms: Arms) -> Floats:
    """Welch's statistic at each look."""
    return _over(arms.differences, sum(_error(*arm) for arm in (arms.champion, arms.challenger)))


def welch_in_the_mixture(arms: Arms, *, least: float = 100.0) -> Floats:
    """What `log_e_of_means` was with Welch's error alone, by the normal mixture: for contrast."""
    n = 1.0 / (1.0 / arms.champion[0] + 1.0 / arms.challenger[0])
    enough = np.minimum(arms.champion[0], arms.challenger[0]) >= least
    return np.where(
        enough, log_e_of_t(z_of_means(arms), np.minimum(arms.champion[0], arms.challenger[0]) - 1.0, n), 0.0
    )


def _error(n: Floats, total: Floats, squares: Floats) -> Floats:
    return np.maximum(0.0, squares - total**2 / n) / (n - 1.0) / n


def _over(difference: Floats, variance: Floats | int) -> Floats:
    found = np.zeros_like(difference)
    np.divide(difference, np.sqrt(variance), out=found, where=np.asarray(variance) > 0)
    return found
