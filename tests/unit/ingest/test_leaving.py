"""Panes leave memory: which, in what portions, what is remembered of them, and what becomes of their room."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any, cast

import pytest

from stream.ingest.ceiling import Ceiling, least_recent
from stream.ingest.checkpoint import Checkpointer, Followers
from stream.ingest.counter import Counter
from stream.ingest.ownership import Claim, Ownership
from stream.ingest.tenure import OpenPane, PaneId, Tenure
from stream.ingest.timing import NEVER
from stream.state.patience import Patience
from stream.state.store import PaneStore
from tests.support.ingest import HOUR, NOON, Shelf, Stored, bits, both, counter, event, run, tenure


def test_over_the_ceiling_those_untouched_for_longest_leave_and_only_stored_ones() -> None:
    shelf = Shelf()
    counting, owner = counter(both(), shelf=shelf), tenure()

    async def play() -> None:
        for hour in (0, 1, 2, 1, 0):
            await _read(counting, owner, hour)
        owner.changed.clear()  # as after a checkpoint
        await _read(counting, owner, 3)

    asyncio.run(play())
    one = counting.rooms.size_of(next(iter(owner.panes.values())))
    assert counting.rooms.used == 4 * one

    def leaving(at_most: int) -> list[int]:
        return [(start - NOON) // HOUR for _, (_, start) in least_recent([owner], counting.rooms, at_most=at_most)]

    assert [leaving(count * one) for count in (4, 3, 2, 1, 0)] == [[], [2], [2, 1], [2, 1, 0], [2, 1, 0]]


def test_redis_is_asked_for_what_left_and_not_for_new_panes_of_the_same_hour() -> None:
    shelf = Shelf()
    counting, owner = counter(both(), shelf=shelf), tenure(clock=NEVER)

    async def play() -> None:
        await _read(counting, owner, 0)
        owner.changed.clear()
        counting.ceiling = Ceiling(1)
        counting.relieve([owner])
        await _read(counting, owner, 0, model="prices")
        await _read(counting, owner, 0)

    asyncio.run(play())
    assert [(key.layout.model, key.start_ms) for key in shelf.asked] == [("trees", NOON)]
    assert (counting.evicted, owner.away) == (1, set())


def test_names_of_what_left_take_no_more_memory_than_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.ingest.tenure.MOST_AWAY", 9)
    counting, owner = counter(both()), tenure(clock=NEVER)
    counting.ceiling = Ceiling(1)

    async def play() -> None:
        for hour in range(10):
            await _read(counting, owner, hour)
            owner.changed.clear()
            counting.relieve([owner])

    asyncio.run(play())
    assert (len(owner.away), owner.shelved) == (0, NOON + 9 * HOUR)


def test_no_name_is_kept_of_a_pane_that_is_asked_for_for_its_age(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside names that are nearly too many, each such name had all of them looked through."""
    monkeypatch.setattr("stream.ingest.tenure.MOST_AWAY", 9)
    counting, owner = counter(both()), tenure(clock=NEVER)

    async def play() -> None:
        for hour in range(109):
            await _read(counting, owner, hour)

    asyncio.run(play())
    owner.shelved = NOON + 99 * HOUR
    keys = sorted(owner.panes, key=lambda key: key[1])
    old, new = keys[:100], keys[100:]
    for key in new:
        owner.put_away(key)
    held = owner.away
    for key in old:
        owner.put_away(key)
    assert owner.away is held
    assert held == set(new)
    assert all(owner.is_stored(key) for key in (*old, *new))


def test_memory_is_given_back_where_nobody_reuses_it_and_what_is_left_stays_as_it_was() -> None:
    counting, owner = counter(both()), tenure()

    async def play() -> None:
        for hour in range(150):
            for model in ("trees", "prices"):
                await _read(counting, owner, hour, model=model)

    asyncio.run(play())
    held = counting.rooms.nbytes
    for key in [key for at, key in enumerate(owner.panes) if at % 7]:
        counting.rooms.free(owner.panes.pop(key))
    before = {key: bits(counting.rooms.content(pane)) for key, pane in owner.panes.items()}
    assert len(list(counting.rooms.compact(reversed(owner.panes.values())))) == 1
    assert counting.rooms.nbytes < held / 3
    assert {key: bits(counting.rooms.content(pane)) for key, pane in owner.panes.items()} == before
    begun = counting.rooms.begun([pane.layout for pane in owner.panes.values()], [0] * len(owner.panes))
    assert not any(counting.rooms.content(pane).cells.any() for pane in begun)


def test_rooms_are_looked_up_some_at_a_turn_and_those_freed_meanwhile_are_not_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counting, owner = counter(both()), tenure()

    async def play() -> None:
        for hour in range(25):
            await _read(counting, owner, hour)

    asyncio.run(play())
    monkeypatch.setattr("stream.ingest.rooms.SEEN_AT_ONCE", 10)
    keys = list(owner.panes)
    turns = counting.rooms.compact(owner.panes.values())
    for key in (keys[3], keys[24]):  # one that was looked up, and one that is to be
        next(turns)
        counting.rooms.free(owner.panes.pop(key))
    before = {key: bits(counting.rooms.content(pane)) for key, pane in owner.panes.items()}
    assert len(list(turns)) == 1
    assert {key: bits(counting.rooms.content(pane)) for key, pane in owner.panes.items()} == before


