"""Open panes: loaded before they are counted into, dropped when stored, never lost and never counted twice on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from schemas.config import InForce
from stream.ingest.counter import Counter
from stream.ingest.tenure import Tenure
from stream.state.packing import Partial
from stream.state.store import PaneKey
from tests.support.ingest import (
    HOUR,
    NEW,
    NOON,
    Shelf,
    Stored,
    applied,
    both,
    counter,
    event,
    monitor,
    partials,
    place,
    run,
    tenure,
)


async def add(counting: Counter, owner: Tenure, *values: bytes | None) -> None:
    """Add these as the next records of the partition."""
    records = [Stored(value, owner.read + at, NOON + HOUR) for at, value in enumerate(values)]
    await counting.add(run(records, owner), owner)


def store(counting: Counter, owner: Tenure, shelf: Shelf) -> None:
    """Put what changed on the shelf, as a checkpoint does."""
    for key in sorted(owner.changed):
        pane = owner.panes[key]
        stored = PaneKey(owner.stream, owner.partition, owner.incarnation, pane.layout, pane.start_ms)
        shelf.held[place(stored)] = counting.rooms.content(pane)
    owner.changed.clear()


def events(counting: Counter, owner: Tenure) -> dict[tuple[str, int], int]:
    return {key: int(partial.cells[1]) for key, partial in partials(counting, owner).items()}


def test_a_late_event_into_an_evicted_pane_loads_it_first() -> None:
    async def late() -> None:
        shelf, owner = Shelf(), tenure()
        counting = counter(both(), shelf=shelf)
        await add(counting, owner, event(), event(features={"temp": 5}))
        await counting.drain()
        store(counting, owner, shelf)
        counting.evict(owner, before_ms=NOON + HOUR)
        assert owner.panes == {}
        await add(counting, owner, event(features={"temp": 7}))
        await counting.drain()
        [partial] = partials(counting, owner).values()
        assert (partial.cells[1], partial.extrema.max(initial=0, where=partial.extrema < 1e9)) == (3, 7.0)
        assert [key.start_ms for key in shelf.asked] == [NOON, NOON]

    asyncio.run(late())


def test_redis_is_asked_only_for_panes_that_do_not_begin_after_the_clock() -> None:
    """A tenure that resumes at 12:00: the pane of noon may be stored, one of 13:00 cannot be, and is asked for once it can."""

    async def asked() -> None:
        shelf, owner = Shelf(), tenure(clock=NOON)
        counting = counter(both(), shelf=shelf)
        for hour in (1, 0):
            await add(counting, owner, event(timestamp=NOON + hour * HOUR))
            await counting.drain()
        assert [key.start_ms for key in shelf.asked] == [NOON]
        store(counting, owner, shelf)
        counting.evict(owner, before_ms=NOON + 2 * HOUR)
        await add(counting, owner, event(timestamp=NOON + HOUR))
        await counting.drain()
        assert [key.start_ms for key in shelf.asked] == [NOON, NOON + HOUR]
        assert events(counting, owner) == {("trees", NOON + HOUR): 2}

    asyncio.run(asked())


def test_a_pane_that_changed_since_it_was_stored_is_not_evicted() -> None:
    async def changed() -> None:
        owner, counting = tenure(), counter(both())
        await add(counting, owner, event())
        await counting.drain()
        counting.evict(owner, before_ms=NOON + 9 * HOUR)
        assert events(counting, owner) == {("trees", NOON): 1}

    asyncio.run(changed())


def test_a_pane_that_has_not_ended_is_not_evicted() -> None:
    async def ended() -> None:
        owner, counting, shelf = tenure(), counter(both()), Shelf()
        await add(counting, owner, event())
        await counting.drain()
        store(counting, owner, shelf)
        counting.evict(owner, before_ms=NOON + HOUR - 1)
        assert len(owner.panes) == 1

    asyncio.run(ended())


def test_rows_of_a_tenure_that_ended_while_panes_were_loaded_do_not_count() -> None:
    async def ended() -> None:
        shelf = _Slow()
        counting = counter(both(), shelf=shelf)
        gone, new, other = tenure(), tenure(), tenure(1)
        for owner in (gone, other):
            await add(counting, owner, event())
        draining = asyncio.create_task(counting.drain())
        await shelf.started.wait()
        counting.forget(gone)
        await add(counting, new, event())
        shelf.go.set()
        await draining
        await counting.drain()
        assert [events(counting, owner) for owner in (gone, new, other)] == [
            {},
            {("trees", NOON): 1},
            {("trees", NOON): 1},
        ]
        assert counting.events == 2

    asyncio.run(ended())


def test_rows_whose_drain_was_cancelled_are_counted_by_the_next_one() -> None:
    async def cancelled() -> None:
        shelf = _Slow()
        counting, owner, refused = counter(both(), shelf=shelf), tenure(), event(model="strangers")
        await add(counting, owner, event(), refused, event(strange=1))
        draining = asyncio.create_task(counting.drain())
        await shelf.started.wait()
        await add(counting, owner, event(strange=1, timestamp=NOON + HOUR), event())
        draining.cancel()
        with pytest.raises(asyncio.CancelledError):
            await draining
        assert owner.counted == 0
        shelf.go.set()
        await counting.drain()
        assert (owner.counted, events(counting, owner)) == (5, {("trees", NOON): 3, ("trees", NOON + HOUR): 1})
        assert {start: int(p.cells[4]) for (_, start), p in partials(counting, owner).items()} == {
            NOON: 1,
            NOON + HOUR: 1,
        }
        assert owner.rejected == {"unknown_model": 1}

    asyncio.run(cancelled())


def test_rows_decoded_under_the_old_plans_are_counted_under_them() -> None:
    """They hold the old plans' shape numbers: read by the new ones, trees would be counted as prices."""

    async def switched() -> None:
        shelf = _Slow()
        counting, first, second = counter(both(), shelf=shelf), tenure(), tenure(1)
        await add(counting, first, event(model="prices"))
        switching = asyncio.create_task(counting.switch(applied(trees=InForce(reference=NEW, monitor=monitor()))))
        await shelf.started.wait()
        await add(counting, second, event(model="prices", features={"temp": 12}))
        shelf.go.set()
        await switching
        await add(counting, second, event(), event(model="prices"))
        await counting.drain()
        assert events(counting, second) == {("prices", NOON): 1, ("trees", NOON): 1}
        assert second.rejected == {"unknown_model": 1}

    asyncio.run(switched())


