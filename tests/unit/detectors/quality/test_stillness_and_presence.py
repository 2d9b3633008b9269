"""Features that stand still, or differ between serving and their store."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.profile import Panes, categorical_profile, coded, numeric_profile
from detectors.psi import driftline_numeric
from detectors.quality.presence import skew_named, skew_numeric
from detectors.quality.stillness import Run, allowed_panes, constant, stuck_run
from detectors.quality.verdict import Verdict
from schemas.reference import NumericProfile
from tests.support.caused import Floats, window_of

HOUR = 3_600_000


def panes(values: Floats, rows: int = 10) -> NumericProfile:
    return numeric_profile(values, Panes(HOUR, tuple(range(len(values) // rows)), np.arange(len(values)) // rows))


@pytest.fixture(scope="module")
def normal() -> NumericProfile:
    return panes(np.random.default_rng(1).normal(size=2_000))


def test_one_value_in_a_whole_window(normal: NumericProfile) -> None:
    found = constant(normal, 200, ends=(1.5, 1.5))
    assert (found.state, found.words) == ("drift", "all 200 values are 1.5")
    assert constant(normal, 200, ends=(1.5, 1.6)).state == "ok"
    assert constant(normal, 99, ends=(1.5, 1.5)).state == "not_enough_data"


def test_a_reference_of_one_value_is_constant_and_may_be() -> None:
    assert constant(panes(np.full(500, 3.0)), 200, ends=(3.0, 3.0)).state == "ok"
    often = panes(np.repeat([0.0, 1.0], [980, 20]))
    assert constant(often, 200, ends=(0.0, 0.0)).p == pytest.approx(0.98**200)
    assert constant(often, 200, ends=(0.0, 0.0)).state == "ok"
    assert constant(often, 1_000, ends=(0.0, 0.0)).state == "drift"


def stuck(profile: NumericProfile, value: float, panes: int) -> Verdict:
    """Of so many panes of ten rows."""
    return stuck_run(profile, Run(value, panes, 10 * panes), allowed=allowed_panes(profile), pane_ms=HOUR)


def test_a_feature_that_stands_still_for_longer_than_two_panes(normal: NumericProfile) -> None:
    found = stuck(normal, 0.25, 4)
    assert (found.state, found.value, found.threshold, found.n) == ("drift", 4 * 3600.0, 2 * 3600.0, 40)
    assert found.words == "0.25 since 4 panes"
    assert stuck(normal, 0.25, 2).state == "ok"


def test_what_stood_still_before_may_stand_still_twice_as_long() -> None:
    slow = panes(np.repeat(np.random.default_rng(2).normal(size=40), 50))  # five panes each
    assert allowed_panes(slow) == 10
    assert [stuck(slow, 0.1, count).state for count in (10, 11)] == ["ok", "drift"]


def test_a_value_that_most_rows_hold_is_not_stuck() -> None:
    zeros = np.zeros(2_000)
    zeros[::25] = 1.0
    assert stuck(panes(zeros), 0.0, 9).state == "ok"


def test_serving_and_store_are_held_against_each_other_and_not_against_the_reference(normal: NumericProfile) -> None:
    random = np.random.default_rng(3)
    store, serving = random.normal(1.0, 1.0, 1_000), random.normal(1.0, 1.0, 1_000)
    there, here = (window_of(values, normal).counts for values in (store, serving))
    same = skew_numeric(normal, here, there)
    assert same.state == "ok"
    assert same.p is not None
    assert same.p > 0.01
    assert (driftline_numeric(normal, here) or 0.0) > 0.5  # though both have left the reference
    other = skew_numeric(normal, window_of(serving - 1.0, normal).counts, there)
    assert (other.check, other.state, other.n) == ("skew", "drift", 1_000)
    assert other.p is not None
    assert other.p < 1e-9


@pytest.mark.parametrize(("rows", "above"), [(100, 224), (200, 87), (400, 4)])
def test_small_windows_that_are_alike_are_no_skew_though_their_psi_is_large(
    normal: NumericProfile, rows: int, above: int
) -> None:
    random, shares = np.random.default_rng(7), np.array(normal.counts) / sum(normal.counts)
    pairs = [random.multinomial(rows, shares, size=2) for _ in range(300)]
    found = [skew_numeric(normal, serving, store) for serving, store in pairs]
    assert sum((one.value or 0.0) > 0.1 for one in found) == above
    assert [one.state for one in found] == ["ok"] * 300


def test_small_windows_of_names_that_are_alike_are_no_skew_and_others_are() -> None:
    profile = categorical_profile(coded(["a", "b", "c", "d"] * 50), None)
    alike = skew_named(profile, [18, 32, 20, 30, 0, 0], [28, 22, 30, 20, 0, 0])
    assert alike.value == pytest.approx(0.156320, abs=1e-6)
    assert alike.p == pytest.approx(0.045482, abs=1e-6)
    assert alike.state == "ok"
    assert skew_named(profile, [10, 40, 10, 40, 0, 0], [28, 22, 30, 20, 0, 0]).state == "drift"


def test_a_small_window_of_other_values_is_skew(normal: NumericProfile) -> None:
    random = np.random.default_rng(5)
    serving, store = (window_of(random.normal(middle, 1.0, 100), normal).counts for middle in (1.0, 0.0))
    assert skew_numeric(normal, serving, store).state == "drift"


def test_rows_without_a_value_on_one_side_are_skew(normal: NumericProfile) -> None:
    counts = window_of(np.random.default_rng(3).normal(size=1_000), normal).counts
    assert skew_numeric(normal, counts, counts, missing=(300, 0)).state == "drift"
    assert skew_numeric(normal, counts, counts, missing=(300, 300)).value == 0.0


def test_names_of_serving_and_store() -> None:
    profile = categorical_profile(coded(["a", "b"] * 100), None)
    assert skew_named(profile, [500, 480, 10, 10], [500, 480, 10, 10]).value == 0.0
    assert skew_named(profile, [500, 480, 10, 210], [500, 480, 10, 10]).state == "drift"
    assert skew_named(profile, [5, 4, 0, 0], [500, 480, 10, 10]).state == "not_enough_data"
