"""Which cause is named of a window of counts: what is said, with which numbers, and when nothing is."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.profile import numeric_profile
from detectors.signatures.cells import Window
from detectors.signatures.signature import Signature, signature
from schemas.reference import NumericProfile
from tests.support.caused import (
    ALL,
    CAUSES,
    DISTRIBUTIONS,
    DRIFTS,
    OTHER_CAUSES,
    OTHER_DISTRIBUTIONS,
    Floats,
    said,
    window_of,
)
from tests.support.caused import reference as drawn

ROWS = 2_000


@pytest.fixture(scope="module")
def celsius() -> NumericProfile:
    return drawn("normal", 1)[1]


@pytest.fixture(scope="module")
def waits() -> NumericProfile:
    return drawn("gamma", 1)[1]


def normal(rows: int = ROWS) -> Floats:
    return DISTRIBUTIONS["normal"](np.random.default_rng(7), rows)


def gamma(rows: int = ROWS) -> Floats:
    return DISTRIBUTIONS["gamma"](np.random.default_rng(8), rows)


def found(profile: NumericProfile, values: Floats) -> Signature:
    said = signature(profile, window_of(values, profile))
    assert said is not None
    assert said.n == len(values)
    return said


def number(of: Signature, name: str) -> float:
    value = of.parameters[name]
    assert isinstance(value, float)
    return value


def test_fahrenheit_where_celsius_was(celsius: NumericProfile) -> None:
    cause = found(celsius, 1.8 * normal() + 32.0)
    assert (cause.family, cause.parameters) == ("unit", {"unit": "degC->degF"})
    assert cause.words == "looks like °F sent where °C was: x -> 1.8 x + 32"
    assert cause.explained > 0.99


def test_celsius_where_fahrenheit_was() -> None:
    fahrenheit = numeric_profile(1.8 * drawn("normal", 1)[0] + 32.0, None)
    assert found(fahrenheit, normal()).words == "looks like °C sent where °F was: x -> 0.555556 x - 17.7778"


@pytest.mark.parametrize(
    ("factor", "unit"),
    [
        (1_000.0, "x10^3"),
        (0.01, "x10^-2"),
        (60.0, "min->s"),
        (3600.0, "h->s"),
        (2.54, "in->cm"),
        (0.45359237, "lb->kg"),
    ],
)
def test_other_units(waits: NumericProfile, factor: float, unit: str) -> None:
    assert found(waits, factor * gamma()).parameters == {"unit": unit}


def test_a_factor_that_is_no_unit_is_a_scale(waits: NumericProfile) -> None:
    cause = found(waits, 1.5 * gamma(10_000))
    assert cause.family == "scale"
    assert number(cause, "scale") == pytest.approx(1.5, abs=0.04)


def test_a_shift_and_how_far(waits: NumericProfile) -> None:
    cause = found(waits, gamma() - 2.5)
    assert cause.family == "shift"
    assert number(cause, "shift") == pytest.approx(-2.5, abs=0.1)
    assert cause.words == f"looks like x -> x - {-number(cause, 'shift'):.3g}"


def test_a_flipped_sign(waits: NumericProfile) -> None:
    assert found(waits, -gamma()).words == "looks like the sign is flipped: x -> -x"


def test_clipping_and_where(waits: NumericProfile) -> None:
    assert found(waits, np.minimum(gamma(), 9.0)).parameters == {"high": 9.0}
    assert found(waits, np.maximum(gamma(), 3.0)).parameters == {"low": 3.0}
    both = found(waits, np.clip(gamma(), 3.0, 9.0))
    assert (both.words, both.parameters) == ("looks like clipped to 3 … 9", {"low": 3.0, "high": 9.0})


def test_a_default_its_share_and_value(waits: NumericProfile) -> None:
    values = gamma()
    values[:300] = -999.0
    cause = found(waits, values)
    assert cause.words == "looks like 15% of the rows hold the default -999"
    assert number(cause, "value") == -999.0
    assert number(cause, "share") == pytest.approx(0.15, abs=1e-4)


def test_a_default_that_is_an_atom_of_the_reference() -> None:
    column, profile = drawn("zero-inflated", 1)
    values = column[:ROWS].copy()
    values[: ROWS // 2] = 0.0
    cause = found(profile, values)
    assert number(cause, "value") == 0.0
    assert number(cause, "share") == pytest.approx(0.5, abs=0.05)


def test_a_default_inside_a_bin_is_told_from_many_values_there(waits: NumericProfile) -> None:
    values, close = gamma(), gamma()
    values[:300] = 6.0
    close[:300] = 6.0 + np.linspace(-0.01, 0.01, 300)
    cause = found(waits, values)
    assert cause.family == "fill"
    assert number(cause, "from") <= 6.0 < number(cause, "to")
    assert signature(waits, window_of(close, waits)) is None


def test_stuck(waits: NumericProfile) -> None:
    cause = found(waits, np.full(100, 4.25))
    assert (cause.family, cause.words, cause.parameters) == ("stuck", "stuck at 4.25", {"value": 4.25})


def test_what_the_reference_holds_nearly_always_is_not_stuck() -> None:
    profile = numeric_profile(np.array([0.0] * 990 + [1.0] * 10), None)
    assert signature(profile, window_of(np.zeros(100), profile)) is None  # .99^100 = .37
    assert found(profile, np.zeros(2_000)).family == "stuck"


def test_lost_rows_which_and_how_many(waits: NumericProfile) -> None:
    values = gamma(4_000)
    cause = found(waits, values[values <= 6.0])
    assert cause.family == "rows_lost"
    assert number(cause, "above") == pytest.approx(6.0, abs=0.02)
    assert number(cause, "share") == pytest.approx((values > 6.0).mean(), abs=0.03)
    inner = found(waits, values[(values < 4.0) | (values > 8.0)])
    assert (number(inner, "from"), number(inner, "to")) == pytest.approx((4.0, 8.0), abs=0.3)


def test_maps_that_cannot_be_told_apart_are_not_named(celsius: NumericProfile) -> None:
    assert signature(celsius, window_of(-normal(), celsius)) is None  # as well x - 30: the normal law is symmetric


def test_a_scale_that_looks_like_lost_rows_is_not_named() -> None:
    profile = drawn("uniform", 1)[1]
    shorter = DISTRIBUTIONS["uniform"](np.random.default_rng(7), ROWS) / 1.609344
    assert signature(profile, window_of(shorter, profile)) is None


def test_a_spread_that_grew_around_its_mean_is_no_cause(celsius: NumericProfile) -> None:
    assert signature(celsius, window_of(15.0 + 1.6 * (normal() - 15.0), celsius)) is None


@pytest.mark.parametrize("rows", [300, 2_000])
def test_the_table_in_short(rows: int) -> None:
    total = sum((said(name, cause, rows=rows, seeds=range(1)) for name in DISTRIBUTIONS for cause in CAUSES), Counter())
    assert total["wrong"] / total.total() <= 0.02
    assert total["right"] / total.total() >= 0.85


@pytest.mark.parametrize("rows", [300, 2_000])
def test_the_table_of_what_nobody_tuned_for_in_short(rows: int) -> None:
    cells = itertools.product(OTHER_DISTRIBUTIONS, OTHER_CAUSES)
    total = sum((said(name, cause, rows=rows, seeds=range(1)) for name, cause in cells), Counter())
    assert total["wrong"] / total.total() <= 0.02
    assert total["right"] / total.total() >= 0.7


def test_where_a_shift_and_a_scale_are_the_same_it_is_a_shift() -> None:
    assert said("pressure", OTHER_CAUSES[0], rows=300, seeds=range(6)) == {"right": 6}


def test_values_that_all_lie_in_one_bin_are_told_apart_by_their_spread(celsius: NumericProfile) -> None:
    assert found(celsius, 0.01 * normal()).parameters == {"unit": "x10^-2"}
    assert found(celsius, 0.001 * normal()).parameters == {"unit": "x10^-3"}
    full = window_of(0.01 * normal(), celsius)
    assert signature(celsius, replace(full, sd=None)) is None


def test_of_few_rows_a_factor_is_not_known_closely_enough_to_be_a_unit() -> None:
    profile = drawn("gamma", 15, 1_000)[1]
    cause = found(profile, 1.55 * DISTRIBUTIONS["gamma"](np.random.default_rng(15), 100))
    assert (cause.family, cause.words) == ("scale", "looks like x -> 1.6 x")


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("rows", [100, 300, 2_000, 10_000])
def test_no_drift_has_no_cause(name: str, rows: int) -> None:
    profile = drawn(name, 3)[1]
    random = np.random.default_rng(rows)
    windows = [ALL[name](random, rows) for _ in range(4)]
    assert [signature(profile, window_of(values, profile)) for values in windows] == [None] * 4


def test_few_drifts_without_a_cause_are_given_one() -> None:
    random = np.random.default_rng(5)
    named = []
    for name, draw in DISTRIBUTIONS.items():
        of, profile = drawn(name, 3)
        for drift in DRIFTS.values():
            named.append(signature(profile, window_of(drift(draw(random, ROWS), of, random), profile)) is not None)
    assert sum(named) / len(named) <= 0.19


def test_without_the_details_of_panes_less_is_known_but_nothing_fails(waits: NumericProfile) -> None:
    full = window_of(100.0 * gamma(), waits)
    bare = Window(full.counts, full.minimum, full.maximum)
    assert found(waits, 100.0 * gamma()).parameters == {"unit": "x10^2"}
    assert signature(waits, bare) is None
    lost = window_of(gamma()[gamma() <= 6.0], waits)
    named = signature(waits, Window(lost.counts, lost.minimum, lost.maximum))
    assert named is not None
    assert named.family == "rows_lost"


@pytest.mark.parametrize("column", [[], [np.nan] * 5, [7.0] * 300, [1.0], [np.inf, -np.inf]])
def test_a_reference_that_holds_no_two_values_names_no_cause(column: list[float]) -> None:
    profile = numeric_profile(np.array(column), None)
    assert signature(profile, window_of(gamma(100), profile)) is None


def test_few_or_no_values_have_no_cause(waits: NumericProfile) -> None:
    assert signature(waits, window_of(100.0 * gamma(49), waits)) is None
    assert signature(waits, Window(np.zeros(len(waits.edges) + 1), math.inf, -math.inf)) is None


def test_counts_that_do_not_fit_are_refused(waits: NumericProfile) -> None:
    good = window_of(100.0 * gamma(), waits)
    with pytest.raises(ValueError, match="counts of shape"):
        signature(waits, Window(np.ones(3), 0.0, 1.0))
    with pytest.raises(ValueError, match="outside the range"):
        signature(waits, Window(good.counts, good.minimum, good.maximum, np.zeros(64)))
    with pytest.raises(ValueError, match="finite and rising"):
        signature(waits, Window(good.counts, 2.0, 1.0))


hard = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 5e-324, 1e-300, 1e30, -1e30, 1e300, -1.7e308, 1.7e308, 2.0, 3.0]),
    st.floats(-1e3, 1e3),
    st.integers(-5, 5).map(float),
)
columns = st.lists(hard, min_size=1, max_size=30).map(np.array)


@settings(deadline=None, max_examples=150)
@given(columns, columns, st.booleans())
def test_no_column_is_too_strange(reference: Floats, live: Floats, detailed: bool) -> None:
    profile = numeric_profile(np.tile(reference, 9), None)
    full = window_of(np.tile(live, 60), profile)
    window = full if detailed else Window(full.counts, full.minimum, full.maximum)
    cause = signature(profile, window)
    if cause is not None:
        assert 0.0 <= cause.explained <= 1.0
        assert "nan" not in cause.words