def test_offsets_and_counts_change_together() -> None:
    async def together() -> None:
        shelf = _Slow()
        counting, owner = counter(both(), shelf=shelf), tenure(stored=40)
        await add(counting, owner, event(), None, b"{")
        assert (owner.read, owner.counted, counting.events) == (43, 40, 0)
        shelf.go.set()
        seen = await counting.settled(lambda: (owner.counted, counting.events, dict(owner.rejected)))
        assert seen == (43, 1, {"tombstone": 1, "not_json": 1})

    asyncio.run(together())


def test_a_features_event_counts_each_value_for_every_model_that_declares_it() -> None:
    async def upstream() -> None:
        owner = tenure(stream="features")
        counting = counter(both())
        value = b'{"feature":"temp","source":"w","timestamp":%d,"values":[3,null,"x",99]}' % NOON
        stranger = b'{"feature":"fog","source":"w","timestamp":%d,"values":[3]}' % (NOON + 1)
        await add(counting, owner, value, stranger)
        await counting.drain()
        assert events(counting, owner) == {("trees", NOON): 4, ("prices", NOON): 4}
        assert (owner.rejected, owner.clock) == ({"unknown_feature": 1}, NOON + 1)
        layout = counting.plans["features"].tables.layouts[0]
        trees = partials(counting, owner)[("trees", NOON)]
        starts = zip(layout.numeric, layout.numeric_starts, strict=True)
        counted = {column.name: int(trees.cells[first : first + column.bins + 5].sum()) for column, first in starts}
        assert counted == {"score": 0, "temp": 4, "wide": 0}

    asyncio.run(upstream())


class _Slow(Shelf):
    """A shelf that waits to be told before it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.started, self.go = asyncio.Event(), asyncio.Event()

    async def load(self, keys: Sequence[PaneKey]) -> list[Partial]:
        self.started.set()
        await self.go.wait()
        return await super().load(keys)


PANE = ("trees", NOON)


def test_counts_beyond_32_bits_are_carried_on() -> None:
    async def many() -> None:
        shelf, owner = Shelf(), tenure()
        counting = counter(both(), shelf=shelf)
        await add(counting, owner, event(), event(features={"temp": 5}))
        await counting.drain()
        store(counting, owner, shelf)
        (held,) = shelf.held
        shelf.held[held].cells[1] = 2**32 - 1
        counting.forget(owner)

        owner = tenure()
        await add(counting, owner, event(), event())
        await counting.drain()
        assert events(counting, owner) == {PANE: 2**32 + 1}
        (pane,) = owner.panes.values()
        pane.arena.cells[pane.room.cells + 1] = 2**31
        assert events(counting, owner) == {PANE: 2**32 - 1 + 2**31}  # and moves out of the room
        await add(counting, owner, event())
        await counting.drain()
        assert events(counting, owner) == {PANE: 2**32 + 2**31}

    asyncio.run(many())


def test_a_run_of_records_with_many_events_is_read_in_parts() -> None:
    """Each record may hold thousands of events; a whole run of them would not fit in memory."""

    async def many() -> tuple[list[int], dict[tuple[str, int], int], int]:
        owner, counting, reached = tenure(), counter(both(), shelf=Shelf()), []
        array = b"[" + b",".join([event()] * 15_000) + b"]"
        values = [array] * 5 + [event()]
        arrived = run([Stored(value, at, NOON + HOUR) for at, value in enumerate(values)], owner)
        while owner.read < len(values):
            await counting.add(arrived, owner)
            reached.append(owner.counted)
        await counting.drain()
        return reached, events(counting, owner), owner.counted

    assert asyncio.run(many()) == ([2, 4, 6], {PANE: 75_001}, 6)


def test_a_record_without_a_kafka_timestamp_is_not_from_the_future() -> None:
    """Old producers and some mirrors write -1; nothing can be later than an unknown time."""

    async def undated() -> dict[tuple[str, int], int]:
        owner, counting = tenure(), counter(both(), shelf=Shelf())
        await counting.add(run([Stored(event(), 0, timestamp=-1)], owner), owner)
        await counting.drain()
        return events(counting, owner)

    assert asyncio.run(undated()) == {PANE: 1}
