"""PSI of many columns at once is the PSI of each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.psi import jeffreys, psi
from detectors.psi_of_columns import driftline, expected

pairs = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=12)
columns = st.lists(pairs.filter(lambda column: sum(then for then, _ in column) > 0), min_size=1, max_size=5)


def test_names_with_an_unseen_one_give_the_published_number() -> None:
    # a, b, c, d, other, unseen, missing
    found, bins = driftline(
        np.array([700, 250, 49, 1, 0, 0, 0]), np.array([330, 140, 20, 0, 0, 10, 0]), np.array([0])
    )  # fmt: skip
    assert found[0] == pytest.approx(0.08385374590486026, rel=1e-12, abs=0)
    assert bins.tolist() == [5]


@given(columns)
def test_each_column_is_as_if_it_were_alone(columns: list[list[tuple[int, int]]]) -> None:
    starts = np.cumsum([0, *(len(column) for column in columns[:-1])])
    flat = np.array([pair for column in columns for pair in column])
    found, _ = driftline(flat[:, 0], flat[:, 1], starts)
    alone = [psi(*jeffreys(*np.array(column).T)) for column in columns]
    assert found == pytest.approx(alone, rel=1e-9, abs=1e-12)


def test_the_value_with_no_drift_is_the_mean_over_samples() -> None:
    rng = np.random.default_rng(7)
    reference = rng.multinomial(20_000, [0.1] * 10)
    drawn = rng.multinomial(1_000, [0.1] * 10, size=4_000)
    found = [float(driftline(reference, row, np.array([0]))[0][0]) for row in drawn]
    at_most = expected(np.array([10]), np.array([1_000]), np.array([20_000]))[0]
    assert at_most == pytest.approx(0.00945, rel=1e-12)
    # One reference was drawn, so its own share of the sum is fixed: 9/20000 of chance.
    assert np.mean(found) == pytest.approx(at_most, abs=5e-4)
