"""A window's sum carried forward is the sum of its rows, in every count, sum and extreme."""

from __future__ import annotations

import numpy as np
import pytest

from stream.evaluate.panes.ring import Sliding
from stream.evaluate.panes.tiers import DAY_MS, HOUR_MS, revised, tier_for, tiers_of
from stream.state.layout import EVENTS, Layout, NumericColumn
from stream.state.packing import Partial, empty

LAYOUT = Layout("m", "predictions", 60_000, (NumericColumn("x", "x", (1.0, 2.0)), NumericColumn("y", "y", ())), ())


def row(rng: np.random.Generator) -> Partial:
    """A row with anything in it."""
    lows, highs = rng.normal(-5, 2, 2), rng.normal(5, 2, 2)
    extrema = np.array([lows[0], highs[0], lows[1], highs[1]])
    return Partial(rng.integers(0, 9, LAYOUT.cells), rng.integers(-(2**40), 2**40, 4), extrema)


def assert_is_sum(ring: Sliding, rows: dict[int, Partial]) -> None:
    """What numpy sums of the rows in the window."""
    inside = [r for start, r in rows.items() if ring.start_ms <= start < ring.end_ms]
    nothing = empty(LAYOUT.cells, 2)
    assert ring.total.cells.tolist() == sum((r.cells for r in inside), nothing.cells).tolist()
    assert ring.total.sums.tolist() == sum((r.sums for r in inside), nothing.sums).tolist()
    extrema = np.stack([nothing.extrema, *(r.extrema for r in inside)])
    assert ring.total.extrema[0::2].tolist() == extrema[:, 0::2].min(axis=0).tolist()
    assert ring.total.extrema[1::2].tolist() == extrema[:, 1::2].max(axis=0).tolist()


@pytest.mark.parametrize("length", [1, 3, 10])
def test_sliding_over_rows_with_gaps_and_growth_and_revisions_stays_exact(length: int) -> None:
    rng = np.random.default_rng(7)
    rows: dict[int, Partial] = {}
    ring = Sliding(LAYOUT, length, 0)
    for start in range(60):
        if start % 7 != 3:
            for _ in range(1 + start % 2):  # a row may be offered again, grown, before the window reaches it
                rows[start] = rows[start] + row(rng) if start in rows else row(rng)
                ring.offer(start, rows[start])
        if start % 2:
            ring.slide(start + 1)
            assert_is_sum(ring, rows)
        late = int(rng.integers(0, start + 1))
        if late in rows and late < ring.end_ms:
            rows[late] = rows[late] + row(rng)
            ring.offer(late, rows[late])
            assert_is_sum(ring, rows)
    ring.slide(200)
    assert (ring.events, ring.busy, ring.total.cells.sum()) == (0, False, 0)
    assert ring.total.extrema.tolist() == empty(0, 2).extrema.tolist()


def test_a_row_that_lies_ahead_is_not_in_the_window_yet() -> None:
    ring, ahead = Sliding(LAYOUT, 10, 10), row(np.random.default_rng(1))
    ring.offer(10, ahead)
    assert (ring.events, ring.busy) == (0, True)
    ring.slide(11)
    assert ring.events == ahead.cells[EVENTS]


def test_windows_are_summed_from_the_longest_tier_that_divides_them_and_their_step() -> None:
    def chosen(pane: int, window: int, step: int) -> str:
        return tier_for(pane, window_ms=window, step_ms=step).name

    assert chosen(60_000, 7 * DAY_MS, DAY_MS) == "1d"
    assert chosen(60_000, 7 * DAY_MS, HOUR_MS) == "1h"
    assert chosen(60_000, HOUR_MS, 60_000) == "pane"
    assert chosen(HOUR_MS, 36 * HOUR_MS, 12 * HOUR_MS) == "pane"
    assert [tier.name for tier in tiers_of(7 * 60_000)] == ["pane"]
    assert [tier.name for tier in tiers_of(2 * DAY_MS)] == ["pane"]


def test_a_longer_row_takes_what_a_revised_pane_gained() -> None:
    rng = np.random.default_rng(3)
    old, gain, other = row(rng), row(rng), row(rng)
    found = revised(other + old, old=old, new=old + gain)
    wanted = other + old + gain
    assert found.cells.tolist() == wanted.cells.tolist()
    assert found.sums.tolist() == wanted.sums.tolist()
    assert found.extrema.tolist() == wanted.extrema.tolist()
