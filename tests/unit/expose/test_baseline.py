"""The mean score of a reference, and the spread of the means of its windows."""

from __future__ import annotations

from dataclasses import replace
from statistics import stdev

import pytest

from schemas.reference import NumericProfile, Reference
from stream.expose.baseline import Baseline, baseline
from tests.support.models import HOUR, categorical

#: Bins: below 0 (empty), [0, 0.2), [0.2, 0.4), from 0.4 (empty); their middles are 0.1 and 0.3.  Then missing, non-finite.
PANES = ((1, 10), (1, 5, 2, 5), (2, 10, 4, 7), (1, 1, 2, 9), (2, 4), ())


def reference(*panes: tuple[int, ...], first: int = 0, step: int = HOUR) -> Reference:
    score = NumericProfile(
        edges=(0.0, 0.2, 0.4), deciles=(), atoms=(), counts=(0, 16, 28, 0), pane_counts=panes, rows=51, missing=7,
        nonfinite=0, minimum=0.0, maximum=0.39, mean=0.21, sd=0.1,
    )  # fmt: skip
    starts = tuple(first + step * at for at in range(len(panes)))
    return Reference(1, "m", 51, step, starts, {"carrier": categorical("UA")}, score, None)


def test_the_spread_is_that_of_the_means_of_whole_disjoint_windows() -> None:
    # two hours each: 15 scores at 0.1 and 5 at 0.3; 1 and 19; 4 at 0.3
    means = [0.15, 0.29, 0.3]
    found = baseline(reference(*PANES), 2 * HOUR)
    assert found is not None
    assert found.mean == 0.21
    assert found.std == pytest.approx(stdev(means), rel=1e-12)


def test_windows_begin_at_multiples_of_their_length_and_the_cut_ones_are_left_out() -> None:
    # begins in the middle of a window: hours 1 | 2 3 | 4 5 | 6
    found = baseline(reference(*PANES, first=HOUR), 2 * HOUR)
    assert found is not None
    assert found.std == pytest.approx(stdev([(5 * 0.1 + 15 * 0.3) / 20, (0.1 + 13 * 0.3) / 14]), rel=1e-12)


@pytest.mark.parametrize("window_ms", [6 * HOUR, 24 * HOUR, HOUR + 1])
def test_without_two_whole_windows_there_is_no_spread(window_ms: int) -> None:
    assert baseline(reference(*PANES), window_ms) == Baseline(0.21, None)


def test_without_a_time_order_there_is_a_mean_alone() -> None:
    unordered = replace(reference(), pane_ms=None, pane_starts=None)
    assert baseline(unordered, HOUR) == Baseline(0.21, None)


def test_without_a_score_there_is_no_baseline() -> None:
    assert baseline(replace(reference(*PANES), score=None), HOUR) is None
