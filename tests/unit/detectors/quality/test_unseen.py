"""How many unseen values are to be expected: block Good-Turing, with the figures of the flights of 2013."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from detectors.calibration.calibrate import Window
from detectors.profile import TOP, Coded, categorical_profile, coded, panes_of
from detectors.quality.limits import learned_limits
from detectors.quality.unseen import LEVEL, Blocks, UnseenLimit, alone, blocks_of, limit_of, longest
from schemas.reference import CategoricalProfile
from stream.local.flights import load_flights

HOUR = 3_600_000
DAY, WEEK = 24, 168


@pytest.fixture(scope="module")
def flights() -> Any:
    return load_flights()


def january(flights: Any, name: str) -> tuple[Any, NDArray[np.int64]]:
    """The values that are there, and the hour of each from the first flight on."""
    rows = flights[(flights["month"] == 1) & flights[name].notna()]
    hours = rows["departure_ms"].to_numpy() // HOUR
    return rows[name], hours - hours.min()


def profile(flights: Any, name: str) -> CategoricalProfile:
    rows = flights[flights["month"] == 1]
    names = rows[name].astype(object).where(rows[name].notna(), None)
    return categorical_profile(coded(names), panes_of(rows["departure_ms"].to_numpy(), pane_ms=HOUR))


def unseen(flights: Any, name: str, month: int) -> float:
    known = set(january(flights, name)[0])
    return float((~flights[flights["month"] == month][name].dropna().isin(known)).mean())


def by_rows(flights: Any, name: str, length: int) -> Blocks:
    """Blocks of all names, also of those that a profile does not name."""
    values, hours = january(flights, name)
    codes = np.unique(values.to_numpy(dtype=str), return_inverse=True)[1]
    block = np.minimum(hours // length, int(np.floor((hours.max() + 1) / length + 0.5)) - 1)
    counts = np.zeros((block.max() + 1, codes.max() + 1), np.int64)
    np.add.at(counts, (block, codes), 1)
    return Blocks(counts.sum(axis=1), alone(counts))


def limit(blocks: Blocks, *, window_blocks: float = 1.0, level: float = LEVEL) -> UnseenLimit:
    found = limit_of(blocks, window_blocks=window_blocks, level=level)
    assert found is not None
    return found


def test_tail_numbers_by_rows_alarm_falsely_in_february_and_by_weeks_they_do_not(flights: Any) -> None:
    counts = january(flights, "tailnum")[0].value_counts()
    assert (counts == 1).sum() / counts.sum() == pytest.approx(0.016, abs=0.0005)  # Good-Turing as it is written

    weeks = by_rows(flights, "tailnum", WEEK)
    assert len(weeks.rows) == 4
    assert limit(weeks).mean == pytest.approx(0.041, abs=0.0005)

    february = flights[(flights["month"] == 2) & flights["tailnum"].notna()]
    first_week = february[february["departure_ms"] < february["departure_ms"].min() + WEEK * HOUR]["tailnum"]
    share = float((~first_week.isin(set(counts.index))).mean())
    assert share == pytest.approx(0.027, abs=0.0005)
    assert 0.016 < share < limit(weeks).mean
    march, july = unseen(flights, "tailnum", 3), unseen(flights, "tailnum", 7)
    assert march == pytest.approx(0.050, abs=0.0005)
    assert july == pytest.approx(0.087, abs=0.0005)
    assert min(march, july) > limit(weeks).mean


def test_destinations_never_seen_are_found(flights: Any) -> None:
    found = limit(blocks_of(profile(flights, "dest"), DAY), window_blocks=28)
    assert (found.blocks, found.exact) == (31, True)
    assert found.limit == pytest.approx(2.6e-4, abs=0.5e-5)
    assert unseen(flights, "dest", 2) == 0.0
    assert unseen(flights, "dest", 3) == pytest.approx(1e-3, abs=0.5e-4)
    assert unseen(flights, "dest", 7) == pytest.approx(8e-3, abs=0.5e-3)


def test_of_named_values_the_profile_knows_as_much_as_the_rows(flights: Any) -> None:
    for length in (DAY, WEEK, 37):
        ours, rows = blocks_of(profile(flights, "dest"), length), by_rows(flights, "dest", length)
        assert (ours.rows.tolist(), ours.alone.tolist()) == (rows.rows.tolist(), rows.alone.tolist())


def test_of_values_beyond_the_named_ones_that_nobody_counted_it_knows_a_bound(flights: Any) -> None:
    tail = replace(profile(flights, "tailnum"), unlisted=())  # as references were before they were counted
    assert tail.other > 0
    ours, rows = blocks_of(tail, WEEK), by_rows(flights, "tailnum", WEEK)
    assert not ours.exact
    assert not limit(ours).exact
    assert ours.rows.tolist() == rows.rows.tolist()
    assert (ours.alone >= rows.alone).all()
    assert limit(ours).mean > limit(rows).mean


def test_values_beyond_the_named_ones_are_those_that_the_other_blocks_would_not_name(flights: Any) -> None:
    """January's 3 148 planes, of which 2 000 are named: a day's planes against the planes that the other days would name."""
    tail = profile(flights, "tailnum")
    found = blocks_of(tail, DAY)
    assert (found.exact, len(found.rows)) == (True, 31)
    values, hours = january(flights, "tailnum")
    for day in (0, 15, 30):
        own = np.minimum(hours // DAY, 30) == day
        listed = sorted(Counter(values[~own]).items(), key=lambda one: (-one[1], one[0]))[:TOP]
        assert found.alone[day] == (~values[own].isin([name for name, _ in listed])).sum()
    assert found.alone.sum() / found.rows.sum() == pytest.approx(0.1360, abs=5e-5)
    # Windows of five hours are between two lengths: the blocks of six hours have no fewer that is new.
    assert not blocks_of(tail, 5).exact
    assert blocks_of(tail, 5).alone.tolist() == blocks_of(tail, 6).alone.tolist()


NAMES, ROWS, HOURS = 50_000, 100, 960
ZIPF = np.cumsum(1.0 / np.arange(1, NAMES + 1)) / np.sum(1.0 / np.arange(1, NAMES + 1))


def test_of_fifty_thousand_names_the_level_holds_and_a_tenth_of_new_ones_is_found() -> None:
    """References of forty days, windows of a day: names of Zipf's law, of which the profile lists 2 000."""
    random, span = np.random.default_rng(20130105), Window(DAY, DAY * ROWS, day=DAY)
    names, pane = tuple(map(str, range(NAMES))), np.repeat(np.arange(HOURS), ROWS)
    alarms, found, bound = [], [], []
    for _ in range(4):
        codes = np.searchsorted(ZIPF, random.random(HOURS * ROWS))
        of = categorical_profile(Coded(names, codes), panes_of(pane * HOUR, pane_ms=HOUR))
        listed = np.isin(np.arange(NAMES), [int(name) for name in of.categories])
        allowed = [learned_limits(each, span, level=0.05)["unseen"].limit for each in (of, replace(of, unlisted=()))]
        unseen = ~listed[np.searchsorted(ZIPF, random.random((150, DAY * ROWS)))]
        new = unseen | (random.random(unseen.shape) < 0.1)
        alarms.append(unseen.mean(axis=1) > allowed[0])
        found.append(new.mean(axis=1) > allowed[0])
        bound.append(new.mean(axis=1) > allowed[1])
    assert np.mean(alarms) <= 0.055 + 3 * (0.05 * 0.95 / 600) ** 0.5
    assert np.mean(alarms) >= 0.01
    assert np.mean(found) >= 0.99
    assert np.mean(bound) == 0.0  # without the counts twice the share of further names had to be allowed


