"""Where columns are cut: what is promised of every column, and what that means for the strange ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.edges import bin_of, cuts_of

numbers = st.floats(allow_nan=True, allow_infinity=True)
few_values = st.sampled_from([-0.0, 0.0, 1.0, 5e-324, -3.5, 1.7976931348623157e308, float("nan"), float("inf")])
columns = st.one_of(st.lists(numbers, max_size=120), st.lists(few_values, max_size=120)).map(np.array)


@given(columns)
def test_every_decile_atom_and_the_minimum_is_an_edge_and_edges_rise(values: np.ndarray) -> None:
    cuts = cuts_of(values.astype(float))
    finite = values[np.isfinite(values)] if values.size else values

    assert np.all(np.diff(cuts.edges) > 0)
    assert np.all(np.isfinite(cuts.edges))
    assert set(cuts.deciles) <= set(cuts.edges)
    assert set(cuts.atoms) <= set(cuts.edges)
    if finite.size:
        assert cuts.edges[0] == finite.min()
        assert cuts.deciles == tuple(sorted(cuts.deciles))


@given(columns)
def test_nothing_of_the_column_itself_falls_in_the_outer_bins(values: np.ndarray) -> None:
    finite = values[np.isfinite(values)].astype(float) if values.size else np.array([])
    cuts = cuts_of(finite)
    bins = bin_of(finite, cuts.edges)

    largest_float = finite.size > 0 and finite.max() == np.finfo(float).max
    assert np.all(bins > 0)
    assert largest_float or np.all(bins < len(cuts.edges))


@given(columns)
def test_an_atom_has_its_bin_for_itself(values: np.ndarray) -> None:
    finite = values[np.isfinite(values)].astype(float) if values.size else np.array([])
    cuts = cuts_of(finite)
    for atom in cuts.atoms:
        own = bin_of(finite, cuts.edges) == bin_of(np.array([atom]), cuts.edges)
        assert np.all(finite[own] == atom)
        assert own.sum() * 50 >= finite.size


def test_an_evenly_spread_column_has_about_fifty_bins_of_about_a_fiftieth_each() -> None:
    values = np.arange(1000.0)
    cuts = cuts_of(values)

    assert cuts.atoms == ()
    assert cuts.deciles == (99.9, 199.8, 299.7, 399.6, 499.5, 599.4, 699.3, 799.2, 899.1)
    assert len(cuts.edges) == 49 + 2  # nine of the 49 fiftieths are the deciles
    assert np.bincount(bin_of(values, cuts.edges)).tolist() == [0, *[20] * 50]


def test_a_column_of_nine_tenths_zeros_still_resolves_the_other_tenth() -> None:
    values = np.concatenate([np.zeros(900), np.arange(1.0, 101.0)])
    cuts = cuts_of(values)

    assert cuts.atoms == (0.0,)
    assert set(cuts.deciles[:8]) == {0.0}
    assert np.bincount(bin_of(values, cuts.edges)).max() == 900
    assert cuts.edges[:2] == (0.0, 5e-324)
    # The atom's two, the fiftieths of the rest, the last decile, the end.
    assert len(cuts.edges) == 2 + 49 + 1 + 1
    assert cuts.edges[-1] == np.nextafter(100.0, np.inf)


def test_an_atom_needs_exactly_a_fiftieth_of_the_values() -> None:
    spread = np.arange(1.0, 99.0)
    assert cuts_of(np.concatenate([[0.0, 0.0], spread])).atoms == (0.0,)
    assert cuts_of(np.concatenate([[0.0, 0.0], spread, [99.0]])).atoms == ()


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([], ()),
        ([np.nan, np.nan], ()),
        ([np.inf, -np.inf], ()),
        ([3.0], (3.0, np.nextafter(3.0, np.inf))),
        ([3.0] * 100 + [np.nan, np.inf], (3.0, np.nextafter(3.0, np.inf))),
        ([-0.0], (0.0, 5e-324)),
        ([np.finfo(float).max], (np.finfo(float).max,)),  # nothing lies beyond it
    ],
)
def test_strange_columns(values: list[float], edges: tuple[float, ...]) -> None:
    cuts = cuts_of(np.array(values))
    assert cuts.edges == edges
    assert len(cuts.deciles) == (9 if edges else 0)


def test_minus_zero_is_written_as_zero() -> None:
    assert str(cuts_of(np.array([-0.0])).edges[0]) == "0.0"


def test_columns_as_wide_as_the_floats_have_finite_deciles() -> None:
    cuts = cuts_of(np.array([-1.5e308, 1.5e308] * 10 + [0.0]))
    assert cuts.deciles[0] == -1.5e308
    assert cuts.deciles[4] == 0.0
    assert cuts.deciles[8] == 1.5e308
