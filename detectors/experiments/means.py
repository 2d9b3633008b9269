"""The difference of two means at any look, of cumulative sums: looking daily is allowed.

Welch's t of all values so far, put into the mixture of `detectors.experiments.t_mixture`. Whatever the arms' shares and
however they change, the covariance of the estimate at two looks is its variance at the later one, so (difference / variance)
is a Brownian motion in the time 1 / variance, which is what the mixture needs; n is that time in units of the arms' pooled
variance: 1 / (1/n1 + 1/n2) where the variances agree.

It is asymptotic: with fewer than `BURN_IN` values in an arm the look is
``not_enough_data`` (docs/experiments.md: the level measured for ratings and for latencies). Values whose few largest make the
mean (a log-normal with σ = 2) are better compared by the share beyond a limit: `detectors.experiments.rates` is exact there.
"""

from __future__ import annotations

import numpy as np

from detectors.experiments.looks import Floats, Look, p_of
from detectors.experiments.samples import Interval, Sample, level
from detectors.experiments.t_mixture import WORTH, largest_t, log_e_of_t
from detectors.experiments.welch import standard_error, state_of

#: Values that each arm needs before the first verdict.
BURN_IN = 100


def look_at_means(champion: Sample, challenger: Sample, *, before: float = 1.0, alpha: float = 0.05) -> Look:
    """The evidence of everything since the experiment began, challenger minus champion.

    before: the p-value of the look before this one.

    >>> one, other = Sample(2_000, 8_000.0, 34_000.0), Sample(100, 450.0, 2_125.0)
    >>> found = look_at_means(one, other)
    >>> found.state, round(found.p_value, 5), [round(end, 3) for end in found.interval]
    ('ok', 0.00189, [0.152, 0.848])
    """
    level(alpha)
    state = state_of(champion, challenger)
    if state == "ok" and min(champion.n, challenger.n) < BURN_IN:
        state = "not_enough_data"
    if state != "ok":
        return Look(state, before)
    difference = challenger.mean - champion.mean
    error, freedom = standard_error(champion, challenger)
    n = _pooled(champion, challenger) / error**2
    log_e = float(log_e_of_t(difference / error, freedom, n, worth=WORTH))
    reach = largest_t(alpha, freedom, n, worth=WORTH) * error
    return Look("ok", p_of(log_e, before), difference, log_e, Interval(difference - reach, difference + reach))


def log_e_of_means(champion: tuple[Floats, Floats, Floats], challenger: tuple[Floats, Floats, Floats]) -> Floats:
    """The same evidence of many looks at once, from (n, total, squares) of each arm; 0 of too few values or no variance."""
    with np.errstate(divide="ignore", invalid="ignore"):
        (n1, m1, v1), (n2, m2, v2) = _moments(champion), _moments(challenger)
        one, other = v1 / n1, v2 / n2
        share = one / (one + other)
        freedom = 1.0 / (share**2 / (n1 - 1) + (1.0 - share) ** 2 / (n2 - 1))
        n = ((n1 - 1) * v1 + (n2 - 1) * v2) / (n1 + n2 - 2) / (one + other)
        found = log_e_of_t((m2 - m1) / np.sqrt(one + other), freedom, n, worth=WORTH)
    return np.where((np.minimum(n1, n2) >= BURN_IN) & (v1 + v2 > 0), found, 0.0)


def _moments(arm: tuple[Floats, Floats, Floats]) -> tuple[Floats, Floats, Floats]:
    n, total, squares = arm
    return n, total / n, np.maximum(0.0, (squares - total * total / n) / (n - 1))


def _pooled(champion: Sample, challenger: Sample) -> float:
    """The arms' pooled variance, as Cohen's d has it."""
    weighed = (champion.n - 1) * champion.variance + (challenger.n - 1) * challenger.variance
    return weighed / (champion.n + challenger.n - 2)
