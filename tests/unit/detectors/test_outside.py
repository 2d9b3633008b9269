"""Half-octaves beyond the reference's range: exact keys, and intervals that give them back."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.outside import distances_of, outside_keys, values_of


def key_of(x: float, *, minimum: float = 0.0, maximum: float = 0.0, sd: float = 1.0) -> int:
    return int(outside_keys(np.array([x]), minimum=minimum, maximum=maximum, sd=sd)[0])


def true_half_octave(distance: float) -> int:
    """The largest h with 2^h <= d², in whole-number arithmetic: floor(2·log2(d))."""
    square = Fraction(distance) ** 2
    h = math.frexp(distance)[1] * 2 - 4
    while Fraction(2) ** (h + 1) <= square:
        h += 1
    return h


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_the_key_is_the_floor_of_twice_the_binary_logarithm(distance: float) -> None:
    expected = min(max(true_half_octave(distance) + 12, 0), 31)
    assert key_of(distance) == expected + 32
    assert key_of(-distance) == expected


@pytest.mark.parametrize("octave", range(-8, 12))
def test_the_key_changes_exactly_at_powers_of_two_and_of_root_two(octave: int) -> None:
    for edge in (2.0**octave, math.ldexp(0.7071067811865476, octave)):
        for value in (edge, math.nextafter(edge, 0.0), math.nextafter(edge, math.inf)):
            assert key_of(value) == min(max(true_half_octave(value) + 12, 0), 31) + 32


def test_a_value_one_sd_beyond_has_key_12_below_and_44_above() -> None:
    assert key_of(8.0, minimum=10.0, maximum=20.0, sd=2.0) == 12
    assert key_of(22.0, minimum=10.0, maximum=20.0, sd=2.0) == 44


@pytest.mark.parametrize("x", [10.0, 15.0, 20.0, math.nan])
def test_values_of_the_range_have_no_key(x: float) -> None:
    assert key_of(x, minimum=10.0, maximum=20.0) == -1


def test_the_least_and_the_largest_distances_share_the_end_keys() -> None:
    assert key_of(5e-324, sd=1e300) == 32
    assert key_of(1.7e308, minimum=-1.7e308, maximum=-1.7e308, sd=1e-300) == 63
    assert key_of(math.inf) == 63
    assert key_of(-math.inf) == 31


def test_a_reference_without_spread_measures_in_units_of_one() -> None:
    assert key_of(6.0, minimum=4.0, maximum=4.0, sd=0.0) == key_of(2.0)


@given(st.integers(0, 63))
def test_the_interval_of_a_key_gives_the_key_back(key: int) -> None:
    near, far = distances_of(key)
    side = 1.0 if key >= 32 else -1.0
    inner = near if near > 0 else 1e-9
    assert key_of(side * inner) == key
    assert key_of(side * math.nextafter(far, 0.0)) == key


def test_intervals_join_without_a_gap() -> None:
    assert [distances_of(key)[1] for key in range(31)] == [distances_of(key)[0] for key in range(1, 32)]
    assert distances_of(0)[0] == 0.0
    assert distances_of(31)[1] == math.inf


def test_values_of_a_key_lie_on_its_side() -> None:
    assert values_of(12, minimum=10.0, maximum=20.0, sd=2.0) == (10.0 - 2.0 * math.sqrt(2), 8.0)
    assert values_of(44, minimum=10.0, maximum=20.0, sd=2.0) == (22.0, 20.0 + 2.0 * math.sqrt(2))


def test_a_key_beyond_63_is_refused() -> None:
    with pytest.raises(ValueError, match="64 is not within 0 to 63"):
        distances_of(64)
