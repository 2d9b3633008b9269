"""Counts of panes by the pane, the hour and the day: exact sums of whole rows, bounded, whatever order panes come in."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from stream.evaluate.panes.ledger import Ledger, begun
from stream.evaluate.panes.tiers import DAY_MS, HOUR_MS
from stream.state.packing import Ints

MINUTE = 60_000


def ledger(pane_ms: int = MINUTE, *, panes: dict[int, int], longest_ms: int = 30 * DAY_MS) -> Ledger:
    found = begun(pane_ms, at_ms=0, longest_ms=longest_ms, counts=2)
    for start, count in panes.items():
        found = found.plus(start, amount(count))
    return found


def amount(count: int) -> Ints:
    return np.array([count, 1], np.int64)


def test_a_window_ends_with_the_newest_pane_and_begins_with_a_whole_row() -> None:
    found = ledger(panes={minute * MINUTE: minute for minute in range(600)})
    assert found.at_ms == 600 * MINUTE
    assert found.total(5 * MINUTE).tolist() == [595 + 596 + 597 + 598 + 599, 5]
    assert found.total(MINUTE).tolist() == [599, 1]
    assert found.total(6 * HOUR_MS).tolist() == [sum(range(240, 600)), 360]
    assert found.total(3 * DAY_MS).tolist() == [sum(range(600)), 600]


def test_three_days_begin_on_the_hour_and_a_budget_at_midnight() -> None:
    end = 40 * DAY_MS + 12 * HOUR_MS + 30 * MINUTE
    found = ledger(panes=dict.fromkeys(range(0, end, 10 * MINUTE), 1))
    assert (
        found.total(3 * DAY_MS).tolist()[0] == 3 * 144 + 1 + 2
    )  # from 12:00 three days before; the last pane is of 12:20
    assert found.total(30 * DAY_MS).tolist()[0] == 30 * 144 + 12 * 6 + 3


def test_a_window_shorter_than_a_pane_is_a_pane() -> None:
    found = ledger(HOUR_MS, panes={hour * HOUR_MS: hour for hour in range(100)})
    assert found.total(5 * MINUTE).tolist() == [99, 1]
    assert found.total(6 * HOUR_MS).tolist() == [sum(range(94, 100)), 6]
    assert found.total(3 * DAY_MS).tolist() == [sum(range(28, 100)), 72]


@pytest.mark.parametrize("pane_ms", [MINUTE, 5 * MINUTE, 7 * MINUTE, HOUR_MS, 7 * HOUR_MS, 2 * DAY_MS])
def test_sums_are_those_of_the_panes_whatever_order_they_came_in(pane_ms: int) -> None:
    chance = Random(pane_ms)
    starts = [pane_ms * at for at in sorted(chance.sample(range(3000), 400))]
    shuffled = chance.sample(starts, len(starts))
    in_order, mixed = ledger(pane_ms, panes=dict.fromkeys(starts, 3)), ledger(pane_ms, panes=dict.fromkeys(shuffled, 3))
    for span in (5 * MINUTE, HOUR_MS, 6 * HOUR_MS, 3 * DAY_MS, 30 * DAY_MS):
        assert in_order.total(span).tolist() == mixed.total(span).tolist()


def test_a_late_event_is_added_where_it_belongs_and_forgotten_where_nobody_asks_any_more() -> None:
    found = ledger(panes=dict.fromkeys(range(0, 2 * DAY_MS, MINUTE), 1))
    late = found.plus(DAY_MS, np.array([5, 0], np.int64))
    assert late.total(6 * HOUR_MS).tolist() == found.total(6 * HOUR_MS).tolist()
    assert (late.total(3 * DAY_MS) - found.total(3 * DAY_MS)).tolist() == [5, 0]
    recent = found.plus(2 * DAY_MS - 3 * MINUTE, np.array([5, 0], np.int64))
    assert (recent.total(5 * MINUTE) - found.total(5 * MINUTE)).tolist() == [5, 0]
    assert recent.total(MINUTE).tolist() == [1, 1]
    assert recent.at_ms == late.at_ms == 2 * DAY_MS


def test_what_is_kept_is_bounded() -> None:
    found = ledger(panes=dict.fromkeys(range(0, 95 * DAY_MS, 20 * MINUTE), 1), longest_ms=90 * DAY_MS)
    assert [len(rows.starts) for rows in found.rows] == [18, 73, 91]


def test_a_window_that_nothing_came_in_is_empty() -> None:
    assert ledger(panes={}).total(HOUR_MS).tolist() == [0, 0]
    assert ledger(panes={0: 1, 2 * HOUR_MS: 1}).total(HOUR_MS).tolist() == [1, 1]
