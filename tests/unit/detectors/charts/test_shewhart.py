"""Three sigma: with a known sd, and with one learned from recent values."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.charts.shewhart import WARM_UP, RollingRule, beyond


def test_one_value_in_370_is_beyond_three_sd() -> None:
    values = np.random.default_rng(3).standard_normal(1_000_000)
    assert beyond(values).mean() == pytest.approx(0.0026998, rel=0.06)


def test_weights_fall_by_the_same_factor_from_value_to_value() -> None:
    values, rule = [5.0, 1.0, 4.0, 2.0, 8.0], RollingRule(0.3)
    for value in values:
        rule = rule.after(value)
    weights = np.array([0.7**4, 0.3 * 0.7**3, 0.3 * 0.7**2, 0.3 * 0.7, 0.3])
    mean = weights @ np.array(values)
    assert weights.sum() == pytest.approx(1.0)
    assert rule.mean == pytest.approx(mean, rel=1e-12)
    assert rule.variance == pytest.approx(weights @ (np.array(values) - mean) ** 2, rel=1e-12)


def test_a_jump_alarms_once_the_rule_is_warm_and_a_creep_never_does() -> None:
    random, rule = np.random.default_rng(1), RollingRule(0.1)
    for at in range(WARM_UP):
        assert not rule.alarms(100.0), at
        rule = rule.after(float(random.standard_normal()))
    assert rule.alarms(rule.mean + 3.1 * rule.variance**0.5)
    assert not rule.alarms(rule.mean + 2.9 * rule.variance**0.5)
    creep, found = RollingRule(0.1), 0
    for at in range(400):
        found += creep.alarms(at * 0.01 + (-1) ** at)
        creep = creep.after(at * 0.01 + (-1) ** at)
    assert found == 0


def test_a_constant_has_no_sd_and_any_other_value_alarms() -> None:
    rule = RollingRule(0.2)
    for _ in range(WARM_UP):
        rule = rule.after(7.0)
    assert (rule.alarms(7.0), rule.alarms(7.1)) == (False, True)


def test_a_weight_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="weight 0"):
        RollingRule(0.0)
