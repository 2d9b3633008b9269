"""The exact binomial tail: could so many of so few be chance?"""

from __future__ import annotations

from scipy import special


def tail(count: int, trials: int, share: float) -> float:
    """P(at least ``count`` of ``trials``) where each is one with probability ``share``, whatever the others are.

    >>> round(tail(2, 30, 0.05), 4), tail(0, 30, 0.05)
    (0.4465, 1.0)
    """
    return float(special.bdtrc(count - 1, trials, share)) if count else 1.0


def tail_of_clumps(count: float, trials: float, share: float, *, clump: float) -> float:
    """The same where ``clump`` trials, 1 or more, say one and the same: the tail of so many fewer, between whole numbers too.

    >>> round(tail_of_clumps(20, 300, 0.05, clump=10.0), 4), round(tail_of_clumps(2, 30, 0.05, clump=1.0), 4)
    (0.4465, 0.4465)
    """
    own, of = count / clump, trials / clump
    return float(special.betainc(own, of - own + 1.0, share)) if own else 1.0