tables = st.lists(st.lists(st.integers(0, 2), min_size=4, max_size=4), min_size=1, max_size=8).map(np.array)


@given(tables)
def test_alone_is_what_a_block_holds_and_all_others_do_not(counts: NDArray[np.int64]) -> None:
    for block, found in enumerate(alone(counts)):
        others = np.delete(counts, block, axis=0).sum(axis=0)
        assert found == counts[block][others == 0].sum()


def test_a_last_block_of_less_than_half_belongs_to_the_one_before_and_missing_to_none() -> None:
    names = coded(["a", "b", None, "a", "c", None, "d"])
    whole = categorical_profile(names, panes_of(np.arange(7) * HOUR, pane_ms=HOUR))
    assert blocks_of(whole, 3).rows.tolist() == [2, 3]
    assert blocks_of(whole, 3).alone.tolist() == [1, 2]
    assert blocks_of(whole, 2).rows.tolist() == [2, 1, 1, 1]  # half of one is one
    assert blocks_of(whole, 100).rows.tolist() == [5]


def test_the_limit_is_the_formula() -> None:
    blocks = Blocks(np.array([100, 0, 200, 50]), np.array([2, 0, 2, 2]))
    found = limit(blocks, window_blocks=2.0, level=0.01)
    sd = np.std([0.02, 0.01, 0.04], ddof=1)
    assert (found.mean, found.blocks) == (6 / 350, 3)
    assert found.sd == pytest.approx(sd)
    assert found.limit == pytest.approx(6 / 350 + stats.t.ppf(0.99, 2) * sd * np.sqrt(1 / 2 + 1 / 3))


@pytest.mark.parametrize("rows", [[], [0, 0], [9, 0]])
def test_fewer_than_two_blocks_with_rows_have_no_limit(rows: list[int]) -> None:
    assert limit_of(Blocks(np.array(rows, np.int64), np.zeros(len(rows), np.int64))) is None


def test_names_that_never_changed_allow_no_new_one_and_those_that_always_do_allow_all() -> None:
    never = limit(Blocks(np.full(31, 900), np.zeros(31, np.int64)))
    assert (never.limit, never.sd) == (0.0, 0.0)
    assert limit(Blocks(np.array([10, 10, 10]), np.array([10, 9, 10]))).limit == 1.0


@pytest.mark.parametrize(("names", "length"), [(["a"], 0), ([], 5)])
def test_blocks_need_panes_in_time_order(names: list[str], length: int) -> None:
    panes = panes_of(np.arange(len(names)), pane_ms=1) if names else None
    with pytest.raises(ValueError, match="in time order"):
        blocks_of(categorical_profile(coded(names), panes), length)


def test_of_a_longer_window_the_share_is_that_of_blocks_as_long() -> None:
    """Nine rows of ten hold a name of every other day, the tenth one of its week: that is alone in the week, and in no day."""
    days = [[f"often{day % 2}"] * 9 + [f"week{day // 7}"] for day in range(28)]
    names = [name for day in days for name in day]
    of = categorical_profile(coded(names), panes_of(np.repeat(np.arange(28), 10) * 24 * HOUR, pane_ms=24 * HOUR))
    assert [longest(of, window) for window in (1, 7, 14, 28)] == [1, 7, 14, 14]
    day, week = blocks_of(of, 1), blocks_of(of, 7)
    assert (day.alone.sum(), week.alone.sum()) == (0, 28)
    plain = limit_of(day, window_blocks=7.0)
    found = limit_of(day, window_blocks=7.0, whole=week)
    assert plain is not None
    assert found is not None
    assert (plain.mean, found.mean, found.sd, found.blocks) == (0.0, 0.1, 0.0, 28)
