"""What the solver promises beyond the tables: long runs, one side, head starts, and the charts' own code agreeing with it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from detectors import cusum as cusum_chart
from detectors import ewma as ewma_chart
from detectors.edges import Floats
from detectors.run_lengths import cusum, design, ewma
from detectors.run_lengths.absorbing import steps_to_absorption

RUNS = 4_000


def test_a_chart_that_is_a_single_value_runs_as_long_as_its_tail_is_rare() -> None:
    for width in (3.0, 8.0, 20.0):
        assert ewma.two_sided(1.0, width) == pytest.approx(0.5 / stats.norm.sf(width), rel=1e-11)


def test_a_run_of_ten_to_the_eleven_where_the_system_is_singular_in_doubles() -> None:
    # Wald's exponent: one more sd of limit lengthens a run by exp(2 k), here e squared, whatever its length.
    runs = [cusum.one_sided(1.0, limit) for limit in (12.0, 13.0, 60.0, 61.0)]
    assert runs[0] == pytest.approx(1.28990773618e11, rel=1e-10)
    assert runs[1] / runs[0] == pytest.approx(math.exp(2.0), rel=1e-6)
    assert runs[3] / runs[2] == pytest.approx(math.exp(2.0), rel=1e-6)


def test_absorption_once_in_ten_to_the_forty_steps_keeps_all_its_digits() -> None:
    moves = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])
    runs = steps_to_absorption(moves, np.full(3, 1e-40))
    assert runs.tolist() == pytest.approx([1e40] * 3, rel=1e-14)


def test_a_design_is_the_inverse_of_its_run_length() -> None:
    for arl in (50.0, 1e4, 1e9, 1e12):
        assert cusum.two_sided(0.25, design.cusum_limit(arl, 0.25)) == pytest.approx(arl, rel=1e-7)
        assert ewma.two_sided(0.2, design.ewma_width(arl, 0.2)) == pytest.approx(arl, rel=1e-7)
    assert cusum.one_sided(0.5, design.cusum_limit_one_sided(1e4, 0.5)) == pytest.approx(1e4, rel=1e-7)
    assert ewma.one_sided(0.1, design.ewma_width_one_sided(1e4, 0.1)) == pytest.approx(1e4, rel=1e-7)
    assert ewma.time_varying(0.1, design.ewma_width_time_varying(500.0, 0.1)) == pytest.approx(500.0, rel=1e-7)


def test_a_head_start_of_the_design_is_a_share_of_the_limit_it_finds() -> None:
    limit = design.cusum_limit(1e4, 0.5, head_start=0.5)
    assert cusum.two_sided(0.5, limit, head_start=limit / 2) == pytest.approx(1e4, rel=1e-7)
    assert limit > design.cusum_limit(1e4, 0.5)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: cusum.two_sided(0.5, 5.0, head_start=2.6), "half the limit"),
        (lambda: cusum.one_sided(0.5, 5.0, head_start=5.1), "the limit 5.0"),
        (lambda: cusum.one_sided(0.5, 0.0), "limit 0.0 is not positive"),
        (lambda: cusum.one_sided(0.5, 301.0), "limits 301 sd of a step apart"),
        (lambda: ewma.two_sided(0.0, 3.0), "weight 0.0"),
        (lambda: ewma.two_sided(0.1, -1.0), "width -1.0"),
        (lambda: ewma.two_sided(0.1, 3.0, head_start=0.7), "head_start 0.7"),
        (lambda: ewma.one_sided(0.1, 3.0, head_start=-0.1), "head_start -0.1"),
        (lambda: design.cusum_limit(1.0, 0.5), "not between"),
        (lambda: design.cusum_limit(1e16, 0.5), "not between"),
        (lambda: design.cusum_limit(370.0, -0.5), "slack -0.5"),
    ],
)
def test_what_has_no_answer_is_refused(wrong: Callable[[], float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        wrong()


def test_the_cusum_s_own_code_runs_as_long_as_the_equation_says() -> None:
    for shift in (0.0, 0.5, 1.0):
        assert_within(_simulated_cusum(shift), cusum.two_sided(0.5, 4.0, shift))
    assert_within(_simulated_cusum(0.5, start=2.0), cusum.two_sided(0.5, 4.0, 0.5, head_start=2.0))


def test_the_ewma_s_own_code_runs_as_long_as_the_equation_says() -> None:
    for shift in (0.0, 0.5, 1.0):
        assert_within(_simulated_ewma(shift, lambda age: ewma_chart.limit(0.2, 2.5)), ewma.two_sided(0.2, 2.5, shift))


def test_limits_that_grow_with_age_run_as_long_as_the_equation_says() -> None:
    def limit(age: int) -> float:
        return ewma_chart.limit(0.1, 2.4) * math.sqrt(1.0 - 0.9 ** (2 * age))

    for shift in (0.0, 1.0):
        assert_within(_simulated_ewma(shift, limit), ewma.time_varying(0.1, 2.4, shift))


def test_limits_that_grow_slowly_keep_nine_digits() -> None:
    # Found with twice the nodes and limits followed until they lacked 1e-13.
    assert ewma.time_varying(0.02, 2.5) == pytest.approx(728.579812188, rel=1e-10)
    assert ewma.time_varying(0.005, 2.3) == pytest.approx(1427.707962678, rel=1e-10)


def test_one_side_of_an_ewma_is_held_at_its_start() -> None:
    random, z, age = np.random.default_rng(7), np.zeros(RUNS), np.zeros(RUNS)
    for step in range(1, 4000):
        z = np.maximum(0.0, ewma_chart.step(z, random.normal(0.0, 1.0, RUNS), weight=0.2))
        age = np.where((age == 0) & (z > ewma_chart.limit(0.2, 2.0)), step, age)
    assert_within(age, ewma.one_sided(0.2, 2.0))


def assert_within(runs: Floats, expected: float) -> None:
    """Within three standard errors of the simulation."""
    assert runs.min() >= 1
    assert abs(runs.mean() - expected) < 3.0 * runs.std() / math.sqrt(len(runs))


def _simulated_cusum(shift: float, *, start: float = 0.0) -> Floats:
    random, age, step = np.random.default_rng(20130101), np.zeros(RUNS), 0
    up = down = np.full(RUNS, start)
    while (age == 0).any():
        step += 1
        up, down = cusum_chart.step(up, down, random.normal(shift, 1.0, RUNS))
        age = np.where((age == 0) & cusum_chart.alarms(up, down, limit=4.0), step, age)
    return age


def _simulated_ewma(shift: float, limit: Callable[[int], float]) -> Floats:
    random, z, age, step = np.random.default_rng(1990), np.zeros(RUNS), np.zeros(RUNS), 0
    while (age == 0).any():
        step += 1
        z = ewma_chart.step(z, random.normal(shift, 1.0, RUNS), weight=0.1 if limit(1) < 0.5 else 0.2)
        age = np.where((age == 0) & (np.abs(z) > limit(step)), step, age)
    return age
