"""P(sum of v_j chi-squared_1 > Q chi-squared_m / m): the tail of a weighted sum whose scale is itself an estimate.

Two answers, and the larger is taken.  The saddlepoint (Lugannani and Rice, 1980, in Barndorff-Nielsen's form) is right far out,
where two- and three-moment fits are 4 to 50 times too small; a fit of three moments by an F can be told of fewer degrees of
freedom than the weights imply, where the reference's own blocks show a heavier tail.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

#: Newton's steps; the seventh changes nothing in the first eleven digits.
_STEPS = 8
#: Below this |omega| the formula is 0/0; its limit is a sixth of the skewness.
_NEAR = 1e-3


def saddlepoint(q: Floats, v: Floats, m: Floats) -> Floats:
    """(tests,) tail areas.

    :param q: (tests,) the statistics, >= 0; ``v``: (tests, components) weights >= 0, some of each above 0; ``m``: (tests,).

    >>> from scipy.stats import f
    >>> found = saddlepoint(np.array([5.0]), np.ones((1, 1)), np.array([30.0]))
    >>> round(float(found[0]), 4), round(float(f.sf(5.0, 1, 30)), 4)
    (0.0343, 0.0329)
    """
    q = np.maximum(q, 1e-12 * v.sum(axis=1))
    s = _root(q, v, m)
    left, right = 1.0 - 2.0 * s[:, None] * v, 1.0 + 2.0 * s * q / m
    cumulant = -0.5 * np.log(left).sum(axis=1) - 0.5 * m * np.log(right)
    second = 2.0 * ((v / left) ** 2).sum(axis=1) + 2.0 * (q / right) ** 2 / m
    omega = np.sign(s) * np.sqrt(np.maximum(-2.0 * cumulant, 0.0))
    found: Floats = special.ndtr(-(omega + _correction(omega, s * np.sqrt(second), q=q, v=v, m=m)))
    return found


def three_moments(q: Floats, v: Floats, m: Floats, *, freedom: Floats) -> Floats:
    """(tests,) tail areas by an F fitted to three moments; ``freedom``: (tests,) at most these many degrees are believed."""
    c1, c2, c3 = v.sum(axis=1), (v * v).sum(axis=1), (v**3).sum(axis=1)
    less = np.minimum(freedom * c2 / (c1 * c1), 1.0)
    c2, c3 = c2 / less, c3 / (less * less)
    shape = c2**3 / c3**2
    at = np.maximum(q - c1 + c2 * c2 / c3, 0.0) * c2 / (c3 * shape)
    found: Floats = special.fdtrc(shape, m, at)
    return found


def _root(q: Floats, v: Floats, m: Floats) -> Floats:
    """Where the cumulant's slope is 0: sum v / (1 - 2 s v) = q / (1 + 2 s q / m), s below the pole at 1 / 2 max v.

    The reciprocals of both sides are a concave function that falls and a line that rises; Newton's steps on their difference,
    begun at the pole, come down to the root without ever passing it.
    """
    s = 0.5 / v.max(axis=1) * (1.0 - 1e-9)
    for _ in range(_STEPS):
        part = v / (1.0 - 2.0 * s[:, None] * v)
        side = part.sum(axis=1)
        slope = -2.0 * (part * part).sum(axis=1) / (side * side) - 2.0 / m
        s = s - (1.0 / side - 1.0 / q - 2.0 * s / m) / slope
    found: Floats = s
    return found


def _correction(omega: Floats, u: Floats, *, q: Floats, v: Floats, m: Floats) -> Floats:
    """log(u / omega) / omega, and its limit at 0."""
    near = np.abs(omega) < _NEAR
    if not near.any():
        plain: Floats = np.log(u / omega) / omega
        return plain
    second = 2.0 * (v**2).sum(axis=1) + 2.0 * q**2 / m
    third = 8.0 * (v**3).sum(axis=1) - 8.0 * q**3 / (m * m)
    safe_omega, safe_u = np.where(near, 1.0, omega), np.where(near, 1.0, u)
    return np.where(near, third / (6.0 * second**1.5), np.log(safe_u / safe_omega) / safe_omega)
