"""Edges from one ordered copy of a column are, to the bit, those of numpy on the rows: stored references are found by them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.edges import Cuts, cuts_of, cuts_of_ordered, ordered

Floats = NDArray[np.float64]

few = st.sampled_from([-0.0, 0.0, 1.0, 5e-324, -3.5, 0.1, 2**1022, -1.7e308, 1.7976931348623157e308, np.nan, np.inf])
columns = st.one_of(
    st.lists(st.floats(), max_size=150),
    st.lists(few, max_size=150),
    st.lists(st.one_of(few, st.floats()), max_size=300),
).map(lambda values: np.array(values, dtype=np.float64))


def by_rows(values: Floats) -> Cuts:
    """The cuts as their definition says, by numpy's own `unique` and `quantile`."""
    finite = values[np.isfinite(values)] + 0.0
    if not finite.size:
        return Cuts((), (), ())
    distinct, counts = np.unique(finite, return_counts=True)
    atoms = distinct[counts * 50 >= finite.size]
    deciles = quantiles(finite, np.arange(1, 10) / 10)
    rest = finite[~np.isin(finite, atoms)]
    inner = quantiles(rest, np.arange(1, 50) / 50) if rest.size else rest
    with np.errstate(over="ignore"):
        after = np.nextafter(np.append(atoms, finite.max()), np.inf)
    edges = np.unique(np.concatenate([deciles, atoms, after, inner, [finite.min()]]))
    return Cuts(tuple(edges[np.isfinite(edges)].tolist()), tuple(deciles.tolist()), tuple(atoms.tolist()))


def quantiles(finite: Floats, levels: Floats) -> Floats:
    if np.abs(finite).max() < 2.0**1022:
        return np.quantile(finite, levels) + 0.0
    return np.clip(np.quantile(finite / 4.0, levels) * 4.0, finite.min(), finite.max())


@given(columns)
def test_cuts_are_those_of_the_definition(values: Floats) -> None:
    assert repr(cuts_of(values)) == repr(by_rows(values))  # repr tells -0.0 from 0.0


@pytest.mark.parametrize("size", [1, 2, 49, 50, 51, 99, 100, 101, 5_000, 20_011])
@pytest.mark.parametrize("kind", ["normal", "ties", "zeros", "lognormal", "one heavy in the middle"])
def test_cuts_of_longer_columns(size: int, kind: str) -> None:
    random = np.random.default_rng(size)
    normal = random.normal(size=size)
    column = {
        "normal": normal,
        "ties": random.integers(0, 60, size=size).astype(float),
        "zeros": np.where(random.random(size) < 0.9, 0.0, normal),
        "lognormal": np.exp(5 * normal),
        "one heavy in the middle": np.where(random.random(size) < 0.03, 0.1, normal),
    }[kind]
    assert repr(cuts_of(column)) == repr(by_rows(column))


def test_a_column_already_ordered_is_neither_copied_nor_changed() -> None:
    column = ordered(np.array([3.0, np.nan, -0.0, 3.0, np.inf]))
    assert [str(value) for value in column] == ["0.0", "3.0", "3.0"]
    column.flags.writeable = False
    assert cuts_of_ordered(column).atoms == (0.0, 3.0)
