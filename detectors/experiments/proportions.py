"""Two proportions compared at one look, at a time fixed beforehand: pooled z, and intervals that hold at small counts.

z = (p2 - p1) / √(p(1-p)(1/n1 + 1/n2)), p of both arms together; z² is Pearson's chi-squared of the 2 x 2 table.

The interval is Newcombe's hybrid of the two Wilson score intervals (method 10 in R. G. Newcombe, "Interval estimation for the
difference between independent proportions", Statistics in Medicine 17, 1998): inside [-1, 1], never of length 0 and close to
its confidence at n = 10, where the textbook's (Wald's) says [0, 0] of no error in both arms. `agresti_caffo` (The American
Statistician 54, 2000: Wald's after one hit and one miss more in each arm) is there for those who compare with it. Differences
are challenger minus champion. Looking daily: `detectors.experiments.rates`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special

from detectors.experiments.samples import Counts, Interval, State, level


@dataclass(frozen=True, slots=True)
class Proportions:
    """``p_value`` is two-sided; ``no_variance``: all rows of both arms are hits, or none is (the interval is given)."""

    state: State
    difference: float | None = None
    statistic: float | None = None
    p_value: float | None = None
    interval: Interval | None = None


def proportions(champion: Counts, challenger: Counts, *, alpha: float = 0.05) -> Proportions:
    """The pooled z test and Newcombe's interval of confidence 1 - ``alpha``.

    >>> found = proportions(Counts(80, 48), Counts(70, 56))
    >>> round(found.statistic, 4), round(found.p_value, 5), [round(end, 4) for end in found.interval]
    (2.6502, 0.00805, [0.0524, 0.3339])
    """
    level(alpha)
    if not champion.n or not challenger.n:
        return Proportions("no_traffic")
    difference, interval = challenger.share - champion.share, newcombe(champion, challenger, alpha=alpha)
    pooled = (champion + challenger).share
    spread = pooled * (1.0 - pooled) * (1.0 / champion.n + 1.0 / challenger.n)
    if spread == 0.0:
        return Proportions("no_variance", difference, interval=interval)
    z = difference / math.sqrt(spread)
    return Proportions("ok", difference, z, min(1.0, 2.0 * float(special.ndtr(-abs(z)))), interval)


def wilson(counts: Counts, *, alpha: float = 0.05) -> Interval:
    """Wilson's score interval (1927) of one proportion; of no row: 0 to 1.

    >>> [round(end, 4) for end in wilson(Counts(10, 0))]
    [0.0, 0.2775]
    """
    if not counts.n:
        return Interval(0.0, 1.0)
    z2 = _z(alpha) ** 2
    centre = (counts.hits + z2 / 2) / (counts.n + z2)
    reach = math.sqrt(z2 * (counts.share * (1.0 - counts.share) * counts.n + z2 / 4)) / (counts.n + z2)
    return Interval(
        0.0 if counts.hits == 0 else max(0.0, centre - reach),
        1.0 if counts.hits == counts.n else min(1.0, centre + reach),
    )


def newcombe(champion: Counts, challenger: Counts, *, alpha: float = 0.05) -> Interval:
    """Newcombe's hybrid score interval of the difference.

    >>> [round(end, 4) for end in newcombe(Counts(10, 3), Counts(10, 9))]
    [0.1705, 0.809]
    """
    one, other = wilson(champion, alpha=alpha), wilson(challenger, alpha=alpha)
    difference = challenger.share - champion.share
    return Interval(
        difference - math.hypot(challenger.share - other.low, one.high - champion.share),
        difference + math.hypot(other.high - challenger.share, champion.share - one.low),
    )


def agresti_caffo(champion: Counts, challenger: Counts, *, alpha: float = 0.05) -> Interval:
    """Agresti and Caffo's interval of the difference, cut to [-1, 1].

    >>> [round(end, 4) for end in agresti_caffo(Counts(10, 3), Counts(10, 9))]
    [0.16, 0.84]
    """
    one, other = champion + Counts(2, 1), challenger + Counts(2, 1)
    difference = other.share - one.share
    spread = one.share * (1.0 - one.share) / one.n + other.share * (1.0 - other.share) / other.n
    reach = _z(alpha) * math.sqrt(spread)
    return Interval(max(-1.0, difference - reach), min(1.0, difference + reach))


def _z(alpha: float) -> float:
    return -float(special.ndtri(level(alpha) / 2))
