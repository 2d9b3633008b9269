"""How far beyond the reference's range a value lies: 32 half-octaves a side, 64 keys.

The distance beyond the minimum or maximum, in the reference's sd, is put in an interval whose ends are √2
apart: ``key = clip(floor(2·log2(d)) + 12, 0, 31)``, plus 32 above the maximum. A unit mistake (times 100,
Fahrenheit for Celsius) leaves its factor here, which bins that stop at the reference's maximum cannot show.

The key is exact: from the binary exponent and one comparison, not from a logarithm that two machines may
round differently.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.moments import Floats, scale_of, scales_of

KEYS_A_SIDE = 32
INSIDE = -1
"""Key of a value within the range, and of NaN."""

_OFFSET = 12
_NEAREST, _FURTHEST = 2.0**-6, 2.0**10  # beyond these every distance has the first or the last key
# The float next above √½, which is irrational: m >= it exactly where m² > ½.
_ROOT_HALF = 0.7071067811865476


def outside_keys(
    x: Floats, *, minimum: float | Floats, maximum: float | Floats, sd: float | Floats
) -> NDArray[np.int64]:
    """The key of each value: 0 … 31 below the minimum, 32 … 63 above the maximum, -1 between them.

    The definition that compiled counting is tested against.

    >>> outside_keys(np.array([-1.0, 5.0, 12.0]), minimum=0.0, maximum=10.0, sd=1.0).tolist()
    [12, -1, 46]
    """
    x = np.asarray(x, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        below = _half_octave((minimum - x) / scales_of(sd))
        above = _half_octave((x - maximum) / scales_of(sd)) + KEYS_A_SIDE
    return np.where(x < minimum, below, np.where(x > maximum, above, INSIDE))


def distances_of(key: int) -> tuple[float, float]:
    """The half-open interval of distances, in sd, that share a key; the side does not matter.

    >>> distances_of(46)
    (2.0, 2.8284271247461903)
    """
    if not 0 <= key < 2 * KEYS_A_SIDE:
        raise ValueError(f"key {key} is not within 0 to {2 * KEYS_A_SIDE - 1}")
    step = key % KEYS_A_SIDE
    low = 0.0 if step == 0 else _power(step - _OFFSET)
    return low, np.inf if step == KEYS_A_SIDE - 1 else _power(step + 1 - _OFFSET)


def values_of(key: int, *, minimum: float, maximum: float, sd: float) -> tuple[float, float]:
    """The interval of values that share a key, the smaller end first.

    >>> values_of(46, minimum=0.0, maximum=10.0, sd=1.0)
    (12.0, 12.82842712474619)
    """
    near, far = (distance * scale_of(sd) for distance in distances_of(key))
    return (maximum + near, maximum + far) if key >= KEYS_A_SIDE else (minimum - far, minimum - near)


def _half_octave(distance: NDArray[np.float64]) -> NDArray[np.int64]:
    """floor(2·log2(d)) + 12 within 0 … 31: of d = m·2^e, ½ <= m < 1: 2e + 10, or 2e + 11 from √½ on."""
    mantissa, exponent = np.frexp(np.clip(distance, _NEAREST, _FURTHEST))
    half_octaves = 2 * exponent.astype(np.int64) - 2 + (mantissa >= _ROOT_HALF)
    return np.clip(half_octaves + _OFFSET, 0, KEYS_A_SIDE - 1)


def _power(half_octaves: int) -> float:
    """2^(h/2), the same float that the key's comparison uses."""
    octaves, odd = divmod(half_octaves, 2)
    return float(np.ldexp(2 * _ROOT_HALF, octaves)) if odd else float(np.ldexp(1.0, octaves))
