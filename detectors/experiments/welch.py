"""Welch's t: do two arms have one mean, whatever their variances?  For one look, at a time fixed beforehand.

t = (m2 - m1) / √(v1/n1 + v2/n2) with Satterthwaite's degrees of freedom, (v1/n1 + v2/n2)² / (v1²/n1²(n1-1) + v2²/n2²(n2-1)).
B. L. Welch, "The generalization of Student's problem when several different population variances are involved", Biometrika 34
(1947). Differences are challenger minus champion everywhere. A p-value of this kind that is looked at daily promotes by
chance: see `detectors.experiments.means` for one that may be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special

from detectors.experiments.samples import Interval, Sample, State, level


@dataclass(frozen=True, slots=True)
class Welch:
    """``p_value`` is two-sided; what the state does not allow is None."""

    state: State
    difference: float | None = None
    statistic: float | None = None
    freedom: float | None = None
    p_value: float | None = None
    interval: Interval | None = None


def welch(champion: Sample, challenger: Sample, *, alpha: float = 0.05) -> Welch:
    """The test and the interval that holds the difference of means with confidence 1 - ``alpha``.

    >>> found = welch(Sample(4, 10.0, 30.0), Sample(5, 30.0, 190.0))
    >>> round(found.difference, 3), round(found.statistic, 6), round(found.freedom, 6), round(found.p_value, 6)
    (3.5, 3.655631, 6.980769, 0.008156)
    """
    level(alpha)
    state = state_of(champion, challenger)
    difference = challenger.mean - champion.mean
    if state != "ok":
        return Welch(state, difference if state == "no_variance" else None)
    error, freedom = standard_error(champion, challenger)
    t = difference / error
    reach = -float(special.stdtrit(freedom, alpha / 2)) * error
    p = min(1.0, 2.0 * float(special.stdtr(freedom, -abs(t))))
    return Welch("ok", difference, t, freedom, p, Interval(difference - reach, difference + reach))


def state_of(champion: Sample, challenger: Sample) -> State:
    """Whether two samples allow a difference of means to be judged: two values in each arm, and a variance in one."""
    if not champion.n or not challenger.n:
        return "no_traffic"
    if min(champion.n, challenger.n) < 2:
        return "not_enough_data"
    return "ok" if champion.variance + challenger.variance > 0.0 else "no_variance"


def standard_error(champion: Sample, challenger: Sample) -> tuple[float, float]:
    """(standard error of the difference of means, Satterthwaite's degrees of freedom); one variance is above 0."""
    one, other = champion.variance / champion.n, challenger.variance / challenger.n
    # As shares of their sum: a variance of 1e-200 has a square that no float holds.
    share = one / (one + other)
    freedom = 1.0 / (share**2 / (champion.n - 1) + (1.0 - share) ** 2 / (challenger.n - 1))
    return math.sqrt(one + other), freedom
