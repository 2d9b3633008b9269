"""Chi-squared of 2 x k tables: the published number, the union of names, several columns at once."""

import numpy as np
import pytest

from detectors.chi_squared import contingency, p_value

REFERENCE, CURRENT = np.array([700, 250, 49, 1, 0]), np.array([330, 140, 20, 0, 10])


def test_the_union_of_categories_gives_the_published_number() -> None:
    statistic, freedom = contingency(REFERENCE, CURRENT, np.array([0]))
    assert statistic[0] == pytest.approx(23.017501704711496, rel=1e-12, abs=0)
    assert freedom.tolist() == [4]
    assert p_value(statistic, freedom)[0] == pytest.approx(0.00012561079190730618, rel=1e-11, abs=0)


def test_columns_behind_one_another_do_not_touch() -> None:
    two = np.concatenate([REFERENCE, [5, 5]]), np.concatenate([CURRENT, [3, 3]])
    statistic, freedom = contingency(*two, np.array([0, 5]))
    assert statistic.tolist() == [pytest.approx(23.017501704711496, rel=1e-12), 0.0]
    assert freedom.tolist() == [4, 1]


def test_a_name_that_neither_side_holds_costs_nothing() -> None:
    with_zero = contingency(np.array([7, 3, 0]), np.array([3, 7, 0]), np.array([0]))
    without = contingency(np.array([7, 3]), np.array([3, 7]), np.array([0]))
    assert [part.tolist() for part in with_zero] == [part.tolist() for part in without] == [[3.2], [1]]


@pytest.mark.parametrize("current", [[0, 0], [5, 0]])
def test_an_empty_side_or_a_single_name_differs_from_nothing(current: list[int]) -> None:
    statistic, freedom = contingency(np.array([9, 0]), np.array(current), np.array([0]))
    assert (statistic.tolist(), p_value(statistic, freedom).tolist()) == ([0.0], [1.0])


def test_no_column_is_no_number() -> None:
    none = np.array([], dtype=np.int64)
    assert [part.tolist() for part in contingency(none, none, none)] == [[], []]
