"""Numbers are what Python reads, to the last bit, or nothing is said of them."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream.ingest.compiled.decimals import FRACTION, UNSURE, WHOLE, number_at


def read(text: str) -> tuple[int, float, int, int]:
    kind, value, whole, at = number_at(np.frombuffer(text.encode() + b" ", np.uint8), 0, len(text))
    return int(kind), float(value), int(whole), int(at)


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


#: 17 digits, halves of an even and of an odd mantissa, the greatest whole number that a float holds, and around powers of ten.
FRACTIONS = (
    "0.1", "1.5", "-3.25", "0.30000000000000004", "2.2250738585072014e-30", "9007199254740993.0", "9007199254740995.0",
    "1e22", "1e23", "8.5e-7", "123456789012345678e-5", "1E+3", "-0.0", "0e5", "4503599627370496.5", "4503599627370497.5",
    "1.7976931348623157e60", "5e-70",
)  # fmt: skip


@pytest.mark.parametrize("text", FRACTIONS)
def test_a_fraction_is_the_nearest_float(text: str) -> None:
    kind, value, _, at = read(text)
    assert (kind, bits(value), at) == (FRACTION, bits(float(text)), len(text))


@pytest.mark.parametrize("text", ["0", "7", "-12", "1357035300000", "9007199254740993", "9223372036854775807"])
def test_a_whole_number_is_exact_and_its_float_the_nearest(text: str) -> None:
    assert read(text) == (WHOLE, float(int(text)), int(text), len(text))


#: No JSON; more digits or a greater power than are sure; and a zero with a sign, whose kind readers do not agree on.
UNSURE_TEXTS = (
    "", "-", "+1", ".5", "1.", "1.e3", "01", "-01", "1e", "1e+", "NaN", "-0", "9223372036854775808", "12345678901234567890",
    "0.12345678901234567891", "1e400", "1e-400", "1e61", "1e12345", "0.00000000000000000001",
)  # fmt: skip


@pytest.mark.parametrize("text", UNSURE_TEXTS)
def test_what_is_not_sure_is_left_to_python(text: str) -> None:
    assert read(text)[0] == UNSURE


def test_a_number_ends_where_no_part_of_one_stands() -> None:
    assert read("12,3") == (WHOLE, 12.0, 12, 2)
    assert read("1.5}") == (FRACTION, 1.5, 0, 3)


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(5e-324)
@example(1.7976931348623157e308)
def test_every_float_as_python_writes_it(value: float) -> None:
    kind, found, _, _ = read(repr(value))
    assert kind in (UNSURE, FRACTION)
    assert kind == UNSURE or bits(found) == bits(value)
    if 1e-40 < abs(value) < 1e40:
        assert kind == FRACTION


@given(st.integers(0, 10**19 - 1), st.integers(-80, 60))
def test_digits_and_a_power(digits: int, power: int) -> None:
    text = f"{digits}e{power}"
    kind, found, _, _ = read(text)
    assert kind == UNSURE or bits(found) == bits(float(text))


@given(st.integers(1 << 52, (1 << 53) - 1), st.integers(-4, 10), st.sampled_from(["", "0000001"]))
def test_halves_between_two_floats(mantissa: int, shift: int, more: str) -> None:
    whole = (2 * mantissa + 1) << max(shift, 0)
    text = f"{whole}.0" if shift >= 0 else f"{whole >> -shift}.{'5' if shift == -1 else '25'}{more}"
    kind, found, _, _ = read(text)
    assert kind == UNSURE or bits(found) == bits(float(text))
