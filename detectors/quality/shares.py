"""How large a share of a window's rows may be what the reference rarely holds: the beta-binomial law, with a design effect.

Rows without a value come in runs: a feed is down for an hour.  The variance of the share between the reference's blocks says how
many rows count as one (Kish's design effect), and both sides are divided by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from detectors.quality.verdict import LEVEL

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: More rows tell no more than so many: a tenth of a thousandth is as fine as a limit needs to be.
MOST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Share:
    """What the reference knows of a share: it is beta(a, b), and ``effect`` rows of a window count as one."""

    a: float
    b: float
    effect: float = 1.0

    def effective(self, rows: int) -> int:
        """Independent rows that a window of ``rows`` is worth, at least one."""
        return max(1, int(min(rows / self.effect, MOST_ROWS)))


def share_of(hits: int, rows: int, *, effect: float = 1.0) -> Share:
    """Jeffreys' posterior of a share of which the reference holds ``hits`` in ``rows``."""
    return Share(hits / effect + 0.5, (rows - hits) / effect + 0.5, effect)


def limit_of(share: Share, rows: int, *, level: float = LEVEL) -> float:
    """The largest share of a window's rows that is not less likely than ``level``.

    >>> limit_of(share_of(0, 20_000), 1_000), limit_of(share_of(1_000, 20_000), 1_000)
    (0.001, 0.073)
    """
    count = share.effective(rows)
    at_least = _at_least(share, count)
    return float(np.count_nonzero(at_least > level) - 1) / count


def design_effect(hits: ArrayLike, rows: ArrayLike) -> float:
    """Rows that count as one: the variance of the share between blocks over that of independent rows, at least 1.

    :param hits, rows: (blocks,).

    >>> design_effect([0, 10, 0, 10], [10, 10, 10, 10]), design_effect([5, 5], [10, 10]), design_effect([0], [10])
    (13.333333333333334, 1.0, 1.0)
    """
    found, of = np.asarray(hits, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    found, of = found[of > 0], of[of > 0]
    mean = found.sum() / of.sum() if of.size else 0.0
    if of.size < 2 or not 0.0 < mean < 1.0:
        return 1.0
    between = (of * (found / of - mean) ** 2).sum() / (of.size - 1)
    return max(1.0, float(between / (mean * (1.0 - mean))))


def _at_least(share: Share, count: int) -> Floats:
    """(count + 1,) P(at least k of count), beta-binomial."""
    k = np.arange(count + 1)
    a, b = share.a, share.b
    ways = special.gammaln(count + 1.0) - special.gammaln(k + 1.0) - special.gammaln(count - k + 1.0)
    law = np.exp(ways + special.betaln(k + a, count - k + b) - special.betaln(a, b))
    found: Floats = np.cumsum(law[::-1])[::-1]
    return found
