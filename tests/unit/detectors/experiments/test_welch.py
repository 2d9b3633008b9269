"""Welch's t is scipy's, to the twelfth digit, and says why where it can say nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from detectors.experiments.samples import Sample, sample_of
from detectors.experiments.welch import welch

#: Student's sleep data (R: ``t.test(extra ~ group, data = sleep)`` prints t = -1.8608, df = 17.776, p-value = 0.07939).
SLEEP = (
    [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
)


def test_students_sleep_data_as_r_prints_them() -> None:
    found = welch(*map(sample_of, SLEEP))
    assert found.interval is not None
    assert found.statistic == pytest.approx(1.8608, abs=5e-5)
    assert found.freedom == pytest.approx(17.776, abs=5e-4)
    assert found.p_value == pytest.approx(0.07939, abs=5e-6)
    assert found.interval == pytest.approx((-0.2054832, 3.3654832), abs=5e-8)


@pytest.mark.parametrize("sizes", [(2, 2), (3, 50), (500, 20), (4_000, 7_000)])
@pytest.mark.parametrize("spread", [0.01, 1.0, 40.0])
def test_scipy_agrees_to_twelve_digits(sizes: tuple[int, int], spread: float) -> None:
    rng = np.random.default_rng(20130101)
    one, other = rng.normal(3.0, 1.0, sizes[0]), rng.lognormal(0.0, 1.0, sizes[1]) * spread
    found = welch(sample_of(one.tolist()), sample_of(other.tolist()), alpha=0.1)
    theirs = stats.ttest_ind(other, one, equal_var=False)
    interval = theirs.confidence_interval(0.9)
    assert (found.statistic, found.p_value, found.freedom) == pytest.approx(
        (theirs.statistic, theirs.pvalue, theirs.df), rel=1e-12
    )
    assert found.interval == pytest.approx((interval.low, interval.high), rel=1e-12)


@pytest.mark.parametrize(
    ("champion", "challenger", "state"),
    [
        (Sample(0, 0, 0), Sample(5, 10.0, 30.0), "no_traffic"),
        (Sample(5, 10.0, 30.0), Sample(0, 0, 0), "no_traffic"),
        (Sample(5, 10.0, 30.0), Sample(1, 2.0, 4.0), "not_enough_data"),
        (Sample(5, 10, 20), Sample(4, 12, 36), "no_variance"),
    ],
)
def test_the_state_says_why_there_is_no_answer(champion: Sample, challenger: Sample, state: str) -> None:
    found = welch(champion, challenger)
    assert (found.state, found.p_value, found.interval) == (state, None, None)


def test_two_constants_differ_by_what_they_differ() -> None:
    assert welch(Sample(5, 10, 20), Sample(4, 12, 36)).difference == 1.0


def test_one_constant_arm_is_judged_by_the_others_spread() -> None:
    found = welch(Sample(5, 10, 20), sample_of([1.0, 2.0, 3.0, 4.0]))
    assert (found.state, found.freedom) == ("ok", 3.0)


def test_a_thousand_billion_rows_and_variances_that_no_square_holds() -> None:
    huge = Sample(10**12, 5 * 10**12, 26 * 10**12)
    assert welch(huge, huge).p_value == 1.0
    tiny = Sample(100, 0.0, 1e-198)
    assert welch(tiny, Sample(100, 1e-98, 2e-198)).freedom == pytest.approx(198, rel=0.01)
