"""How large a difference of means is beside the values' own spread: Cohen's d, Hedges' g, and their interval.

d = (m2 - m1) / s, s² the pooled variance (J. Cohen, 1988). d is too large on average by the factor 1 / J(f), f = n1 + n2 - 2,
so Hedges' g = J(f) d with the exact J(f) = Γ(f/2) / (√(f/2) Γ((f-1)/2)) (L. V. Hedges, Journal of Educational Statistics 6,
1981).

The interval inverts the noncentral t: t = d / √(1/n1 + 1/n2) has noncentrality δ / √(1/n1 + 1/n2) (Steiger & Fouladi 1997; G.
Cumming & S. Finch, Educational and Psychological Measurement 61, 2001). It supposes normal values of one variance. The
distribution is summed here, because scipy's series say NaN for many ordinary values (t = 20 with one degree of freedom).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from detectors.experiments.samples import Interval, Sample, State, level
from detectors.experiments.welch import state_of

Floats = NDArray[np.float64]

#: Degrees of freedom from which on Hedges' factor is a series.
LARGE = 20_000.0
#: Steps in which the distribution of a standard deviation is summed.
NODES = 2_001


@dataclass(frozen=True, slots=True)
class Effect:
    """``cohen`` with the interval of confidence 1 - alpha, ``hedges`` the same without bias."""

    state: State
    cohen: float | None = None
    hedges: float | None = None
    interval: Interval | None = None


def effect_size(champion: Sample, challenger: Sample, *, alpha: float = 0.05) -> Effect:
    """Cohen's d of challenger minus champion.

    >>> found = effect_size(Sample(10, 50.0, 286.0), Sample(10, 70.0, 526.0))
    >>> round(found.cohen, 4), round(found.hedges, 4), [round(end, 4) for end in found.interval]
    (1.0, 0.9576, [0.0532, 1.9224])
    """
    level(alpha)
    state = state_of(champion, challenger)
    if state != "ok":
        return Effect(state)
    freedom = champion.n + challenger.n - 2
    pooled = ((champion.n - 1) * champion.variance + (challenger.n - 1) * challenger.variance) / freedom
    d = (challenger.mean - champion.mean) / math.sqrt(pooled)
    scale = math.sqrt(1.0 / champion.n + 1.0 / challenger.n)
    low, high = noncentrality(d / scale, freedom, alpha=alpha)
    return Effect("ok", d, d * unbiased(freedom), Interval(low * scale, high * scale))


def unbiased(freedom: float) -> float:
    """Hedges' factor J.

    >>> round(unbiased(10), 4), round(unbiased(1e9), 4)
    (0.9227, 1.0)
    """
    if freedom > LARGE:
        return 1.0 - 3.0 / (4.0 * freedom - 1.0)
    half = freedom / 2
    return float(math.exp(special.gammaln(half) - special.gammaln(half - 0.5))) / math.sqrt(half)


def noncentrality(t: float, freedom: float, *, alpha: float = 0.05) -> tuple[float, float]:
    """The noncentralities under which a t as large, and as small, has the chance ``alpha`` / 2.

    >>> [round(end, 3) for end in noncentrality(2.2, 38.0)]
    [0.165, 4.207]
    """
    level(alpha)
    scale, weights = _chi(freedom)

    def beyond(centre: float, chance: float) -> float:
        """P(T <= t) - chance: T = (z + centre) / (s / σ), so z <= t·s/σ - centre."""
        return float(weights @ special.ndtr(t * scale - centre)) - chance

    wide = 10.0 * math.sqrt(1.0 + t * t / freedom)
    low, high = (
        optimize.brentq(beyond, t - wide, t + wide, args=(chance,), xtol=1e-10)
        for chance in (1.0 - alpha / 2, alpha / 2)
    )
    return float(low), float(high)


def _chi(freedom: float) -> tuple[Floats, Floats]:
    """(s / σ, weight): the distribution of a standard deviation, in steps of its logarithm.

    A sum over even steps of a smooth density that vanishes at both ends is exact to rounding.
    """
    log_s = np.linspace(-(7.0 / math.sqrt(freedom) + 40.0 / freedom), 7.0 / math.sqrt(freedom), NODES)
    density = np.exp(freedom * (log_s - 0.5 * np.expm1(2.0 * log_s)))
    return np.exp(log_s), density / density.sum()
