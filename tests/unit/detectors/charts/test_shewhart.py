"""Three sigma: with a known sd, and with one learned from recent values."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.charts.shewhart import WARM_UP, RollingRule, beyond, run_length


def test_one_value_in_370_is_beyond_three_sd() -> None:
    values = np.random.default_rng(3).standard_normal(1_000_000)
    assert beyond(values).mean() == pytest.approx(0.0026998, rel=0.06)


def test_the_run_length_is_the_chance_s() -> None:
    assert [round(run_length(width), 2) for width in (1.0, 2.0, 3.0)] == [3.15, 21.98, 370.40]
    assert run_length(40.0) == float("inf")


def after(rule: RollingRule, *values: float) -> RollingRule:
    for value in values:
        rule = rule.after(np.array([value]))
    return rule


def alarms(rule: RollingRule, value: float) -> bool:
    return bool((np.abs(rule.distances(np.array([value]))) > rule.limits())[0])


def test_weights_fall_by_the_same_factor_from_value_to_value() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 8.0]
    rule = after(RollingRule.begun(1, weight=0.3), *values)
    weights = np.array([0.7**4, 0.3 * 0.7**3, 0.3 * 0.7**2, 0.3 * 0.7, 0.3])
    mean = weights @ np.array(values)
    assert weights.sum() == pytest.approx(1.0)
    assert rule.mean[0] == pytest.approx(mean, rel=1e-12)
    assert rule.variance[0] == pytest.approx(weights @ (np.array(values) - mean) ** 2, rel=1e-12)


def test_columns_do_not_mix_and_what_is_missing_moves_nothing() -> None:
    both = RollingRule.begun(2, weight=0.3)
    for pair in ((1.0, np.nan), (4.0, 7.0), (np.nan, 5.0), (2.0, np.nan)):
        both = both.after(np.array(pair))
    first, second = (after(RollingRule.begun(1, weight=0.3), *seen) for seen in ((1.0, 4.0, 2.0), (7.0, 5.0)))
    assert both.count.tolist() == [3, 2]
    assert both.mean.tolist() == [*first.mean, *second.mean]
    assert both.variance.tolist() == [*first.variance, *second.variance]
    assert np.isnan(both.distances(np.array([np.nan, 5.0]))).tolist() == [True, False]


def test_a_jump_alarms_once_the_rule_is_warm_and_a_creep_never_does() -> None:
    random, rule = np.random.default_rng(1), RollingRule.begun(1, weight=0.1)
    for at in range(WARM_UP):
        assert not alarms(rule, 100.0), at
        rule = after(rule, float(random.standard_normal()))
    assert alarms(rule, float(rule.mean[0] + 3.1 * rule.variance[0] ** 0.5))
    assert not alarms(rule, float(rule.mean[0] + 2.9 * rule.variance[0] ** 0.5))
    creep, found = RollingRule.begun(1, weight=0.1), 0
    for at in range(400):
        found += alarms(creep, at * 0.01 + (-1) ** at)
        creep = after(creep, at * 0.01 + (-1) ** at)
    assert found == 0


def test_a_constant_has_no_sd_and_any_other_value_alarms() -> None:
    rule = after(RollingRule.begun(1, weight=0.2), *[7.0] * WARM_UP)
    assert (alarms(rule, 7.0), alarms(rule, 7.1)) == (False, True)


def test_a_weight_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="weight 0"):
        RollingRule.begun(1, weight=0.0)
