"""Panes leave memory: which, in what portions, what is remembered of them, and what becomes of their room."""

from __future__ import annotations

import asyncio

import pytest

from stream.ingest.ceiling import Ceiling, least_recent
from stream.ingest.counter import Counter
from stream.ingest.tenure import Tenure
from stream.ingest.timing import NEVER
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
    counting.rooms.compact(reversed(owner.panes.values()))
    assert counting.rooms.nbytes < held / 3
    assert {key: bits(counting.rooms.content(pane)) for key, pane in owner.panes.items()} == before
    begun = counting.rooms.begun([pane.layout for pane in owner.panes.values()], [0] * len(owner.panes))
    assert not any(counting.rooms.content(pane).cells.any() for pane in begun)


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
