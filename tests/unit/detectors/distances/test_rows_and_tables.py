"""Distances of rows and of tables against scipy, and against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from detectors.distances import divergences, kernel, mmd, rows, stored, tables
from detectors.distances.ladders import LADDERS
from detectors.edges import Floats

samples = st.lists(st.integers(-40, 40).map(lambda i: i / 8), min_size=1, max_size=60).map(np.array)
counts = st.lists(st.integers(0, 50), min_size=2, max_size=8)


@given(samples, samples)
def test_wasserstein_is_scipys_and_ks_the_definition(one: Floats, other: Floats) -> None:
    assert rows.wasserstein(one, other) == pytest.approx(stats.wasserstein_distance(one, other), rel=1e-12, abs=1e-14)
    exact = max(abs((one <= x).mean() - (other <= x).mean()) for x in [*one, *other])
    assert rows.kolmogorov_smirnov_distance(one, other) == pytest.approx(exact, rel=1e-12, abs=1e-15)


@given(samples, samples)
def test_wasserstein_is_the_same_both_ways_and_in_any_unit(one: Floats, other: Floats) -> None:
    found = rows.wasserstein(one, other)
    assert rows.wasserstein(other, one) == pytest.approx(found, rel=1e-12, abs=1e-14)
    assert rows.wasserstein(one * 4.0, other * 4.0) == pytest.approx(4.0 * found, rel=1e-12, abs=1e-14)


def test_wasserstein_at_the_end_of_the_floats() -> None:
    assert rows.wasserstein(np.array([-1.5e308]), np.array([0.0])) == 1.5e308
    assert rows.wasserstein(np.array([5e-324]), np.array([0.0])) == 5e-324


def test_wasserstein_in_sd_of_the_reference() -> None:
    assert rows.wasserstein_normalised(np.array([0.0, 2.0]), np.array([3.0, 5.0])) == 3.0
    assert rows.wasserstein_normalised(np.full(3, 7.0), np.full(3, 8.0)) is None
    assert rows.wasserstein_normalised(np.full(3, 7.0), np.full(3, 8.0), least=0.001) == pytest.approx(1000.0)


def test_wasserstein_of_stored_bins_is_exact_for_atoms_and_near_otherwise() -> None:
    edges = (3.0, math.nextafter(3.0, 9.0), 5.0, math.nextafter(5.0, 9.0))
    atoms = np.array([0, 8, 0, 2, 0]), np.array([0, 2, 0, 8, 0])
    assert stored.wasserstein(edges, atoms, spans=((3.0, 5.0), (3.0, 5.0))) == pytest.approx(1.2, rel=1e-12)
    one, other = np.linspace(0.0, 10.0, 1001), np.linspace(0.0, 10.0, 1001) ** 2 / 10.0
    cuts = np.arange(1.0, 10.0)
    sides = tuple(np.bincount(np.searchsorted(cuts, side, side="right"), minlength=10) for side in (one, other))
    near = stored.wasserstein(tuple(cuts), (sides[0], sides[1]), spans=((0.0, 10.0), (0.0, 10.0)))
    assert near == pytest.approx(rows.wasserstein(one, other), rel=0.04)


def test_a_stretch_in_which_the_sign_changes_is_two_triangles() -> None:
    halves = np.array([1, 3]), np.array([3, 1])
    assert stored.wasserstein((0.5,), halves, spans=((0.0, 1.0), (0.0, 1.0))) == pytest.approx(0.25, rel=1e-12)
    crossing = np.array([1, 0, 3]), np.array([0, 4, 0])
    assert stored.wasserstein((1.0, 2.0), crossing, spans=((0.0, 3.0), (1.0, 2.0))) == pytest.approx(
        0.125 + (0.0625 + 0.5625) / 2.0 + 0.375, rel=1e-12
    )


@given(counts, counts)
def test_contingency_is_scipys_with_and_without_yates(one: list[int], other: list[int]) -> None:
    length = min(len(one), len(other))
    then, now = np.array(one[:length]), np.array(other[:length])
    if not then.sum() or not now.sum():
        return
    table = np.array([then, now])[:, (then + now) > 0]
    plain, corrected = (stats.chi2_contingency(table, correction=yates) for yates in (False, True))
    statistic, freedom = tables.contingency(then, now)
    assert freedom == plain.dof
    assert statistic == pytest.approx(plain.statistic, rel=1e-10, abs=1e-12)
    assert tables.p_of_chi_squared(statistic, freedom) == pytest.approx(plain.pvalue, rel=1e-9)
    assert tables.contingency_yates(then, now)[0] == pytest.approx(corrected.statistic, rel=1e-10, abs=1e-12)


def test_goodness_of_fit_is_scipys_and_infinite_where_nothing_was_expected() -> None:
    observed, expected = np.array([30, 50, 20]), np.array([25.0, 60.0, 15.0])
    assert tables.goodness_of_fit(observed, expected) == stats.chisquare(observed, expected).statistic
    assert tables.goodness_of_fit(np.array([1, 0]), np.array([0.0, 1.0])) == math.inf
    assert tables.p_of_chi_squared(math.inf, 3) == 0.0


def test_cramers_v_is_scipys_and_bergsmas() -> None:
    table = np.array([[30, 50, 20], [45, 30, 25]])
    statistic, freedom = tables.contingency(table[0], table[1])
    found = tables.cramers_v(statistic, 200)
    assert found == pytest.approx(stats.contingency.association(table, method="cramer"), rel=1e-12)
    corrected = tables.cramers_v_corrected(statistic, 200, freedom + 1)
    assert corrected is not None
    assert found is not None
    assert corrected**2 == pytest.approx((statistic / 200 - 2 / 199) / (1 - 1 / 199), rel=1e-12)
    assert tables.cramers_v_corrected(0.0, 1, 2) is None
    assert tables.cramers_v_corrected(4.0, 2, 2) is None


def test_two_proportions_by_hand() -> None:
    z = tables.two_proportions((30, 100), (45, 100))
    assert z == pytest.approx(0.15 / math.sqrt(0.375 * 0.625 * 0.02), rel=1e-12)
    assert tables.p_of_z(1.959963984540054) == pytest.approx(0.05, rel=1e-12)
    assert [tables.two_proportions(*sides) for sides in [((0, 9), (0, 9)), ((9, 9), (9, 9)), ((1, 0), (1, 9))]] == [
        None
    ] * 3


def test_divergences_are_scipys() -> None:
    p, q = np.array([0.2, 0.5, 0.3, 0.0]), np.array([0.1, 0.4, 0.3, 0.2])
    assert divergences.kl(p, q) == pytest.approx(0.2 * math.log(2) + 0.5 * math.log(1.25), rel=1e-12)
    assert divergences.kl(q, p) == math.inf
    for base in (math.e, 2):
        assert divergences.jensen_shannon(p, q, base=base) == pytest.approx(
            distance.jensenshannon(p, q, base), rel=1e-12
        )
    assert divergences.hellinger(p, q) == pytest.approx(math.sqrt(1.0 - np.sqrt(p * q).sum()), rel=1e-12)
    assert divergences.total_variation(p, q) == pytest.approx(0.2, rel=1e-12)
    assert divergences.l_infinity(p, q) == pytest.approx(0.2, rel=1e-12)


def test_sums_of_random_features_merge_and_come_near_the_kernel() -> None:
    draw = np.random.default_rng(4)
    one, other = draw.standard_normal((400, 3)), draw.standard_normal((300, 3)) + 0.5
    whole, parts = mmd.sample(one), mmd.sample(one[:150]) + mmd.sample(one[150:])
    assert whole.n == parts.n
    assert whole.sums == pytest.approx(parts.sums, rel=1e-12, abs=1e-9)
    by_features = mmd.squared(mmd.sample(one, projections=4096), mmd.sample(other, projections=4096))

    def summed(a: Floats, b: Floats) -> float:
        return float(np.exp(-((a[:, None] - b[None]) ** 2).sum(axis=-1) / (2.0 * 3.0)).sum())

    exact = (summed(one, one) - 400) / (400 * 399) + (summed(other, other) - 300) / (300 * 299)
    assert by_features == pytest.approx(exact - 2 * summed(one, other) / 120_000, rel=0.1)


def test_the_p_value_of_mmd_holds_its_level_and_finds_a_change() -> None:
    draw = np.random.default_rng(5)
    found = [_mmd_p(draw.standard_normal((200, 2)), draw.standard_normal((150, 2))) for _ in range(60)]
    assert sum(p <= 0.05 for p in found) <= 8  # 5 % and 3 standard errors of 60
    assert _mmd_p(draw.standard_normal((200, 2)), draw.standard_normal((150, 2)) * 2.0) < 1e-6
    assert _mmd_p(np.zeros((5, 1)), np.zeros((5, 1))) == 1.0


def test_all_pairs_of_one_value_are_no_distance_and_too_many_are_refused() -> None:
    same = np.zeros(300)
    assert kernel.unbiased(same, same, width=1.0) == pytest.approx(0.0, abs=1e-12)
    assert kernel.median_width(same) == math.sqrt(0.5)
    assert kernel.unsuitable(np.zeros(1), same) == "needs two rows on each side"
    assert "6000 are more than" in kernel.unsuitable(np.zeros(6000), same)


@pytest.mark.parametrize(
    ("rule", "numbers"),
    [
        ("psi-0.1-0.25", {0.1: "none", 0.11: "moderate", 0.25: "moderate", 0.26: "high"}),
        ("ks-p-0.01", {0.01: "none", 0.009: "high"}),
        ("chi2-p-0.05-0.01-0.001", {0.05: "none", 0.049: "low", 0.01: "low", 0.009: "moderate", 0.0009: "high"}),
    ],
)
def test_the_steps_of_a_ladder(rule: str, numbers: dict[float, str]) -> None:
    assert {number: LADDERS[rule].level(number) for number in numbers} == numbers


def _mmd_p(one: Floats, other: Floats) -> float:
    found = mmd.p_value(mmd.sample(one), mmd.sample(other), rows=np.vstack([one, other]))
    assert found is not None
    return found


@pytest.mark.parametrize("width", [1, 8, 384])
def test_mmd_of_alike_vectors_is_as_rare_as_it_says_however_wide(width: int) -> None:
    draw = np.random.default_rng(width)
    found = []
    for _ in range(200):
        one, other = draw.standard_normal((100, width)), draw.standard_normal((60, width))
        found.append(mmd.p_value(mmd.sample(one), mmd.sample(other), rows=np.vstack([one, other])))
    low = np.array([p for p in found if p is not None and p <= 0.05])
    assert len(found) == 200
    assert len(low) / 200 <= 0.05 + 3.0 * math.sqrt(0.05 * 0.95 / 200)
    shifted = [draw.standard_normal((100, width)), draw.standard_normal((60, width)) + 0.7]
    assert (mmd.p_value(*map(mmd.sample, shifted), rows=np.vstack(shifted)) or 1.0) < 0.01
