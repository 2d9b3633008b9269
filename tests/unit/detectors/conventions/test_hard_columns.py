"""Whatever the columns are: a finite number or a state with its reason, no warning, the same under every order of the rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.conventions.decide import in_order, independent
from detectors.conventions.matrix import CONVENTIONS, cells, kinds
from detectors.conventions.measure import NoSuchPair, measure
from detectors.conventions.pair import Pair, names_pair, numeric_pair
from detectors.conventions.vectors import Vectors, squared_mmd, vectors_pair
from detectors.edges import Floats
from detectors.profile import categorical_profile, coded, numeric_profile, panes_of

WILD = [0.0, -0.0, 1.0, 1.0 + 2**-52, -1e308, 1e308, 5e-324, 1e-300, 3.5, math.nan, math.inf, -math.inf]
columns = st.lists(st.one_of(st.sampled_from(WILD), st.floats(-1e6, 1e6)), max_size=40).map(
    lambda v: np.array(v, dtype=float)
)
entries = st.one_of(st.sampled_from(WILD), st.floats(-1e6, 1e6))
vectors = st.lists(st.tuples(entries, entries), max_size=30).map(
    lambda v: Vectors(np.array(v, dtype=float).reshape(-1, 2))
)
names = st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "ü", "", "(other)"])), max_size=40)


def sound(pair: Pair) -> None:
    """Every number of every convention for this pair is finite, or its state says why there is none."""
    kind = "numeric" if hasattr(pair, "span") else "categorical"
    for cell in cells():
        if cell.kind != kind:
            continue
        found = measure(pair, cell.statistic, cell.convention)
        if found.value is None:
            assert found.state != "ok", found
            assert found.reason, found
        else:
            assert found.state == "ok", found
            assert math.isfinite(found.value), found
        if found.p_value is not None:
            assert 0.0 <= found.p_value <= 1.0, found


@given(columns, columns)
@settings(max_examples=60, deadline=None)
def test_any_numbers(reference: Floats, current: Floats) -> None:
    pair = numeric_pair(reference, current)
    sound(pair)
    sound(numeric_pair(numeric_profile(reference, None), current))
    assert independent(pair).state in ("ok", "not_enough_data", "no_traffic", "no_reference")


@given(vectors, vectors)
@settings(max_examples=60, deadline=None)
def test_any_vectors(reference: Vectors, current: Vectors) -> None:
    pair = vectors_pair(reference, current)
    found = squared_mmd(pair)
    assert (None in found) is (min(map(len, pair.rows)) < 2)
    assert all(one is None or math.isfinite(one) for one in found)
    assert independent(pair).state in ("ok", "not_enough_data", "no_traffic", "no_reference")


@pytest.mark.parametrize("unit", [3e307, 1e-300])
def test_vectors_are_as_far_apart_in_a_unit_whose_squares_no_float_holds(unit: float) -> None:
    """An sd that overflowed counted as none, and vectors in another unit altogether were ok."""
    random = np.random.default_rng(1)
    then, now = random.normal(size=(2, 200, 3))
    plain = squared_mmd(vectors_pair(Vectors(then), Vectors(now + 0.5)))
    turned = squared_mmd(vectors_pair(Vectors(then * unit), Vectors((now + 0.5) * unit)))
    assert turned == pytest.approx(plain, rel=1e-9)
    assert independent(vectors_pair(Vectors(then * unit), Vectors(now))).p_value == pytest.approx(0.0, abs=1e-20)


@given(names, names)
@settings(max_examples=60, deadline=None)
def test_any_names(reference: list[str | None], current: list[str | None]) -> None:
    pair = names_pair(coded(reference), coded(current))
    sound(pair)
    sound(names_pair(categorical_profile(coded(reference), None), coded(current)))
    assert independent(pair).state in ("ok", "not_enough_data", "no_traffic", "no_reference")


@pytest.mark.parametrize(
    ("reference", "current", "state"),
    [
        ([], [1.0], "no_reference"),
        ([math.nan], [1.0], "no_reference"),
        ([1.0], [], "no_traffic"),
        ([1.0, 2.0], [math.inf], "no_traffic"),
        ([1.0], [1.0], "not_enough_data"),
    ],
)
def test_what_has_no_number_says_so(reference: list[float], current: list[float], state: str) -> None:
    found = measure(numeric_pair(np.array(reference), np.array(current)), "cvm")
    assert (found.value, found.p_value, found.state) == (None, None, state)


def test_all_missing_now_is_a_bin_of_driftline_and_drift() -> None:
    pair = numeric_pair(np.arange(100.0), np.full(50, np.nan))
    assert measure(pair, "tv").value == 1.0
    assert measure(pair, "psi", "deciles").state == "no_traffic"
    assert (independent(pair).p_value or 0.0) < 1e-20


def test_a_million_names() -> None:
    reference, current = coded(str(i) for i in range(1_000_000)), coded(str(i) for i in range(500_000, 600_000))
    pair = names_pair(reference, current)
    assert (pair.profile.other, pair.other, pair.unseen) == (998_000, 100_000, 0)
    chi2 = measure(pair, "chi2")
    assert (chi2.state, chi2.n_current) == ("ok", 100_000)
    by_profile = names_pair(pair.profile, current)
    assert measure(by_profile, "psi").value == measure(pair, "psi").value
    assert "needs the reference's rows" in measure(by_profile, "psi", "evidently").reason


def test_rows_in_any_order_give_the_same_numbers() -> None:
    draw = np.random.default_rng(1)
    reference, current = np.round(draw.standard_normal(500), 1), np.round(draw.standard_normal(300) * 1.1, 1)
    one = numeric_pair(reference, current)
    other = numeric_pair(draw.permutation(reference), draw.permutation(current))
    for cell in cells():
        if cell.kind == "numeric":
            a, b = (measure(pair, cell.statistic, cell.convention).value for pair in (one, other))
            assert (a is None) == (b is None), cell
            assert a is None or a == pytest.approx(b, rel=1e-9, abs=1e-12), cell


def test_numbers_on_counts_are_those_on_rows() -> None:
    draw = np.random.default_rng(2)
    reference, current = draw.exponential(size=800), draw.exponential(size=300) * 1.3
    rows, profile = numeric_pair(reference, current), numeric_pair(numeric_profile(reference, None), current)
    for cell in cells():
        if cell.kind == "numeric" and cell.needs == "counts":
            a, b = (measure(pair, cell.statistic, cell.convention) for pair in (rows, profile))
            if cell.statistic in ("ks", "wasserstein"):
                assert b.convention == "driftline (stored bins)"
                assert b.value == pytest.approx(a.value, abs=0.025)
            else:
                assert (a.value, a.convention) == (b.value, b.convention)


def test_a_statistic_that_makes_no_sense_is_refused() -> None:
    pair = numeric_pair(np.arange(5.0), np.arange(5.0))
    for statistic, convention in [("chi2", "driftline"), ("psi", "nannyml"), ("ks", "nobody"), ("none", "driftline")]:
        with pytest.raises(NoSuchPair, match=f"no {statistic} of a numeric column in the convention {convention}"):
            measure(pair, statistic, convention)


def test_every_convention_by_its_name() -> None:
    assert list(CONVENTIONS) == [
        *("driftline", "deciles", "percentile", "evidently", "nannyml"),
        *("frouros", "whylabs", "fiddler", "deepchecks"),
    ]
    assert [name for name in CONVENTIONS if kinds("psi", name)] == [name for name in CONVENTIONS if name != "nannyml"]


def test_percentile_leaves_values_outside_in_no_bin() -> None:
    reference = np.arange(0.0, 100.0)
    current = np.concatenate([np.arange(0.0, 100.0), [-5.0] * 50, [200.0] * 50])
    edges = np.percentile(reference, np.linspace(0, 100, 11))
    then, now = (np.maximum(np.histogram(side, edges)[0] / len(side), 1e-4) for side in (reference, current))
    expected = float(((now - then) * np.log(now / then)).sum())
    assert measure(numeric_pair(reference, current), "psi", "percentile").value == pytest.approx(expected, rel=1e-12)


def test_percentile_of_heavy_ties_is_numpys() -> None:
    draw = np.random.default_rng(3)
    for high in (2, 3, 5):
        reference, current = (draw.integers(0, high, size).astype(float) for size in (400, 300))
        edges = np.percentile(reference, np.linspace(0, 100, 11))
        then, now = (np.maximum(np.histogram(side, edges)[0] / len(side), 1e-4) for side in (reference, current))
        found = measure(numeric_pair(reference, current), "psi", "percentile").value
        assert found == pytest.approx(float(((now - then) * np.log(now / then)).sum()), rel=1e-12)


def test_the_psi_of_driftline_has_a_p_value_where_its_limit_is_near() -> None:
    draw = np.random.default_rng(6)
    reference = draw.standard_normal(5_000)
    found = [measure(numeric_pair(reference, draw.standard_normal(1_000)), "psi") for _ in range(300)]
    p_values = [one.p_value for one in found if one.p_value is not None]
    assert len(p_values) == 300
    assert sum(p <= 0.05 for p in p_values) <= 26  # 5 % and 3 standard errors
    assert measure(numeric_pair(reference, draw.standard_normal(100)), "psi").p_value is None


def test_independent_rows_hold_their_level_and_find_a_shift() -> None:
    draw = np.random.default_rng(7)
    p_values = [_p(draw.standard_normal(400), draw.standard_normal(200)) for _ in range(400)]
    assert sum(p <= 0.05 for p in p_values) <= 33  # 5 % and 3 standard errors
    assert sum(_p(draw.standard_normal(1_000), draw.standard_normal(1_000) + 0.2) <= 0.05 for _ in range(40)) >= 38


def test_one_value_on_both_sides_is_no_drift_and_another_value_is() -> None:
    assert _p(np.full(30, 7.0), np.full(20, 7.0)) == 1.0
    assert _p(np.full(30, 7.0), np.full(20, 8.0)) < 1e-9
    assert independent(numeric_pair(np.full(30, 7.0), np.full(4, 7.0))).state == "not_enough_data"


def test_rows_in_order_are_judged_by_the_panes_of_the_reference() -> None:
    draw, hours = np.random.default_rng(8), np.repeat(np.arange(400), 10)
    panes = panes_of(hours * 3_600_000, pane_ms=3_600_000)
    wandering = np.repeat(np.convolve(draw.standard_normal(409), np.ones(10) / 3.0, "valid"), 10)
    reference = wandering + draw.standard_normal(4_000)
    current = np.repeat([0.9], 100) + draw.standard_normal(100)
    pair = numeric_pair(reference, current, panes=panes)
    alone, ordered = independent(pair).p_value, in_order(pair, 10).p_value
    assert alone is not None
    assert ordered is not None
    assert alone < 1e-4 < 0.01 < ordered
    few = numeric_pair(reference, current, panes=panes_of(hours * 3_600_000, pane_ms=30 * 3_600_000))
    assert (in_order(few, 1).state, in_order(few, 1).reason) == (
        "not_enough_data",
        "14 blocks of this length, fewer than 20",
    )
    named = names_pair(coded(["a", "b"] * 2_000), coded(["a"] * 90 + ["b"] * 10), panes=panes)
    assert (in_order(named, 10).p_value or 0.0) < 1e-6


def _p(reference: Floats, current: Floats) -> float:
    found = independent(numeric_pair(reference, current)).p_value
    assert found is not None
    return found
