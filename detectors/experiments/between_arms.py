"""How differently two arms score, from their counts of the same bins: PSI beside what it is with no difference.

PSI of two samples from one distribution is not 0 but some (bins - 1)(1/n1 + 1/n2): of 100 rows beside 10 000, in ten bins,
.09. So bins are summed first (`detectors.calibration.folding`) until each expects five rows of the smaller arm and holds a
tenth of all rows; shares are smoothed as in the convention ``driftline`` of `detectors.psi`; p is Pearson's chi-squared of
the folded table, divided by how much more two samples differ whose rows come in clumps (Rao and Scott's first correction): rows of
one id that comes again say the same again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from detectors.calibration.folding import LEAST, Floats, Ints, folded, named_groups, ordered_groups
from detectors.chi_squared import contingency, p_value
from detectors.experiments.samples import State
from detectors.psi import jeffreys, psi

#: A drift at a look is believed where chance makes it no oftener than this.
BELIEVED = 1e-3
#: Bins that PSI is of, at most.
TENTHS = 10
#: No id comes again.
ALONE = (1.0, 1.0)


@dataclass(frozen=True, slots=True)
class BetweenArms:
    """``psi`` of ``bins`` bins, ``expected`` of arms that do not differ, ``p_value`` of so much chi-squared if they do not."""

    state: State
    psi: float | None = None
    expected: float | None = None
    p_value: float | None = None
    bins: int = 0

    def beyond(self, limit: float) -> bool:
        """Whether the arms differ by more than a PSI of ``limit`` on top of what chance makes, and not by chance."""
        if self.psi is None or self.expected is None or self.p_value is None:
            return False
        return self.psi - self.expected > limit and self.p_value <= BELIEVED


def between_arms(champion: ArrayLike, challenger: ArrayLike, *, repeats: tuple[float, float] = ALONE) -> BetweenArms:
    """Two vectors of counts over the same bins, which have an order (scores).

    :param repeats: of each, how many rows count as one because their ids come again.

    >>> between_arms([500] * 20, [5] * 20)
    BetweenArms(state='ok', psi=0.0, expected=0.0909, p_value=1.0, bins=10)
    >>> between_arms([500] * 20, [5] * 20, repeats=(1.0, 4.0)).bins
    5
    >>> round(between_arms([80, 20], [20, 80], repeats=(10.0, 10.0)).p_value, 4), round(between_arms([8, 2], [2, 8]).p_value, 4)
    (0.0073, 0.0073)
    """
    return _measured(champion, challenger, _tenths, repeats=repeats)


def between_named(champion: ArrayLike, challenger: ArrayLike) -> BetweenArms:
    """Two vectors of counts over the same names (classes).

    >>> found = between_named([900, 100, 1], [500, 500, 0])
    >>> found.bins, round(found.psi, 3), found.beyond(0.25)
    (2, 0.87, True)
    """
    return _measured(champion, challenger, named_groups)


def _tenths(shares: Floats, rows: float) -> Ints:
    return ordered_groups(shares, min(rows, TENTHS * LEAST))


def _measured(
    champion: ArrayLike,
    challenger: ArrayLike,
    grouped: Callable[[Floats, float], Ints],
    *,
    repeats: tuple[float, float] = ALONE,
) -> BetweenArms:
    one, other = (np.asarray(counts, dtype=np.int64) for counts in (champion, challenger))
    if one.shape != other.shape:
        raise ValueError(f"the champion has {one.size} bins and the challenger {other.size}: counts of the same bins")
    if min(one.min(initial=0), other.min(initial=0)) < 0:
        raise ValueError("counts of bins are 0 or more")
    n, m = int(one.sum()), int(other.sum())
    if not n or not m:
        return BetweenArms("no_traffic")
    constant = np.count_nonzero(one + other) == 1
    alone = (n / repeats[0], m / repeats[1])
    groups = grouped((one + other) / (n + m), min(alone))
    one, other = (folded(counts, groups).astype(np.int64) for counts in (one, other))
    statistic, freedom = contingency(one, other, np.array([0]))
    if freedom[0] < 1:
        return BetweenArms("no_variance" if constant and min(alone) >= 2 * LEAST else "not_enough_data", bins=1)
    apart = 1.0 / alone[0] + 1.0 / alone[1]
    expected, bins = float(freedom[0]) * apart, int(freedom[0]) + 1
    statistic = statistic * ((1.0 / n + 1.0 / m) / apart)
    return BetweenArms("ok", psi(*jeffreys(one, other)), expected, float(p_value(statistic, freedom)[0]), bins)
