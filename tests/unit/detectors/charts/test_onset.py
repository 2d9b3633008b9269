"""The onset interval: how often it holds the truth, for what comes at once and for what creeps in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import signal

from detectors import cusum
from detectors.charts.onset import Onset, onset, ramp_likelihood, step_likelihood
from tests.support.simulated import Floats

LIMIT = 8.053  # ARL 10 000 at k .5
RUNS, BEGINS, PANES = 400, 500, 1500


def step(size: float) -> Callable[[Floats], Floats]:
    return lambda age: np.asarray(np.where(age > 0, size, 0.0), dtype=np.float64)


def ramp(slope: float) -> Callable[[Floats], Floats]:
    return lambda age: np.asarray(np.maximum(age, 0.0) * slope, dtype=np.float64)


def intervals(shape: Callable[[Floats], Floats], *, phi: float) -> list[Onset]:
    """Of every series in which the chart alarmed after the change; correlated panes in long-run sd."""
    noise: Floats = np.random.default_rng(8).standard_normal((RUNS, PANES))
    correlated: Floats = signal.lfilter([1.0 - phi], [1.0, -phi], noise, axis=1)
    age = np.arange(PANES, dtype=np.float64) - BEGINS + 1.0
    values = correlated + shape(age)
    found = [_alarm(one) for one in values]
    return [onset(one[: at + 1]) for one, at in zip(values, found, strict=True) if at is not None and at >= BEGINS]


def _alarm(values: Floats) -> int | None:
    up, down = np.zeros(1), np.zeros(1)
    for at, value in enumerate(values):
        up, down = cusum.step(up, down, value[None])
        if up[0] > LIMIT:
            return at
    return None


@pytest.mark.parametrize("phi", [0.0, 0.5])
@pytest.mark.parametrize(
    ("shape", "widest"),
    [(step(0.5), 260), (step(1.0), 90), (step(3.0), 12), (ramp(0.005), 380), (ramp(0.02), 170), (ramp(0.3), 24)],
    ids=["step .5", "step 1", "step 3", "ramp .005", "ramp .02", "ramp .3"],
)
def test_the_interval_holds_the_onset_at_least_as_often_as_it_says(
    shape: Callable[[Floats], Floats], widest: int, phi: float
) -> None:
    found = intervals(shape, phi=phi)
    assert len(found) >= 0.9 * RUNS
    # 95 % less two standard errors of 400.
    assert np.mean([one.low <= BEGINS <= one.high for one in found]) >= 0.928
    assert np.median([one.high - one.low for one in found]) <= widest


def test_a_jump_without_noise_is_dated_to_the_pane() -> None:
    values = np.concatenate([np.zeros(50), np.full(20, 4.0)])
    assert onset(values) == Onset(50, 50, 50)


def test_likelihoods_are_those_of_least_squares() -> None:
    values = np.random.default_rng(1).normal(0.5, 1.0, 30)
    for at in range(30):
        rest = values[at:]
        for shape, found in ((np.ones(len(rest)), step_likelihood), (np.arange(1.0, len(rest) + 1.0), ramp_likelihood)):
            size = max(float(rest @ shape) / float(shape @ shape), 0.0)
            gain = 0.5 * (rest @ rest - (rest - size * shape) @ (rest - size * shape))
            assert found(values)[at] == pytest.approx(gain, abs=1e-10)


def test_a_series_that_only_fell_began_anywhere() -> None:
    assert onset(np.full(5, -1.0)) == Onset(0, 0, 4)
    assert onset(np.array([2.0])) == Onset(0, 0, 0)
    with pytest.raises(ValueError, match="no values at all"):
        onset(np.zeros(0))
