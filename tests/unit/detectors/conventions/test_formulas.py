"""Numbers that no package here can be asked for, worked out from their published formula on a few rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detectors.conventions.measure import measure
from detectors.conventions.pair import names_pair, numeric_pair
from detectors.distances import mmd
from detectors.profile import coded

NAMES = names_pair(coded(["a", "a", "a", "b"]), coded(["a", "b", "b", "c"]))
NUMBERS = numeric_pair(np.array([0.0, 15.0, 15.0, 30.0]), np.array([0.0, 0.5, 15.0, 15.0]))
LEAST = float(np.float32(1e-7))


def test_the_platform_of_whylabs_on_names() -> None:
    p, q = (0.75, 0.25, LEAST), (0.25, 0.5, 0.25)
    kl = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    assert measure(NAMES, "kl", "whylabs").value == pytest.approx(kl, rel=1e-12)
    psi = sum((a - b) * math.log(a / b) for a, b in zip(p, q, strict=True))
    assert measure(NAMES, "psi", "whylabs").value == pytest.approx(psi, rel=1e-12)
    affinity = math.sqrt(0.75 * 0.25) + math.sqrt(0.25 * 0.5)
    assert measure(NAMES, "hellinger", "whylabs").value == pytest.approx(math.sqrt(1.0 - affinity), rel=1e-12)
    js = 0.75 * math.log(1.5) + 0.25 * math.log(0.25 / 0.375) + 0.25 * math.log(0.5) + 0.5 * math.log(4 / 3)
    js += 0.25 * math.log(2.0)
    assert measure(NAMES, "js", "whylabs").value == pytest.approx(math.sqrt(js / 2.0), rel=1e-12)


def test_the_platform_of_whylabs_on_numbers_has_cells_of_a_thirtieth() -> None:
    """0 and 0.5 share a cell of width 1, 30 falls in the last one with what is from 29 on."""
    assert measure(NUMBERS, "hellinger", "whylabs").value == pytest.approx(
        math.sqrt(1.0 - math.sqrt(0.25 * 0.5) - math.sqrt(0.5 * 0.5)), rel=1e-12
    )
    constant = numeric_pair(np.full(5, 2.0), np.full(3, 2.0))
    assert measure(constant, "psi", "whylabs").value == pytest.approx(0.0, abs=1e-15)


def test_kl_of_driftline_is_the_current_rows_from_the_reference() -> None:
    """Bins a, b, unseen (other and missing are empty on both sides), half a count in each."""
    p, q = (1.5 / 5.5, 2.5 / 5.5, 1.5 / 5.5), (3.5 / 5.5, 1.5 / 5.5, 0.5 / 5.5)
    expected = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    assert measure(NAMES, "kl").value == pytest.approx(expected, rel=1e-12)


def test_z_of_driftline_is_above_0_where_the_second_name_is_more_frequent_now() -> None:
    pair = names_pair(coded(["no"] * 70 + ["yes"] * 30), coded(["no"] * 55 + ["yes"] * 45))
    assert measure(pair, "z").value == pytest.approx(0.15 / math.sqrt(0.375 * 0.625 * 0.02), rel=1e-12)
    assert measure(pair, "z", "evidently").value == pytest.approx(-0.15 / math.sqrt(0.375 * 0.625 * 0.02), rel=1e-12)


def test_mmd_has_no_bias() -> None:
    draw = np.random.default_rng(9)
    found = [mmd.squared(*(mmd.sample(draw.standard_normal((40, 1))) for _ in range(2))) for _ in range(200)]
    values = np.array(found, dtype=np.float64)
    assert abs(values.mean()) <= 3.0 * values.std() / math.sqrt(200)


def test_the_total_variation_of_evidently_counts_its_shuffles() -> None:
    pair = names_pair(coded(["a"] * 6 + ["b"] * 6), coded(["a"] * 6 + ["b"] * 6))
    found = measure(pair, "tv", "evidently")
    assert (found.value, found.p_value) == (0.0, 1.0)
