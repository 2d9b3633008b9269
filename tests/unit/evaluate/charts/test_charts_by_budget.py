"""What charts promise under a budget, by evaluation's own code: their share of false pages, the delay, and the onset's interval.

A generated model, its panes judged one after the other as a stream's are; twenty features or more count as so many series.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.charted import Floats, Model, alarms, first_alarms, live, with_limits
from tests.support.judged import HOUR

#: ARL 10 000 of a CUSUM with k 0.5 (methods of Montgomery 9.4, `detectors.run_lengths`).
ARL_10_000 = 8.053


@pytest.mark.parametrize("phi", [0.0, 0.5])
def test_alarms_keep_to_the_charts_share_of_the_budget(phi: float) -> None:
    """100 pages a month, of which two charts of four processes have half; thresholds are set for 60 % of it."""
    months, panes = 1200 / 730.5, 1200
    found = alarms(live(Model(pages_a_month=100.0, phi=phi, seed=3)), panes) / months
    assert 0.2 * 50.0 < found <= 50.0


def test_a_shift_of_one_sd_is_found_within_17_panes_on_average_at_a_run_length_of_10_000() -> None:
    of = with_limits(live(Model(features=60, reference=1_500, between=0.0)), (ARL_10_000, 1e9))
    one_sd = np.tile(np.sqrt(of.watched.charted.variance)[:, None], 100)
    found = [at + 1 for _ in range(6) for at, _ in first_alarms(of, one_sd).values()]
    assert len(found) == 6 * 60
    # 16.5 of independent normal values whose mean and sd are known; the error of this mean is 0.4.
    assert np.mean(found) == pytest.approx(16.5, abs=0.9)
    assert np.mean(found) <= 17.0


def step(age: Floats) -> Floats:
    return np.where(age > 0, 1.0, 0.0)


def ramp(age: Floats) -> Floats:
    return 0.02 * np.maximum(age, 0.0)


@pytest.mark.parametrize("shape", [step, ramp])
def test_the_interval_of_an_onset_holds_it(shape: object) -> None:
    begins, model = 150, Model(features=40, seed=5)
    of = live(model)
    age = np.arange(300, dtype=np.float64) - begins + 1.0
    found = [
        one for _, one in first_alarms(of, (step(age) if shape is step else ramp(age)) * model.long_run_sd).values()
    ]
    assert len(found) >= 70
    onsets = [one.onset for one in found if one.onset is not None]
    held = [one.lo <= begins * HOUR < one.hi for one in onsets]
    assert len(held) == len(found)
    assert np.mean(held) >= 0.95
    assert np.median([one.hi - one.lo for one in onsets]) < 150 * HOUR
