"""The binning kernel gives the integers of `searchsorted(side="right")` and `bincount`, on whatever it is handed."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors import bin_counts
from detectors.bin_counts import BLOCK, BinCounts, Binning, comparing_is_cheaper
from detectors.binning import bins, padded
from detectors.edges import cuts_of

Floats = NDArray[np.float64]

TINY, HUGE = 5e-324, 1.7976931348623157e308
HARD = [-0.0, 0.0, TINY, -TINY, 2.2e-308, 1.0, np.nextafter(1.0, 2.0), np.nextafter(1.0, 0.0), HUGE, -HUGE]
ODD = [np.nan, -np.nan, np.inf, -np.inf]
hard_values = st.lists(st.one_of(st.sampled_from(HARD + ODD), st.floats()), max_size=80).map(np.array)
hard_edges = st.lists(
    st.one_of(st.sampled_from(HARD), st.floats(allow_nan=False, allow_infinity=False)), max_size=400
).map(sorted)


def by_numpy(values: Floats, edges: Floats) -> list[int]:
    """Bins of the finite values, then NaN, +inf, -inf, as everybody writes it."""
    finite = values[np.isfinite(values)]
    bins = np.bincount(np.searchsorted(edges, finite, side="right"), minlength=len(edges) + 1)
    return [*bins.tolist(), *(int(odd.sum()) for odd in (np.isnan(values), values == np.inf, values == -np.inf))]


def flat(found: BinCounts) -> list[int]:
    return [*found.bins.tolist(), found.nan, found.positive_infinity, found.negative_infinity]


def both_ways(monkeypatch: pytest.MonkeyPatch, values: Floats, edges: Floats) -> list[list[int]]:
    """What is found by comparing, and what by sorting."""
    found = []
    for comparing in (True, False):
        with monkeypatch.context() as context:
            context.setattr(bin_counts, "comparing_is_cheaper", lambda edges, values, c=comparing: c or values == 0)
            found.append(flat(Binning(edges).count(values)))
    return found


@given(hard_values, hard_edges)
@example(np.array([np.nan, np.inf, -np.inf, -0.0]), [0.0])
@example(np.array([HUGE, -HUGE, np.inf]), [-HUGE, HUGE])
@example(np.array([1.0, 2.0]), [])
@example(np.array([]), [0.0, 1.0, 1.0, 2.0])
@example(np.array([0.5]), [0.5])
def test_both_ways_are_what_numpy_finds(values: Floats, edges: list[float]) -> None:
    values, borders = values.astype(np.float64), np.array(edges, dtype=np.float64)
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert both_ways(monkeypatch, values, borders) == [by_numpy(values, borders)] * 2


@pytest.mark.parametrize("count", [1, 2, 9, 10, 17, 24, 50, 127, 200, 400])
@pytest.mark.parametrize("size", [0, 1, 2, 999, 10_000, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_any_number_of_edges_and_values_with_many_ties_at_edges(count: int, size: int) -> None:
    random = np.random.default_rng(count * 7919 + size)
    edges = np.unique(random.normal(size=count))
    values = random.choice(np.concatenate([edges, random.normal(size=3 * count), HARD, ODD]), size=size)
    assert flat(Binning(edges).count(values)) == by_numpy(values, edges)


def test_a_value_at_an_edge_goes_right_and_minus_zero_is_zero() -> None:
    found = Binning([-TINY, 0.0, TINY]).count([-TINY, -0.0, 0.0, TINY])
    assert found.bins.tolist() == [0, 1, 2, 1]


def test_the_bin_of_an_atom_holds_the_atom_alone() -> None:
    column = np.concatenate([np.zeros(900), np.arange(1.0, 101.0)])
    cuts = cuts_of(column)
    counts = Binning(cuts.edges).count(np.array([-0.0, 0.0, TINY, -TINY] * 40))
    assert counts.bins[cuts.edges.index(0.0) + 1] == 80
    assert Binning(cuts.edges).count(column).bins.tolist()[:2] == [0, 900]


def test_nan_of_every_kind_is_counted_as_nan_and_lies_in_no_bin() -> None:
    payloads = np.array([0x7FF8000000000000, 0x7FF8000000000001, 0xFFF8000000000000, 0x7FF0000000000001], np.uint64)
    for edges in ([0.0], np.arange(60.0)):
        found = Binning(edges).count(np.append(payloads.view(np.float64), 0.0))
        assert (found.nan, found.bins.sum()) == (4, 1)


@given(hard_values, hard_values, hard_edges)
def test_counts_of_two_blocks_add(one: Floats, other: Floats, edges: list[float]) -> None:
    one, other = one.astype(np.float64), other.astype(np.float64)
    binning = Binning(edges)
    together = binning.count(np.concatenate([one, other]))
    assert flat(binning.count(one) + binning.count(other)) == flat(together)


@given(st.lists(st.tuples(st.sampled_from(HARD + ODD), st.integers(0, 4)), max_size=80))
@example([(-0.0, 1), (0.0, 1), (-TINY, 1), (HUGE, 3), (-HUGE, 3), (1.0, 2)])
def test_a_block_over_all_models_counts_each_value_for_its_owner(pairs: list[tuple[float, int]]) -> None:
    values, owners = np.array([x for x, _ in pairs], float), np.array([at for _, at in pairs], np.int64)
    edges = [np.array(some) for some in ([], [0.0], [1.0], [-HUGE, 0.0, HUGE], np.linspace(-2, 2, 100))]
    found = bins(values, padded([some.tolist() for some in edges]), owners)
    for at, some in enumerate(edges):
        finite = np.isfinite(values) & (owners == at)
        assert np.bincount(found[finite], minlength=len(some) + 1).tolist() == by_numpy(values[finite], some)[:-3]


@pytest.mark.parametrize("edges", [[np.nan], [0.0, np.inf], [-np.inf, 0.0], [1.0, 0.0]])
def test_edges_that_are_none_are_refused(edges: list[float]) -> None:
    with pytest.raises(ValueError, match="edges must be finite and rising"):
        Binning(edges)


def test_few_edges_are_compared_and_many_sorted() -> None:
    assert [comparing_is_cheaper(edges, BLOCK) for edges in (1, 10, 28, 29, 400)] == [True, True, True, False, False]
    assert [comparing_is_cheaper(edges, 100) for edges in (1, 2, 3)] == [True, True, False]


def test_whole_numbers_and_matrices_are_values_too() -> None:
    assert Binning([2]).count(np.arange(6).reshape(2, 3)).bins.tolist() == [2, 4]
