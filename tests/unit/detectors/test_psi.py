"""PSI from stored counts: the published number of each convention, and folding that is exact."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.edges import Floats, bin_of
from detectors.profile import categorical_profile, coded, numeric_profile
from detectors.psi import (
    decile_and_atom_edges,
    deciles_categorical,
    deciles_numeric,
    driftline_categorical,
    driftline_numeric,
    fold_to,
)

REFERENCE: Floats = np.asarray(((np.arange(1, 2001) * 0.6180339887498949) % 1) ** 2 * 10, dtype=np.float64)
CURRENT = ((np.arange(1, 1501) * 0.7548776662466927) % 1) ** 1.7 * 11 - 0.5
NAMES = categorical_profile(coded(["a"] * 700 + ["b"] * 250 + ["c"] * 49 + ["d"]), None)

columns = st.lists(st.integers(-30, 30).map(lambda i: i / 4), min_size=1, max_size=300).map(np.array)


def counts_of(values: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    return np.bincount(bin_of(values, edges), minlength=len(edges) + 1)


def test_deciles_is_the_number_computed_on_the_rows() -> None:
    profile = numeric_profile(REFERENCE, None)
    counts = counts_of(CURRENT, profile.edges)

    folded = fold_to(profile.edges, profile.deciles, counts)
    assert folded.tolist() == [271, 72, 104, 120, 132, 141, 148, 152, 159, 201]
    assert deciles_numeric(profile, counts) == pytest.approx(0.11381495826961872, rel=1e-12, abs=0)


def test_deciles_raises_empty_bins_to_a_ten_thousandth() -> None:
    profile = numeric_profile(np.arange(100.0), None)
    counts = counts_of(np.arange(50.0, 100.0), profile.edges)
    expected = 5 * (1e-4 - 0.1) * np.log(1e-4 / 0.1) + 5 * (0.2 - 0.1) * np.log(0.2 / 0.1)
    assert deciles_numeric(profile, counts) == pytest.approx(expected, rel=1e-12)


def test_driftline_on_names_adds_half_a_count_to_the_bins_in_use() -> None:
    assert NAMES.categories == ("a", "b", "c", "d")
    found = driftline_categorical(NAMES, [330, 140, 20, 0], unseen=10)
    assert found == pytest.approx(0.08385374590486026, rel=1e-12, abs=0)


def test_missing_is_a_bin_of_driftline_and_none_of_deciles() -> None:
    profile = numeric_profile(np.concatenate([REFERENCE, [np.nan] * 10, [np.inf] * 5]), None)
    same = list(profile.counts)

    assert deciles_numeric(profile, same) == 0.0
    assert driftline_numeric(profile, same, missing=15) == pytest.approx(0.0, abs=1e-15)
    r, c = (15.5 / 2020.5, 2000.5), (1000.5 / 3005.5, 2000.5)  # eleven bins: ten deciles and missing
    expected = (c[0] - r[0]) * np.log(c[0] / r[0]) + 10 * (200.5 / 3005.5 - 200.5 / 2020.5) * np.log(2020.5 / 3005.5)
    assert driftline_numeric(profile, same, missing=1000) == pytest.approx(expected, rel=1e-12)


def test_driftline_sees_an_atom_leave_where_deciles_do_not() -> None:
    column = np.concatenate([np.linspace(0.0, 10.0, 900), np.full(100, 4.97)])
    moved = np.concatenate([np.linspace(0.0, 10.0, 900), np.full(100, 4.98)])
    profile = numeric_profile(column, None)
    counts = counts_of(moved, profile.edges)

    assert profile.atoms == (4.97,)
    assert deciles_numeric(profile, counts) == 0.0
    assert driftline_numeric(profile, counts) == pytest.approx(0.1 * np.log(200) + 0.1 * np.log(2.7), abs=0.01)


def test_deciles_on_names_keeps_other_apart_from_unseen() -> None:
    profile = categorical_profile(coded([f"n{i:04}" for i in range(2500)]), None)
    same = list(profile.counts)
    assert profile.other == 500
    assert deciles_categorical(profile, same, other=500) == 0.0
    assert deciles_categorical(profile, same, unseen=500) == pytest.approx(
        2 * (0.2 - 1e-4) * np.log(0.2 / 1e-4), rel=1e-12
    )


@pytest.mark.parametrize("values", [[], [1.0, 2.0]])
def test_no_rows_on_a_side_is_no_number(values: list[float]) -> None:
    profile = numeric_profile(np.array(values), None)
    assert deciles_numeric(profile, [0] * len(profile.counts)) is None
    assert driftline_numeric(profile, [0] * len(profile.counts)) is None
    assert driftline_categorical(NAMES, [0, 0, 0, 0]) is None


@given(columns, columns)
def test_folding_to_deciles_and_atoms_equals_counting_the_rows(reference: np.ndarray, current: np.ndarray) -> None:
    profile = numeric_profile(reference, None)
    for coarse in (np.unique(profile.deciles), decile_and_atom_edges(profile)):
        folded = fold_to(profile.edges, coarse, counts_of(current, profile.edges))
        direct, _ = np.histogram(current, bins=np.concatenate([[-np.inf], coarse, [np.inf]]))
        assert folded.tolist() == direct.tolist()


def test_folding_works_on_many_panes_at_once() -> None:
    assert fold_to([0.0, 1.0, 2.0], [0.0, 2.0], [[1, 2, 3, 4], [5, 6, 7, 8]]).tolist() == [
        [1, 5, 4],
        [5, 13, 8],
    ]
    assert fold_to([0.0, 1.0], [], [1, 2, 3]).tolist() == [6]


def test_an_edge_that_was_never_stored_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1\.5 is not among the 2 edges"):
        fold_to([1.0, 2.0], [1.5], [1, 2, 3])
