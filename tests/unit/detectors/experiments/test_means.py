"""Evidence of two means, and of windows, at any look: closed forms against their integrals, intervals, states."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from detectors.experiments.blocks import block, log_e_of_blocks, look_at_blocks
from detectors.experiments.looks import over_stages, p_of, running_p
from detectors.experiments.means import log_e_of_means, look_at_means
from detectors.experiments.samples import Counts, Sample, sample_of
from detectors.experiments.t_mixture import largest_t, log_e_of_t


@pytest.mark.parametrize(("t", "freedom", "n"), [(0.5, 9.0, 10.0), (3.0, 40.0, 20.0), (-4.0, 150.0, 70.0)])
def test_the_mixture_is_the_noncentral_t_over_normal_effects(t: float, freedom: float, n: float) -> None:
    def weighed(effect: float) -> float:
        return float(
            stats.nct.pdf(t, freedom, effect * math.sqrt(n)) * stats.norm.pdf(effect, 0.0, 1.0 / math.sqrt(50.0))
        )

    mixed, _ = integrate.quad(weighed, -1.0, 1.0, epsabs=1e-13)
    assert float(log_e_of_t(t, freedom, n)) == pytest.approx(math.log(mixed / stats.t.pdf(t, freedom)), abs=1e-6)


def test_with_many_rows_it_is_the_normal_mixture() -> None:
    z, n = 3.3, 700.0
    expected = 0.5 * math.log(50.0 / 750.0) + 0.5 * z * z * 700.0 / 750.0
    assert float(log_e_of_t(z, 1e12, n)) == pytest.approx(expected, rel=1e-9)


def test_the_largest_t_is_where_the_evidence_is_1_over_alpha() -> None:
    for freedom, n in ((20.0, 60.0), (1e6, 1e3), (4.0, 1e5)):
        assert float(log_e_of_t(largest_t(0.01, freedom, n), freedom, n)) == pytest.approx(math.log(100.0), rel=1e-9)


def test_the_interval_and_the_p_value_say_the_same() -> None:
    for total in np.linspace(400.0, 460.0, 13):
        found = look_at_means(Sample(2_000, 8_000.0, 34_000.0), Sample(100, total, total**2 / 100 + 120.0))
        assert found.interval is not None
        assert found.interval.holds(0.0) == (found.p_value > 0.05)


def test_looks_at_once_are_looks_one_by_one() -> None:
    rng = np.random.default_rng(20130101)
    one, other = rng.lognormal(0.0, 1.0, (5, 400)), rng.lognormal(0.3, 1.0, (5, 120))
    sums = [(np.full(5, x.shape[1], dtype=float), x.sum(axis=1), np.square(x).sum(axis=1)) for x in (one, other)]
    each = [look_at_means(sample_of(a.tolist()), sample_of(b.tolist())).log_e for a, b in zip(one, other, strict=True)]
    assert log_e_of_means(sums[0], sums[1]).tolist() == pytest.approx(each, rel=1e-9)


def test_few_values_without_a_slow_one_are_no_improvement() -> None:
    """Of 0 or 1 at .02: the challenger's 120 rows hold none (one time in eleven), so by its own variance it is surely 0."""
    champion, challenger = Sample(100_000, 2_000, 2_000), Sample(120, 0, 0)
    assert look_at_means(champion, challenger).p_value == pytest.approx(0.7768, abs=1e-4)


def test_welchs_error_counts_where_it_is_the_larger_one() -> None:
    wide = look_at_means(Sample(10_000, 0.0, 10_000.0), Sample(1_000, 300.0, 100_000.0))
    assert wide.difference == 0.3
    assert wide.p_value == 1.0  # 0.3 is one of Welch's errors, and nearly 3 of the pooled one


@pytest.mark.parametrize(
    ("champion", "challenger", "state"),
    [
        (Sample(0, 0, 0), Sample(200, 0, 200), "no_traffic"),
        (Sample(200, 0, 200), Sample(99, 0, 99), "not_enough_data"),
        (Sample(200, 0, 0), Sample(200, 200, 200), "no_variance"),
    ],
)
def test_states_keep_the_p_value_before(champion: Sample, challenger: Sample, state: str) -> None:
    found = look_at_means(champion, challenger, before=0.4)
    assert (found.state, found.p_value, found.log_e) == (state, 0.4, None)


def test_a_million_million_rows() -> None:
    found = look_at_means(Sample(10**12, 0, 10**12), Sample(10**12, 10**7, 10**12))
    assert found.interval is not None
    assert found.p_value == pytest.approx(1.4e-6, rel=0.01)
    assert found.interval.low > 0.0


def test_windows_at_once_are_windows_one_by_one() -> None:
    differences = np.random.default_rng(20130102).normal(0.4, 1.0, 12)
    each = [look_at_blocks(sample_of(differences[:n].tolist())).log_e or 0.0 for n in range(1, 13)]
    assert log_e_of_blocks(differences).tolist() == pytest.approx(each, abs=1e-9)
    holes = np.insert(differences, [0, 3, 3], np.nan)
    assert log_e_of_blocks(holes)[-1] == pytest.approx(each[-1], abs=1e-9)


def test_what_both_arms_share_falls_out_of_a_window() -> None:
    calm = block(Counts(950, 19), Counts(50, 2))
    busy = block(Counts(500, 260), Counts(500, 270))
    assert (calm + busy).mean == pytest.approx((0.02 + 0.02) / 2)


@pytest.mark.parametrize(
    ("champion", "challenger", "n"),
    [
        (Counts(1_000, 50), Counts(40, 2), 1),
        (Counts(1_000, 50), Counts(39, 1), 0),
        (Counts(0, 0), Counts(39, 1), 0),
        (Counts(1_000, 999), Counts(400, 400), 0),
        (Sample(500, 0, 1), Sample(20, 0, 1), 1),
        (Sample(500, 0, 1), Sample(19, 0, 1), 0),
    ],
)
def test_a_window_with_too_little_is_no_observation(
    champion: Counts | Sample, challenger: Counts | Sample, n: int
) -> None:
    assert block(champion, challenger).n == n


def test_windows_have_states() -> None:
    assert look_at_blocks(Sample(0, 0.0, 0.0)).state == "no_traffic"
    assert look_at_blocks(Sample(4, 4.0, 6.0)).state == "not_enough_data"
    assert look_at_blocks(Sample(9, 9.0, 9.0)).state == "no_variance"
    few = look_at_blocks(Sample(5, 5.0, 5.1))
    assert few.interval is not None
    assert few.interval.low < 1.0 < few.interval.high


def test_the_running_p_value_never_rises() -> None:
    log_e = np.log([[0.5, 4.0, 2.0, 40.0, 1.0]])
    assert running_p(log_e).tolist() == [pytest.approx([1.0, 0.25, 0.25, 0.025, 0.025])]
    p = 1.0
    for each in log_e[0]:
        p = p_of(float(each), p)
    assert p == pytest.approx(0.025)


def test_stages_are_averaged_and_those_to_come_say_nothing() -> None:
    assert over_stages([], planned=5) == 0.0
    assert math.exp(over_stages([math.log(3.0), math.log(11.0)], planned=4)) == pytest.approx((3 + 11 + 2) / 4)
    assert over_stages([1e6], planned=5) == pytest.approx(700.0 - math.log(5.0))
    with pytest.raises(ValueError, match="3 stages have begun and 2 were planned"):
        over_stages([0.0] * 3, planned=2)
