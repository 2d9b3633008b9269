"""Models that never drift page no more than their budget, and shifts are found within it; 40 models of a year are a bench."""

from __future__ import annotations

import numpy as np

from detectors.budget.limits import window_limits
from detectors.calibration.calibrate import Window, calibrate_named, calibrate_ordered
from detectors.calibration.judge import judge
from tests.support.budgeted import Setting, delays, false_pages_a_month


def test_two_months_of_ten_models_stay_within_a_page_a_month_each() -> None:
    setting = Setting(features=10, panes=1_461)
    pages = [false_pages_a_month(setting, seed=seed) for seed in range(10)]
    # About 11 in 20 months; 40 models of a year page .55 a month each, nine in ten at most 1.08.
    assert 0.0 < np.mean(pages) <= setting.budget


def test_a_shift_of_one_sd_waits_about_as_long_as_simulated_before() -> None:
    found = delays(Setting(features=10, panes=400), seed=3, shift=1.0).hours
    means = {name: float(np.mean(hours)) for name, hours in found.items()}
    assert means["oracle"] < means["CUSUM 0.5"] < 20.0
    assert means["location 24 h"] < 30.0
    assert means["omnibus 24 h"] < 30.0


def test_a_window_is_in_drift_where_either_limit_is_exceeded() -> None:
    panes = np.random.default_rng(1).multinomial(100, [0.1] * 10, size=800)
    ordered, named = calibrate_ordered(panes, Window(10, 1000)), calibrate_named(panes, Window(10, 1000))
    assert ordered is not None
    assert named is not None
    limits = window_limits(ordered, 1e-5, judgements=10.0)
    assert window_limits(named, 1e-5, judgements=10.0).location is None
    same, moved = judge(ordered, [100] * 10), judge(ordered, [60, 70, 80, 90, 100, 100, 110, 120, 130, 140])
    spread = judge(ordered, [160, 100, 80, 80, 80, 80, 80, 80, 100, 160])
    assert same is not None
    assert moved is not None
    assert spread is not None
    assert [limits.exceeded(one) for one in (same, moved, spread)] == [False, True, True]
    assert limits.location is not None
    assert spread.p_location is not None
    assert spread.p_location > limits.location
