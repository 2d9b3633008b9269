"""Panes packed together from the arena are stored byte for byte as each alone would be, whatever they hold."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.release import ReleaseMonitor
from stream.ingest.compiled.packing import AT_ONCE
from stream.ingest.forms import stored_forms
from stream.ingest.rooms import OUTGROWN, Rooms
from stream.ingest.tenure import OpenPane
from stream.state.arms import arms_layout, stored_form
from stream.state.layout import EVENTS, WASTE, CategoricalColumn, Layout, NumericColumn
from stream.state.packing import Partial, empty

REQUESTS = NumericColumn("latency_s", "latency_s", (0.1, 1.0))
LAYOUTS = (
    Layout("few", "predictions", 1, (REQUESTS,), ()),
    Layout("none", "predictions", 1, (), ()),
    Layout("named", "predictions", 1, (), (CategoricalColumn("c", "features.c", tuple(map(str, range(300)))),)),
    Layout("many", "predictions", 1, (REQUESTS,) * 3, (CategoricalColumn("c", "features.c", buckets=70_000),)),
)
OF_ARMS = arms_layout(LAYOUTS[0], ReleaseMonitor(champion="1", challenger="2"))


def partial(layout: Layout, seed: int, *, filled: float, largest: int) -> Partial:
    chance, made = np.random.default_rng(seed), empty(layout.cells, len(layout.numeric))
    chosen = chance.random(layout.cells) < filled
    made.cells[chosen] = chance.integers(1, largest + 1, int(chosen.sum()))
    made.cells[EVENTS] = largest if filled else 0  # the width of counts turns on it
    made.cells[WASTE] = 0
    made.sums[:] = chance.integers(-(2**60), 2**60, len(made.sums)) * (chance.random(len(made.sums)) < 0.7)
    made.extrema[:] = chance.normal(size=len(made.extrema))
    return made


@st.composite
def opened(draw: st.DrawFn) -> list[tuple[Layout, Partial, int]]:
    """Layouts, what their panes hold and how often those were revised; some hold nothing, some nearly everything."""
    assert OF_ARMS is not None
    layouts = draw(st.lists(st.sampled_from((*LAYOUTS, OF_ARMS)), max_size=8))
    fills = st.sampled_from([0.0, 0.01, 0.3, 1.0])
    most = st.sampled_from([1, 255, 256, 65_535, 65_536, OUTGROWN - 1, OUTGROWN, 2**32 - 1])
    return [
        (each, partial(each, draw(st.integers(0, 99)), filled=draw(fills), largest=draw(most)), draw(st.integers(0, 9)))
        for each in layouts
    ]


@settings(max_examples=60, deadline=None)
@given(opened())
def test_together_is_alone(made: list[tuple[Layout, Partial, int]]) -> None:
    rooms = Rooms()
    panes = [_pane(rooms, layout, replace(held, revision=revision)) for layout, held, revision in made]
    expected = [stored_form(layout, replace(held, revision=revision)) for layout, held, revision in made]
    assert stored_forms(panes, rooms) == expected
    assert [pane.carried is not None for pane in panes] == [bool(held.cells.max() >= OUTGROWN) for _, held, _ in made]
    assert stored_forms(panes, rooms) == expected  # what outgrew its room was moved out of it


def test_more_bytes_than_are_written_at_a_time() -> None:
    rooms, chance = Rooms(), Random(1)
    made = [partial(LAYOUTS[2], seed, filled=1.0, largest=chance.choice((9, 300))) for seed in range(2_000)]
    made[700:700] = [partial(LAYOUTS[3], 1, filled=1.0, largest=2**31 - 1)] * 2
    panes = [_pane(rooms, layout, held) for layout, held in ((LAYOUTS[2 + bool(len(one.sums))], one) for one in made)]
    expected = [stored_form(pane.layout, held) for pane, held in zip(panes, made, strict=True)]
    assert [
        sum(len(form) for pane, form in zip(panes, expected, strict=True) if pane.arena is arena) > AT_ONCE
        for arena in (rooms.middle, rooms.large)
    ] == [True, True]
    assert stored_forms(panes, rooms) == expected


def test_what_falls_into_the_waste_is_not_stored() -> None:
    rooms = Rooms()
    pane = _pane(rooms, LAYOUTS[0], empty(LAYOUTS[0].cells, 1))
    pane.arena.cells[pane.room.cells + WASTE] = 7
    pane.arena.cells[pane.room.cells + EVENTS] = 2
    expected = empty(LAYOUTS[0].cells, 1)
    expected.cells[EVENTS] = 2
    assert stored_forms([pane], rooms) == [stored_form(LAYOUTS[0], expected)]


def _pane(rooms: Rooms, layout: Layout, held: Partial) -> OpenPane:
    """Of what one checkpoint's events counted: no more than a cell of 32 bits holds."""
    arena = next((arena for arena in rooms.arenas if held.cells.max() <= arena.most), rooms.large)
    return OpenPane(layout, 0, arena, arena.allocate(layout, held), held.revision)
