"""Delivery of runs: what is placed elsewhere meanwhile is read from there, and what is held is read by somebody.

The consumer is made without Faust around it; only what these decisions touch is there.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from faust.types import TP

from schemas.names import Names
from stream import asking
from stream.ingest.intake import Intake
from stream.records import Records
from tests.support.consumer import bare_consumer
from tests.support.ingest import Stored, tenure

ZERO, ONE = TP("predictions", 0), TP("predictions", 1)


def found(first: int, end: int) -> Records:
    return Records.of([Stored(b"{}", offset) for offset in range(first, end)])


def test_a_run_that_waited_for_the_queue_does_not_undo_a_rewind() -> None:
    """Else everything between is taken for read: the agent's queue is full just when Redis has been away."""

    async def rewind() -> int | None:
        queue = asyncio.Event()
        consumer = bare_consumer(queue=queue)
        await consumer.place(ZERO, 1_000)
        waits = asyncio.create_task(consumer._deliver(ZERO, found(1_000, 3_000)))
        await asyncio.sleep(0)
        await consumer.place(ZERO, 400)
        queue.set()
        await waits
        return cast("int | None", consumer.read_offset(ZERO))

    assert asyncio.run(rewind()) == 400


def test_a_partition_that_was_taken_and_never_placed_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faust cuts a seek that takes too long, perhaps between two partitions."""
    asked: list[object] = []

    async def rejoin(consumer: object) -> None:
        asked.append(consumer)

    async def reclaimed() -> int:
        consumer = bare_consumer(queue=asyncio.Event())
        consumer.assignment = lambda: {ZERO, ONE}
        await consumer.place(ZERO, 0)
        ownership: Any = SimpleNamespace(tenures={ZERO: tenure(0), ONE: tenure(1)}, names=Names())
        nothing = cast(Any, None)
        intake = Intake(nothing, ownership, patience=nothing, configured=nothing)
        intake.consumer, intake.assigned = consumer, True
        consumer._seeking = 1  # Redis is slow: who asked now would only begin anew
        await intake.reclaim()
        await intake.reclaim()
        consumer._seeking = 0
        await intake.reclaim()
        first = len(asked)
        await intake.reclaim()
        return first

    monkeypatch.setattr(asking, "rejoin", rejoin)
    assert asyncio.run(reclaimed()) == 0
    assert len(asked) == 1


def test_a_tenure_of_a_partition_that_went_elsewhere_ends() -> None:
    async def left() -> list[TP]:
        dropped: list[TP] = []
        consumer = bare_consumer(queue=asyncio.Event())
        consumer.assignment = lambda: {ZERO}
        await consumer.place(ZERO, 0)
        ownership: Any = SimpleNamespace(
            tenures={ZERO: tenure(0), ONE: tenure(1)}, drop=lambda tenure: dropped.append(tenure.tp), names=Names()
        )
        nothing = cast(Any, None)
        intake = Intake(nothing, ownership, patience=nothing, configured=nothing)
        intake.consumer, intake.assigned = consumer, True
        await intake.reclaim()
        return dropped

    assert asyncio.run(left()) == [ONE]


@pytest.mark.parametrize(("ends", "cancelled"), [(True, False), (False, True)])
def test_a_worker_that_ends_in_the_middle_of_a_rebalance_does_not_crash_of_it(ends: bool, cancelled: bool) -> None:
    """Faust takes a fetcher that is cancelled while partitions move for one to start anew, and crashes it: exit code 1."""
    consumer = bare_consumer(queue=asyncio.Event())
    consumer._stopped = asyncio.Event()
    consumer.transport = SimpleNamespace(app=SimpleNamespace(should_stop=ends))

    async def for_ever(_: float) -> Any:
        await asyncio.Event().wait()

    async def cancel() -> bool:
        consumer._wait_next_records = for_ever
        drains = asyncio.create_task(consumer._drain_messages(SimpleNamespace(_stopped=asyncio.Event())))
        await asyncio.sleep(0)
        drains.cancel()
        await asyncio.wait([drains])
        return drains.cancelled()

    assert asyncio.run(cancel()) == cancelled


def test_an_assignment_is_under_way_until_the_last_of_its_seeks_ends() -> None:
    """One that another assignment cut short may end after that one has begun."""

    async def play() -> list[bool]:
        consumer, answers, seen = bare_consumer(queue=asyncio.Event()), asyncio.Event(), list[bool]()

        async def seek(assigned: object) -> None:
            await answers.wait()

        consumer._place_all, consumer.assignment = seek, set
        first = asyncio.create_task(consumer.perform_seek())
        await asyncio.sleep(0)
        second = asyncio.create_task(consumer.perform_seek())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait({first})
        seen.append(consumer.is_placing)
        answers.set()
        await second
        return [*seen, consumer.is_placing]

    assert asyncio.run(play()) == [True, False]
