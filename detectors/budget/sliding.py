"""Windows that overlap: a window judged at every pane alarms in clusters, and a cluster is one alarm.

The statistic of a window that slides by one of its D judgements at a time is locally a random walk.  From a level x of a
chi-squared of nu degrees of freedom it falls by 2 (x - nu) / D a step on average, and what exceeds x does so by an exponential
amount of rate (x - nu + 2) / 2x; so the share of exceedances that begin a cluster is mu nu(sqrt(2 mu)), mu = (x - nu + 1)**2 / x D,
with the overshoot nu() of Siegmund and Yakir (2007).  Simulated for D of 1 to 168 and 1 to 9 degrees of freedom, clusters come at
1.00 to 1.18 times this.  Without it thresholds are 3 to 20 times too strict.
"""

from __future__ import annotations

import math

from scipy import optimize, special

#: A rate is not taken for less, nor a chance: what is rarer is rounding.
LEAST_RATE, _LEAST_CHANCE = 1e-200, 1e-300


def clusters(x: float, judgements: float, freedom: float) -> float:
    """Expected clusters a judgement in which a chi-squared statistic of ``freedom`` exceeds ``x``, itself above ``freedom``.

    :param judgements: in the length of a window; 1 where windows do not overlap.

    >>> round(clusters(15.0, 24.0, 1.0) * 1e5, 3), round(clusters(15.0, 1.0, 1.0) * 1e5, 3)
    (3.446, 10.681)
    """
    steepness = (x - freedom + 1.0) ** 2 / (x * judgements)
    return float(special.chdtrc(freedom, x) * min(1.0, steepness * _overshoot(math.sqrt(2.0 * steepness))))


def p_threshold(rate: float, *, judgements: float, freedom: float) -> float:
    """The p-value below which a window alarms, so that clusters come at ``rate`` a judgement.

    >>> round(p_threshold(1 / 73_000, judgements=24.0, freedom=1.0) * 1e5, 3)
    3.945
    >>> round(p_threshold(0.001, judgements=1.0, freedom=9.0), 5)
    0.00101
    """
    if not 0.0 < rate < 1.0:
        raise ValueError(f"a rate of {rate:g} alarms a judgement is not between 0 and 1")
    rate, low = max(rate, LEAST_RATE), freedom + 2.0
    if clusters(low, judgements, freedom) <= rate:
        return max(rate, float(special.chdtrc(freedom, low)))
    high = 2.0 * low
    while clusters(high, judgements, freedom) > rate:
        high *= 2.0
    x = optimize.brentq(lambda at: _beyond(at, judgements, freedom, rate=rate), low, high, xtol=1e-9)
    return float(special.chdtrc(freedom, x))


def _beyond(x: float, judgements: float, freedom: float, *, rate: float) -> float:
    """Logarithm of how many times the rate clusters come at; far out, where their chance is 0 to a float, a large number below."""
    return math.log(max(clusters(x, judgements, freedom), _LEAST_CHANCE) / rate)


def _overshoot(t: float) -> float:
    """Siegmund and Yakir's nu: 1 for a walk of tiny steps, 2 / t**2 for steps that each leave at once."""
    half = t / 2.0
    density = math.exp(-half * half / 2.0) / math.sqrt(2.0 * math.pi)
    return float((2.0 / t) * (special.ndtr(half) - 0.5) / (half * special.ndtr(half) + density))
