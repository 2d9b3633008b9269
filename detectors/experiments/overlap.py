"""Are the same ids seen in both arms?  From two vectors of counts, which add over panes; no id is kept.

Each id falls into one of B buckets and has a sign, by different bits of one hash that leaves no pattern; an arm's vector is
the sum of its rows' signs by bucket (the "fast AMS" or count sketch: N. Alon, Y. Matias & M. Szegedy 1996; G. Cormode & M.
Garofalakis, VLDB 2005). With f and g the rows of each id in the arms, u·v has mean Σ f g and variance
(Σf² Σg² + (Σfg)² - 2Σf²g²) / B; u·u has mean Σ f².

**Alarm.** Of ids that are never in both arms, the signs of u_b are independent of those of v_b whatever ids and buckets there
are, so u·v is a sum of ±|u_b v_b| with fair signs, and t = u·v / √Σ(u_b v_b)² passes z with a chance of at most
min(exp(-z²/2), 3.178 (1-Φ(z))) (W. Hoeffding 1963; V. Bentkus & D. Dzindzalieta, Bernoulli 21, 2015): an exact bound for one
look, heavy ids and all.

**Size.** Were every row routed by a coin of its own, Σ f g would be r(1-r)(Σm² - n): r the challenger's share of the n rows,
m rows of an id. So ``leak`` = u·v / (r(1-r)(|u+v|² - n)) is 0 of sticky ids and 1 of none; where a part of the ids is routed
by the coin, that part of the repeats. **Within one stage of a canary**: when the share grows, sticky ids move from the
champion to the challenger.

**Rows that are not independent.**  Σm²/n rows of an arm are as good as one if all rows of an id say the same: `effect`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

#: Chance of "leaking" at a look where no id is in both arms.
FALSE_ALARM = 1e-3
#: A leak surely below this is none.
TOLERATED = 0.1

Verdict = Literal["sticky", "leaking", "unsure", "not_enough_data"]


@dataclass(frozen=True, slots=True)
class Overlap:
    """``leak`` with its standard error; ``p_value``: a bound of the chance of so much where no id is in both arms.

    ``not_enough_data``: an arm is empty, or hardly an id comes twice, so nothing could be in both.
    """

    verdict: Verdict
    leak: float | None = None
    error: float | None = None
    p_value: float = 1.0


def overlap(champion: ArrayLike, challenger: ArrayLike, *, rows: tuple[int, int]) -> Overlap:
    """What the arms' vectors say; ``rows``: rows with an id, of the champion and of the challenger.

    >>> overlap([3, -2, 0, 1], [0, 0, 4, 0], rows=(6, 4)).verdict
    'not_enough_data'
    """
    u, v = (np.asarray(vector, dtype=np.float64) for vector in (champion, challenger))
    if u.shape != v.shape:
        raise ValueError(
            f"the champion has {u.size} buckets and the challenger {v.size}: one hash, one number of buckets"
        )
    if min(rows) < 0 or not np.isfinite(u).all() or not np.isfinite(v).all():
        raise ValueError(
            f"rows are {rows[0]} and {rows[1]}, and buckets sums of signs: finite numbers, rows of 0 or more"
        )
    n, both = sum(rows), float(np.sum((u + v) ** 2))
    repeats = both - n
    if not min(rows) or repeats < 4.0 * math.sqrt(2.0 / u.size) * both:
        return Overlap("not_enough_data")
    scale = rows[0] * rows[1] / n**2 * repeats
    product = float(u @ v)
    error = math.sqrt((float(u @ u) * float(v @ v) + product**2) / u.size)
    p = by_chance(product, math.sqrt(float(np.sum((u * v) ** 2))))
    return Overlap(_verdict(product / scale, error / scale, p), product / scale, error / scale, p)


def by_chance(product: float, spread: float) -> float:
    """A bound of the chance that fair signs of parts whose squares sum to spread² sum to so much.

    >>> round(by_chance(3.0, 1.0), 5), by_chance(-1.0, 1.0), by_chance(1.0, 0.0)
    (0.00429, 1.0, 1.0)
    """
    if product <= 0.0 or not spread:
        return 1.0
    z = product / spread
    return min(1.0, math.exp(-z * z / 2.0), 3.178 * float(special.ndtr(-z)))


def effect(vector: ArrayLike, rows: int) -> float:
    """How many rows of an arm count as one where all rows of an id say the same, 1 or more: see `deflated_counts`.

    >>> effect([5, -5, 0, 0], 10), effect([], 0)
    (5.0, 1.0)
    """
    squares = float(np.sum(np.asarray(vector, dtype=np.float64) ** 2))
    return max(1.0, squares / rows) if rows else 1.0


def _verdict(leak: float, error: float, p: float) -> Verdict:
    if leak - float(special.ndtri(FALSE_ALARM)) * error < TOLERATED:
        return "sticky"
    return "leaking" if p <= FALSE_ALARM else "unsure"
