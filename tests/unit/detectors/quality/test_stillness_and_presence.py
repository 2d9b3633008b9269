"""Features that stand still, come, go, come twice, or differ between serving and their store."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.profile import Panes, categorical_profile, coded, numeric_profile
from detectors.psi import driftline_numeric
from detectors.quality.presence import appeared, arrivals, skew_named, skew_numeric, vanished
from detectors.quality.stillness import PaneEnds, constant, longest_still, stuck
from schemas.reference import NumericProfile
from tests.support.caused import Floats, window_of

HOUR = 3_600_000


def panes(values: Floats, rows: int = 10) -> NumericProfile:
    return numeric_profile(values, Panes(HOUR, tuple(range(len(values) // rows)), np.arange(len(values)) // rows))


@pytest.fixture(scope="module")
def normal() -> NumericProfile:
    return panes(np.random.default_rng(1).normal(size=2_000))


def still(value: float, count: int, rows: int = 10) -> list[PaneEnds]:
    return [PaneEnds(rows, value, value)] * count


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


def test_a_feature_that_stands_still_and_since_when(normal: NumericProfile) -> None:
    moving = [PaneEnds(10, -1.0, 1.0)] * 5
    found = stuck(normal, moving + still(0.25, 4), pane_ms=HOUR)
    assert (found.state, found.value, found.threshold, found.n) == ("drift", 4 * 3600.0, 2 * 3600.0, 40)
    assert found.words == "0.25 since 4 panes"
    assert stuck(normal, moving + still(0.25, 2), pane_ms=HOUR).state == "ok"
    assert stuck(normal, still(0.25, 4) + moving, pane_ms=HOUR).value == 0.0
    assert stuck(normal, still(0.75, 4) + still(0.25, 2), pane_ms=HOUR).value == 2 * 3600.0


def test_panes_without_a_value_do_not_end_a_stillness(normal: NumericProfile) -> None:
    gap = [PaneEnds(0, np.inf, -np.inf)]
    assert stuck(normal, still(0.25, 2) + gap + still(0.25, 2) + gap, pane_ms=HOUR).value == 4 * 3600.0
    assert stuck(normal, gap, pane_ms=HOUR).state == "no_traffic"


def test_what_stood_still_before_may_stand_still_twice_as_long() -> None:
    slow = panes(np.repeat(np.random.default_rng(2).normal(size=40), 50))  # five panes each
    assert longest_still(slow) == 5
    assert stuck(slow, still(0.1, 10), pane_ms=HOUR).state == "ok"
    assert stuck(slow, still(0.1, 11), pane_ms=HOUR).state == "drift"


def test_a_value_that_most_rows_hold_is_not_stuck() -> None:
    zeros = np.zeros(2_000)
    zeros[::25] = 1.0
    assert stuck(panes(zeros), still(0.0, 9), pane_ms=HOUR).state == "ok"


def test_features_that_came_and_went(normal: NumericProfile) -> None:
    empty = panes(np.full(20, np.nan))
    found = arrivals(["a", "b", "c"], {"a": normal, "b": normal, "c": empty}, sent=["b", "c", "d"])
    assert (found.vanished, found.appeared, found.not_registered) == (("a",), ("c",), ("d",))


def test_a_feature_vanished_only_where_its_absence_is_no_chance(normal: NumericProfile) -> None:
    rare = panes(np.where(np.arange(2_000) % 100 == 0, 1.0, np.nan))
    assert vanished(normal, 0, 50).state == "drift"
    assert vanished(normal, 1, 50).state == "ok"
    assert vanished(rare, 0, 50).state == "ok"
    assert vanished(rare, 0, 2_000).state == "drift"
    assert (vanished(normal, 0, 0).state, vanished(panes(np.full(20, np.nan)), 0, 9).state) == (
        "no_traffic",
        "no_reference",
    )


def test_a_feature_appeared_that_the_reference_does_not_hold(normal: NumericProfile) -> None:
    assert [appeared(profile, 5).state for profile in (normal, None)] == ["ok", "no_reference"]
    assert appeared(None, 0).state == "ok"


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
