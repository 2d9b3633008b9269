"""CUSUM and EWMA on the series of NUMBERS, and the run lengths they promise."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import cusum, ewma
from detectors.edges import Floats


def series() -> Floats:
    k = np.arange(1, 1201)
    x = ((k * 0.6180339887498949) % 1 + (k * k * 0.4142135623730951) % 1 - 1) * np.sqrt(6)
    x[600:] += 1.0
    return np.asarray(x, dtype=np.float64)


def test_the_first_alarm_of_the_cusum() -> None:
    up, down, alarms = np.zeros(1), np.zeros(1), []
    for x in series():
        up, down = cusum.step(up, down, np.array([x]))
        alarms.append((bool(cusum.alarms(up, down)[0]), float(up[0])))
    assert [alarm for alarm, _ in alarms].index(True) == 607
    assert alarms[607][1] == pytest.approx(6.195205197592324, rel=1e-9)


def test_the_first_alarm_of_the_ewma() -> None:
    z, path = np.zeros(1), []
    for x in series():
        z = ewma.step(z, np.array([x]))
        path.append(float(z[0]))
    assert [abs(value) > ewma.limit() for value in path].index(True) == 607
    assert path[607] == pytest.approx(0.7411111082502656, rel=1e-9)


def test_a_fall_alarms_as_a_rise_does() -> None:
    up, down = np.zeros(1), np.zeros(1)
    for x in series()[:608]:
        up, down = cusum.step(up, down, np.array([-x]))
    assert cusum.alarms(up, down).tolist() == [True]
    assert float(down[0]) == pytest.approx(6.195205197592324, rel=1e-9)


def test_a_sum_at_its_limit_does_not_alarm() -> None:
    assert cusum.alarms(np.array([5.0, np.nextafter(5.0, 6.0)]), np.zeros(2)).tolist() == [False, True]


def test_a_shift_of_one_sd_is_found_after_as_many_values_as_published() -> None:
    values = np.random.default_rng(20130101).normal(1.0, 1.0, size=(200, 20_000))
    up, down = np.zeros(20_000), np.zeros(20_000)
    found = np.zeros(20_000)
    for at, x in enumerate(values):
        up, down = cusum.step(up, down, x)
        found = np.where((found == 0) & cusum.alarms(up, down), at + 1, found)
    # Published 10.3760; a run's sd is about 4.7, so the mean's error is 0.033.
    assert found.mean() == pytest.approx(10.376, abs=0.1)