def test_panes_leave_and_rooms_are_moved_some_at_a_turn_and_others_run_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.ingest.counter.LEAVE_AT_ONCE", 20)
    monkeypatch.setattr("stream.ingest.rooms.MOVED_AT_ONCE", 20)
    monkeypatch.setattr("stream.ingest.rooms.OVERHEAD", 0)
    scene = _Full(600)
    seen: list[tuple[int, int]] = []

    async def play() -> None:
        relief = asyncio.create_task(scene.checkpointer.relieve())
        while scene.moved() == 0 and not relief.done():
            seen.append((scene.counter.evicted, 0))
            await asyncio.sleep(0)
        counting = asyncio.create_task(scene.counter.drain())
        while not counting.done():
            seen.append((scene.counter.evicted, scene.moved()))
            await asyncio.sleep(0)
        assert scene.moved() == seen[-1][1]  # nothing is counted before all are moved
        await relief
        assert scene.moved() == seen[-1][1]

    asyncio.run(play())
    assert min(seen[-1]) > 200
    assert max(later[at] - before[at] for before, later in pairwise(seen) for at in (0, 1)) == 20
    assert scene.counter.rooms.used <= scene.counter.ceiling.low
    assert scene.kept() == scene.before


@pytest.mark.parametrize("dropped", [True, False])
def test_a_relief_that_is_cut_short_or_loses_a_tenure_on_its_way_leaves_the_rest_as_it_was(
    dropped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.ingest.rooms.MOVED_AT_ONCE", 20)
    monkeypatch.setattr("stream.ingest.rooms.OVERHEAD", 0)
    scene = _Full(600)
    other, arena = scene.tenures[1], scene.counter.rooms.small

    async def play() -> None:
        relief = asyncio.create_task(scene.checkpointer.relieve())
        while scene.moved() < 100 and not relief.done():
            await asyncio.sleep(0)
        if dropped:
            scene.ownership.drop(other)
        else:
            relief.cancel()
        await asyncio.wait([relief])
        assert relief.cancelled() is not dropped

    asyncio.run(play())
    assert bool(other.panes) is not dropped
    assert not dropped or arena._next[0] == sum(pane.room.shape[0] for pane in scene.open()) + sum(
        room.shape[0] for free in arena._free.values() for room in free
    )  # nothing is lost
    begun = scene.begun(400)
    assert scene.kept() == {key: held for key, held in scene.before.items() if key[0].live}
    assert not any(scene.counter.rooms.content(pane).cells.any() for pane in begun)
    assert arena.used == sum(arena.size_of(pane.room.shape) for pane in (*begun, *scene.open()))
    held = arena.nbytes
    for pane in begun:
        scene.counter.rooms.free(pane)
    scene.begun(400)
    assert arena.nbytes == held


def test_a_model_of_large_panes_is_counted_in_smaller_blocks() -> None:
    ceiling = Ceiling(64 << 20)
    assert [ceiling.rows(size, most=4_096) for size in (1_000, 13_000, 1 << 20, 1 << 30)] == [4_096, 645, 8, 1]
    wide = counter(both())
    wide.ceiling = Ceiling(1)
    asyncio.run(wide.switch(both()))
    owner, records = tenure(), [Stored(event(), at) for at in range(3)]
    asyncio.run(wide.add(run(records, owner), owner))
    assert (owner.read, owner.counted) == (1, 1)


async def _read(counting: Counter, owner: Tenure, hour: int, *, model: str = "trees") -> None:
    value = event(model=model, timestamp=NOON + hour * HOUR)
    records = [Stored(value, owner.read, NOON + hour * HOUR)]
    await counting.add(run(records, owner), owner)
    await counting.drain()


class _Full:
    """A checkpointer over two partitions of so many stored panes together, all different; more is held than the ceiling allows."""

    def __init__(self, panes: int) -> None:
        self.counter = counter(both())
        store = cast(PaneStore, None)
        claim = Claim("g", False, owner="w")
        self.ownership = Ownership(store, self.counter, claim=claim, survey=cast(Any, None), patience=Patience())
        self.checkpointer = Checkpointer(
            store, self.counter, self.ownership, settle=_none, followers=cast(Followers, None), patience=Patience()
        )
        self.tenures = [tenure(at, clock=NEVER) for at in range(2)]
        self.ownership.tenures = {one.tp: one for one in self.tenures}
        for at, pane in enumerate(self.begun(panes)):
            pane.arena.cells[pane.room.of_cells] = 1 + at % 200
            owner, key = self.tenures[at % 2], (pane.layout.hash, at * HOUR)
            owner.opened(key, pane)
            owner.touch(key, drain=at)
        for owner in self.tenures:
            owner.changed.clear()
        for owner in self.tenures:
            for key in [key for key in owner.panes if key[1] // HOUR % 7 == 0]:
                self.counter.rooms.free(owner.panes.pop(key))
        self.counter.ceiling = Ceiling(self.counter.rooms.used)
        self.rooms = {pane: pane.room for pane in self.open()}
        self.before = self.kept()

    def begun(self, count: int) -> list[OpenPane]:
        layout = self.counter.plans["predictions"].tables.layouts[0]
        return self.counter.rooms.begun([layout] * count, [at * HOUR for at in range(count)])

    def open(self) -> list[OpenPane]:
        return [pane for owner in self.tenures for pane in owner.panes.values()]

    def moved(self) -> int:
        """How many panes that are open have another room than at first."""
        return sum(pane.room != self.rooms[pane] for pane in self.open())

    def kept(self) -> dict[tuple[Tenure, PaneId], tuple[bytes, ...]]:
        """What is in the panes that never leave."""
        rooms = self.counter.rooms
        return {
            (owner, key): bits(rooms.content(pane))
            for owner in self.tenures
            for key, pane in owner.panes.items()
            if key[1] >= 320 * HOUR
        }


async def _none() -> None:
    """There are no letters."""
