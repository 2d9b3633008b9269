"""Panes begin in cells of 8 bits: what is counted is the same at every size."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.ingest import rooms
from stream.ingest.rooms import SMALL
from stream.ingest.tenure import OpenPane
from stream.state.layout import EVENTS, UNKNOWN_FEATURES, UNKNOWN_KEYS, WASTE
from stream.state.packing import Partial
from tests.support.ingest import HOUR, NOON, Shelf, Stored, both, counter, event, run, tenure

PLANS = both()
PLAIN = event(features={"temp": 5, "carrier": "UA"})


def counted(
    sizes: Sequence[int], value: bytes = PLAIN, *, shelf: Shelf | None = None
) -> tuple[Partial, OpenPane, bool]:
    """The pane of noon after drains of so many events each, and whether its cells are still of 8 bits."""

    async def drained() -> tuple[Partial, OpenPane, bool]:
        owner, counting, offset = tenure(), counter(PLANS, shelf=shelf), 0
        for size in sizes:
            records = [Stored(value, offset + at, NOON + HOUR) for at in range(size)]
            await counting.add(run(records, owner), owner)
            await counting.drain()
            offset += size
        (pane,) = owner.panes.values()
        return counting.rooms.content(pane), pane, pane.arena is counting.rooms.small

    return asyncio.run(drained())


ONE, ITS_PANE, _ = counted([1])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=6))
def test_so_many_events_are_so_many_times_the_cells_of_one(sizes: list[int]) -> None:
    held, _, small = counted(sizes)
    assert held.cells.tolist() == (ONE.cells * sum(sizes)).tolist()
    assert held.sums.tolist() == (ONE.sums * sum(sizes)).tolist()
    assert held.extrema.tolist() == ONE.extrema.tolist()
    assert small == (sum(sizes) <= SMALL)


@pytest.mark.parametrize("stored", [253, 254, 255, 256, 2**31 - 2, 2**31, 2**40])
def test_what_was_stored_goes_on_in_cells_that_hold_it(stored: int) -> None:
    shelf = Shelf({(0, ITS_PANE.layout.hash, NOON): replace(ONE, cells=ONE.cells * stored)})
    held, _, small = counted([1, 1], shelf=shelf)
    assert held.cells.tolist() == (ONE.cells * (stored + 2)).tolist()
    assert small == (stored <= SMALL - 2)


@pytest.mark.parametrize("features", [1, 100, 255, 256, 300])
def test_undeclared_names_of_one_event_may_be_more_than_8_bits_hold(features: int) -> None:
    value = event(features={f"new{at}": 1 for at in range(features)}, one=1, two=2)
    held, _, _ = counted([2, 1], value)
    found = [int(held.cells[cell]) for cell in (EVENTS, UNKNOWN_FEATURES, UNKNOWN_KEYS, WASTE)]
    assert found == [3, 3 * features, 6, 0]


@pytest.mark.parametrize(("cached", "together"), [(0, [0, 2, 1, 3]), (1 << 20, [0, 1, 2, 3])])
def test_rows_of_one_pane_stand_together_where_open_panes_outgrow_the_cache(
    cached: int, together: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "CACHED", cached)
    layout = both()["predictions"].tables.layouts[0]
    held = rooms.Rooms()
    first, second = held.begun([layout, layout], [NOON, NOON + HOUR])
    [(arena, rows)] = held.parts(held.places([second, first, second, first]))
    assert (arena, rows.tolist()) == (held.small, together)
