"""Run lengths against what is published: Montgomery's table 9.4, Lucas and Crosier 1982, Lucas and Saccucci 1990, and NUMBERS."""

from __future__ import annotations

import pytest

from detectors.run_lengths import cusum, design, ewma

SHIFTS = (0.0, 0.25, 0.5, 1.0, 2.0)
NUMBERS = {
    "cusum h 4": (167.6838, 74.2240, 26.6302, 8.3831, 3.3428),
    "cusum h 5": (465.4435, 139.4937, 37.9961, 10.3760, 4.0089),
    "ewma .20": (499.7351, 150.2164, 41.7644, 10.5417, 3.7434),
    "ewma .10": (499.5796, 106.3219, 31.2974, 10.3307, 4.3623),
    "ewma .05": (499.9330, 84.0059, 28.7637, 11.3828, 5.2249),
}


def test_the_table_of_numbers_to_its_last_digit() -> None:
    found = {
        "cusum h 4": tuple(round(cusum.two_sided(0.5, 4.0, shift), 4) for shift in SHIFTS),
        "cusum h 5": tuple(round(cusum.two_sided(0.5, 5.0, shift), 4) for shift in SHIFTS),
        "ewma .20": tuple(round(ewma.two_sided(0.20, 2.962, shift), 4) for shift in SHIFTS),
        "ewma .10": tuple(round(ewma.two_sided(0.10, 2.814, shift), 4) for shift in SHIFTS),
        "ewma .05": tuple(round(ewma.two_sided(0.05, 2.615, shift), 4) for shift in SHIFTS),
    }
    assert found == NUMBERS


@pytest.mark.parametrize(
    ("limit", "published"),
    [
        (4.0, [168, 74.2, 26.6, 13.3, 8.38, 4.75, 3.34, 2.62, 2.19, 1.71]),
        (5.0, [465, 139, 38.0, 17.0, 10.4, 5.75, 4.01, 3.11, 2.57, 2.01]),
    ],
)
def test_montgomery_s_table_9_4(limit: float, published: list[float]) -> None:
    shifts = [0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0]
    assert [float(f"{cusum.two_sided(0.5, limit, shift):.3g}") for shift in shifts] == published


def test_lucas_and_crosier_s_head_start_of_half_the_limit() -> None:
    found = [cusum.two_sided(0.5, 5.0, shift, head_start=2.5) for shift in (0.0, 0.5, 1.0, 2.0)]
    assert [float(f"{run:.3g}") for run in found] == [430, 28.7, 6.35, 2.36]


@pytest.mark.parametrize(
    ("weight", "width", "published"),
    [
        (0.40, 3.054, [500, 224, 71.2, 28.4, 14.3, 5.9, 3.5, 2.5, 2.0, 1.4]),
        (0.25, 2.998, [500, 170, 48.2, 20.1, 11.1, 5.5, 3.6, 2.7, 2.3, 1.7]),
        (0.20, 2.962, [500, 150, 41.8, 18.2, 10.5, 5.5, 3.7, 2.9, 2.4, 1.9]),
        (0.10, 2.814, [500, 106, 31.3, 15.9, 10.3, 6.1, 4.4, 3.4, 2.9, 2.2]),
        (0.05, 2.615, [500, 84.1, 28.8, 16.4, 11.4, 7.1, 5.2, 4.2, 3.5, 2.7]),
    ],
)
def test_lucas_and_saccucci_s_table(weight: float, width: float, published: list[float]) -> None:
    shifts = [0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0]
    found = [ewma.two_sided(weight, width, shift) for shift in shifts]
    # They print three figures of the long ones (106 for 106.32) and one decimal of the short (48.2 for 48.29, 15.9 for 15.85).
    assert found == pytest.approx(published, rel=3.1e-3, abs=0.06)


def test_limits_that_numbers_asks_for() -> None:
    assert [round(design.cusum_limit(arl, 0.5), 4) for arl in (370.0, 500.0, 1e4, 1e6)] == [
        4.7738,
        5.0707,
        8.0530,
        12.6572,
    ]
    assert [round(design.ewma_width(arl, 0.1), 4) for arl in (370.0, 1e4, 1e6)] == [2.7010, 3.7491, 4.8240]


def test_the_best_chart_for_ten_thousand_needs_sixteen_and_a_half_values_for_one_sd() -> None:
    assert round(cusum.two_sided(0.5, design.cusum_limit(1e4, 0.5), 1.0), 1) == 16.5
    assert round(ewma.two_sided(0.1, design.ewma_width(1e4, 0.1), 1.0), 1) == 16.9
