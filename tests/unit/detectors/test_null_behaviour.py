"""What NUMBERS says of drift scores and charts where nothing has changed, each by simulation with the code that is run."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from detectors import cusum
from detectors.edges import Floats, bin_of
from detectors.kolmogorov_smirnov import cumulative, distance, effective, p_value
from detectors.psi import floored, psi
from tests.support.simulated import normal_rows

REFERENCE = 10_000


def scores(*, windows: int, rows: int, shift: float = 0.0) -> Floats:
    """PSI of normal rows by deciles, floor 1e-4: every window against a reference of its own, which holds a tenth in each bin."""
    random = np.random.default_rng(rows)
    # The share of all values below a reference's k-th thousandth row is a beta variable; a Dirichlet's parts are its steps.
    ends = np.cumsum(random.dirichlet([REFERENCE / 10] * 10, size=windows), axis=1)[:, :-1]
    shares = np.diff(stats.norm.cdf(stats.norm.ppf(ends) - shift), prepend=0.0, append=1.0, axis=1)
    then = np.full(10, REFERENCE // 10)
    return np.array([psi(*floored(then, now)) for now in random.multinomial(rows, shares)])


def test_a_hundred_rows_pass_a_tenth_two_times_in_five_and_ten_thousand_rows_hide_a_shift() -> None:
    assert (scores(windows=4_000, rows=100) > 0.1).mean() == pytest.approx(0.39, abs=0.03)
    assert (scores(windows=500, rows=10_000, shift=0.2) > 0.1).sum() == 0


def test_psi_is_nearly_chi_squared_where_every_bin_expects_fifty_rows() -> None:
    def beyond(rows: int) -> float:
        limit = (1 / rows + 1 / REFERENCE) * stats.chi2.ppf(0.95, 9)
        return float((scores(windows=6_000, rows=rows) > limit).mean())

    # 50 rows a bin: its 5 %; 20: tolerable; 10 and 5: wrong.
    assert beyond(500) == pytest.approx(0.05, abs=0.009)
    assert beyond(200) == pytest.approx(0.0575, abs=0.009)
    assert beyond(100) > 0.065
    assert beyond(50) > 0.1


def test_correlated_rows_make_ks_alarm_on_three_windows_of_four() -> None:
    rows = normal_rows(np.random.default_rng(77), (800, 1_000), phi=0.9)
    fine = np.asarray(stats.norm.ppf(np.arange(1, 400) / 400))
    shares = cumulative([np.bincount(bin_of(row, fine), minlength=400) for row in rows])
    found = p_value(distance(shares[::2], shares[1::2]), effective(1_000, 1_000))
    assert (found < 0.05).mean() == pytest.approx(0.77, abs=0.05)


@pytest.mark.parametrize(("rows", "median"), [(0, 324), (30, 151), (100, 245)])
def test_a_baseline_of_few_values_costs_run_length(rows: int, median: int) -> None:
    random, runs = np.random.default_rng(9), 8_000
    known = random.normal(size=(runs, rows))
    mean, sd = (known.mean(axis=1), known.std(axis=1, ddof=1)) if rows else (np.zeros(runs), np.ones(runs))
    up, down, found, step = np.zeros(runs), np.zeros(runs), np.zeros(runs), 0
    while (found > 0).mean() <= 0.5:
        step += 1
        up, down = cusum.step(up, down, (random.normal(size=runs) - mean) / sd)
        found = np.where((found == 0) & cusum.alarms(up, down), step, found)
    assert step == pytest.approx(median, rel=0.05)
