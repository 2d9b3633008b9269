"""The exact binomial tail: could so many of so few be chance?"""

from __future__ import annotations

from scipy import special


def tail(count: int, trials: int, share: float) -> float:
    """P(at least ``count`` of ``trials``) where each is one with probability ``share``, whatever the others are.

    >>> round(tail(2, 30, 0.05), 4), tail(0, 30, 0.05)
    (0.4465, 1.0)
    """
    return float(special.bdtrc(count - 1, trials, share)) if count else 1.0
