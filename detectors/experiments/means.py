"""The difference of two means at any look, of cumulative sums: looking daily is allowed.

t of all values so far, put into the mixture of `detectors.experiments.t_mixture`. Whatever the arms' shares and however they
change, the covariance of the estimate at two looks is its variance at the later one, so (difference / variance) is a Brownian
motion in the time 1 / variance, which is what the mixture needs; n is that time in units of the arms' pooled variance:
1 / (1/n1 + 1/n2) where the variances agree.

The standard error is the larger of Welch's and the one with the pooled variance for both arms.  Welch's alone fails where the
challenger has few values of a skewed quantity: until it sees its first slow request, both its mean and its variance are too
small, and that looks like a certain improvement (arms of 95 : 5, log-normal latencies with σ = 1.5: 11 % false promotions in
30 daily looks; with the larger of both .05 %; docs/experiments.md).  It costs power where the challenger's values spread less.

It is asymptotic: with fewer than `BURN_IN` values in an arm the look is ``not_enough_data``.  A limit that is passed or not is
better compared by the share beyond it: `detectors.experiments.rates` is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from detectors.experiments.looks import Floats, Look, p_of
from detectors.experiments.samples import Interval, Sample, level
from detectors.experiments.t_mixture import WORTH, largest_t, log_e_of_t
from detectors.experiments.welch import standard_error, state_of

#: Values that each arm needs before the first verdict.
BURN_IN = 100

#: (n, total, squares), arrays of looks.
Moments = Sequence[Floats]


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
    welchs, freedom = standard_error(champion, challenger)
    pooled = _pooled(champion, challenger)
    error = max(welchs, math.sqrt(pooled * (1.0 / champion.n + 1.0 / challenger.n)))
    n = pooled / error**2
    log_e = float(log_e_of_t(difference / error, freedom, n, worth=WORTH))
    reach = largest_t(alpha, freedom, n, worth=WORTH) * error
    return Look("ok", p_of(log_e, before), difference, log_e, Interval(difference - reach, difference + reach))


def log_e_of_means(champion: Moments, challenger: Moments) -> Floats:
    """The same evidence of many looks at once, from arrays (n, total, squares) of each arm; 0 where a look is not ``ok``."""
    n1, n2 = champion[0], challenger[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        (m1, v1), (m2, v2) = _mean_and_variance(champion), _mean_and_variance(challenger)
        welchs, pooled = v1 / n1 + v2 / n2, ((n1 - 1) * v1 + (n2 - 1) * v2) / (n1 + n2 - 2)
        share = v1 / n1 / welchs
        freedom = 1.0 / (share**2 / (n1 - 1) + (1.0 - share) ** 2 / (n2 - 1))
        squared = np.maximum(welchs, pooled * (1.0 / n1 + 1.0 / n2))
        found = log_e_of_t((m2 - m1) / np.sqrt(squared), freedom, pooled / squared, worth=WORTH)
    return np.where((np.minimum(n1, n2) >= BURN_IN) & (pooled > 0.0), found, 0.0)


def _mean_and_variance(arm: Moments) -> tuple[Floats, Floats]:
    n, total, squares = arm
    return total / n, np.maximum(0.0, (squares - total * total / n) / (n - 1))


def _pooled(champion: Sample, challenger: Sample) -> float:
    """The arms' pooled variance, as Cohen's d has it."""
    weighed = (champion.n - 1) * champion.variance + (challenger.n - 1) * challenger.variance
    return weighed / (champion.n + challenger.n - 2)
