"""Placing an assignment: at once where the answers come, beside Faust where they take long, and never for one that is over."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

import pytest
from faust.types import TP

from stream.placing import Placing

ZERO, ONE = TP("predictions", 0), TP("predictions", 1)


class Reader:
    """A consumer's stand-in, and what Redis says once it answers."""

    def __init__(self) -> None:
        self.assigned, self.held = {ZERO, ONE}, set[TP]()
        self.at: dict[TP, int | None] = {}
        self.paused: set[TP] = set()
        self.numbers: Counter[TP] = Counter()
        self.answers, self.asked = asyncio.Event(), 0
        self.placing = Placing(self, self.take)

    def assignment(self) -> set[TP]:
        return set(self.assigned)

    def displace(self, tp: TP) -> None:
        self.numbers[tp] += 1
        self.at[tp] = None

    async def place(self, tp: TP, offset: int) -> None:
        assert tp in self.assigned, "Kafka refuses a seek of what is not assigned"
        self.displace(tp)
        self.at[tp] = offset

    def placement(self, tp: TP) -> int:
        return self.numbers[tp]

    def pause_partitions(self, tps: set[TP]) -> None:
        self.paused |= tps

    def resume_partitions(self, tps: set[TP]) -> None:
        self.paused -= tps

    async def take(self, tps: set[TP]) -> Mapping[TP, int]:
        self.asked += 1
        number = self.asked
        await self.answers.wait()
        return {tp: 100 * number + tp.partition for tp in tps}


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_where_redis_answers_all_is_placed_when_it_returns() -> None:
    async def play() -> None:
        reader = Reader()
        reader.answers.set()
        reader.held = {ONE, TP("labels", 7)}
        await reader.placing.begin(within_s=5)
        assert (reader.at, reader.held, reader.paused) == ({ZERO: 100, ONE: 101}, {ONE}, {ONE})
        assert not reader.placing.is_under_way

    asyncio.run(play())


def test_where_it_takes_long_nobody_is_kept_waiting_and_nothing_is_read_before_it_is_placed() -> None:
    async def play() -> None:
        reader = Reader()
        await reader.placing.begin(within_s=0.001)
        assert (reader.at, reader.paused) == ({ZERO: None, ONE: None}, {ZERO, ONE})
        assert reader.placing.is_under_way
        reader.answers.set()
        await settled()
        assert (reader.at, reader.paused, reader.placing.is_under_way) == ({ZERO: 100, ONE: 101}, set(), False)

    asyncio.run(play())


def test_what_was_asked_for_an_assignment_that_is_over_places_nothing() -> None:
    async def play() -> None:
        reader = Reader()
        await reader.placing.begin(within_s=0.001)
        reader.assigned = {ONE}
        await reader.placing.begin(within_s=0.001)
        reader.answers.set()
        await settled()
        assert (reader.at[ZERO], reader.at[ONE], reader.asked) == (None, 201, 2)
        assert ONE not in reader.paused

    asyncio.run(play())


def test_a_partition_that_was_revoked_or_placed_meanwhile_is_left_alone() -> None:
    async def play() -> None:
        reader = Reader()
        await reader.placing.begin(within_s=0.001)
        reader.assigned = {ONE}  # and the next assignment has not come yet
        await reader.place(ONE, 7)
        reader.answers.set()
        await settled()
        assert reader.at == {ZERO: None, ONE: 7}

    asyncio.run(play())


def test_another_assignment_ends_the_one_under_way() -> None:
    """Faust cancels the seek that it waits for."""

    async def play() -> None:
        reader = Reader()
        begun = asyncio.create_task(reader.placing.begin(within_s=5))
        await settled()
        begun.cancel()
        with pytest.raises(asyncio.CancelledError):
            await begun
        reader.answers.set()
        await settled()
        assert (reader.at, reader.placing.is_under_way) == ({ZERO: None, ONE: None}, False)

    asyncio.run(play())


def test_what_cannot_be_placed_is_said_whether_anybody_waits_for_it_or_not(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        reader = Reader()

        async def refused(tp: TP, offset: int) -> None:
            raise RuntimeError("refused")

        reader.place = refused  # type: ignore[method-assign]
        await reader.placing.begin(within_s=0.001)
        reader.answers.set()
        await settled()
        assert "partitions are left to the next assignment: RuntimeError('refused')" in caplog.text
        with pytest.raises(RuntimeError, match="refused"):
            await reader.placing.begin(within_s=5)

    asyncio.run(play())
