"""Features that stand still."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.profile import Panes, numeric_profile
from detectors.quality.stillness import Run, allowed_panes, constant, stuck_run
from detectors.quality.verdict import Verdict
from schemas.reference import NumericProfile
from tests.support.caused import Floats

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
