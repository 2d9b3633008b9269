"""Thresholds for a rate of false alarms: overlapping windows, charts with an estimated baseline, and the division of a budget."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from detectors import cusum as chart
from detectors.budget.chart_limit import cusum_limit
from detectors.budget.division import Watched, rate
from detectors.budget.limits import RELEASE
from detectors.budget.sliding import clusters, p_threshold
from detectors.run_lengths import cusum
from tests.support.simulated import Floats

JUDGEMENTS = 1_000_000


def sliding(judgements: int, freedom: int) -> Floats:
    """The statistic of a window that slides over independent panes, at each of a million judgements."""
    random, found = np.random.default_rng(1), np.zeros(JUDGEMENTS)
    for _ in range(freedom):
        total = np.cumsum(random.standard_normal(JUDGEMENTS + judgements))
        found += (total[judgements:] - total[:-judgements]) ** 2 / judgements
    return found


@pytest.mark.parametrize("judgements", [1, 3, 24, 168])
@pytest.mark.parametrize("freedom", [1, 9])
def test_clusters_come_at_the_rate_that_the_threshold_is_for(judgements: int, freedom: int) -> None:
    wanted = 3e-4
    level = stats.chi2.isf(p_threshold(wanted, judgements=judgements, freedom=freedom), freedom)
    over = np.flatnonzero(sliding(judgements, freedom) > level)
    found = 1 + np.count_nonzero(np.diff(over) >= judgements)
    # 1.00 to 1.18 times as many, and three standard errors of about 300.
    assert 0.82 <= found / (wanted * JUDGEMENTS) <= 1.36


def test_windows_that_do_not_overlap_have_the_rate_for_a_level() -> None:
    for freedom in (1.0, 4.5, 9.0):
        assert p_threshold(1e-4, judgements=1.0, freedom=freedom) == pytest.approx(1e-4, rel=0.02)


@pytest.mark.parametrize("judgements", [1.0, 24.0])
@pytest.mark.parametrize("freedom", [1.0, 9.0, 999.0, 5000.0])
def test_the_smallest_budgets_and_the_widest_columns_have_a_threshold(judgements: float, freedom: float) -> None:
    found = [p_threshold(rate, judgements=judgements, freedom=freedom) for rate in (1e-17, 1e-100, 1e-200, 1e-300)]
    assert found[0] == pytest.approx(1e-17, rel=0.7 * judgements)
    # Windows that overlap have the laxer threshold; a rate of less than 1e-200 is not kept.
    assert 0.999e-200 < found[2] == found[3] < found[1] < found[0]


def test_the_more_windows_overlap_the_laxer_the_threshold_for_one_rate() -> None:
    found = [p_threshold(1e-5, judgements=judgements, freedom=1.0) for judgements in (1.0, 24.0, 168.0, 672.0)]
    assert [round(one / 1e-5, 1) for one in found] == [1.0, 2.8, 15.1, 64.9]


def test_a_cluster_is_never_rarer_than_nothing_nor_more_frequent_than_what_exceeds() -> None:
    levels = np.linspace(3.0, 400.0, 50).tolist()
    assert all(0.0 <= clusters(x, 1.0, 3.0) <= stats.chi2.sf(x, 3.0) for x in levels)


def test_a_chart_of_a_known_baseline_runs_as_long_as_its_integral_equation() -> None:
    for arl, slack in ((1e3, 0.5), (73_000.0, 0.5), (1e6, 0.25)):
        limit = cusum_limit(1.0 / arl, slack, panes=10**9, blocks=math.inf)
        assert cusum.two_sided(slack, limit) == pytest.approx(arl, rel=0.04)


def test_a_chart_of_an_estimated_baseline_alarms_as_often_as_was_asked_averaged_over_baselines() -> None:
    wanted, panes, runs = 1 / 300, 200, 4_000
    limit = cusum_limit(wanted, 0.5, panes=panes, blocks=panes / 0.7)
    random = np.random.default_rng(2)
    reference = random.standard_normal((runs, panes))
    middle, spread = reference.mean(axis=1), reference.std(axis=1, ddof=1)
    up, down, alarms = np.zeros(runs), np.zeros(runs), 0
    for _ in range(600):
        up, down = chart.step(up, down, (random.standard_normal(runs) - middle) / spread)
        over = chart.alarms(up, down, limit=limit)
        alarms += int(over.sum())
        up, down = np.where(over, 0.0, up), np.where(over, 0.0, down)
    assert alarms / (600 * runs) == pytest.approx(wanted, rel=0.10)


def test_the_same_limit_for_a_known_baseline_would_alarm_more() -> None:
    known = cusum_limit(1 / 73_000, 0.5, panes=10**9, blocks=math.inf)
    assert known < cusum_limit(3 / 73_000, 0.5, panes=744, blocks=37.0)


def test_a_budget_is_divided_over_everything_that_may_page() -> None:
    watched = Watched(features=20, segments=3, tests=4, charts=2)
    assert watched.processes == 360
    monthly = rate(1.0, watched, every_ms=3_600_000) * 360 * 2_629_800_000 / 3_600_000
    assert monthly == pytest.approx(1.0, rel=1e-12)


def test_what_has_no_threshold_says_why() -> None:
    with pytest.raises(ValueError, match="a budget of 0 false pages a month"):
        rate(0.0, Watched(1, tests=1), every_ms=60_000)
    with pytest.raises(ValueError, match="nothing is watched"):
        rate(1.0, Watched(0, tests=1), every_ms=60_000)
    with pytest.raises(ValueError, match="a rate of 0 alarms a judgement"):
        p_threshold(0.0, judgements=24.0, freedom=1.0)
    with pytest.raises(ValueError, match="a rate of 2 alarms a pane"):
        cusum_limit(2.0, 0.5, panes=100, blocks=20.0)


@pytest.mark.parametrize("freedom", [1, 9])
def test_an_alarm_that_lasts_until_the_release_is_one_a_cluster(freedom: int) -> None:
    wanted, judgements = 1e-4, 168
    values = sliding(judgements, freedom)
    level = stats.chi2.isf(p_threshold(wanted, judgements=judgements, freedom=freedom), freedom)
    over, clear = values > level, values <= stats.chi2.isf(RELEASE, freedom)
    begun, lasting = np.count_nonzero(over[1:] & ~over[:-1]), _alarms(over, clear)
    assert 0.82 <= lasting / (wanted * JUDGEMENTS) <= 1.5
    assert begun >= 2 * lasting


def _alarms(over: NDArray[np.bool_], clear: NDArray[np.bool_]) -> int:
    """Alarms that begin where ``over`` and end where ``clear``."""
    edges = np.flatnonzero(over | clear)
    firing = over[edges]
    return int(firing[0]) + int(np.count_nonzero(firing[1:] & ~firing[:-1]))
