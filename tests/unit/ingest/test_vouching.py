"""A worker vouches for its idle partitions again and again, each time up to when Kafka last said where they end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from faust.types import TP

from schemas.names import Names
from schemas.settings import Settings
from stream.ingest.pacing import Pacer
from stream.ingest.tenure import Tenure
from stream.state.epochs import Epoch
from stream.state.patience import Patience
from stream.state.store import Idle

PLACE = TP("predictions", 3)
EPOCH = Epoch("7", "token")
REDIS_MS = 1_000_000


class Partition:
    """One partition of a worker, its consumer and its store; Redis' clock stands still."""

    def __init__(self, *, read: int = 10, stored: int = 10) -> None:
        self.tenure = Tenure(PLACE, "predictions", EPOCH, 1, stored)
        self.tenure.read = read
        self.unread: int | None = 0
        self.heard_ms: int | None = int(time.time() * 1000)
        self.said: list[Idle] = []
        self.held: set[TP] = set()
        consumer = SimpleNamespace(log_end=lambda tp: 10, end_heard_ms=lambda tp: self.heard_ms)
        intake = SimpleNamespace(
            ownership=SimpleNamespace(tenures={PLACE: self.tenure}), consumer=consumer, unread=lambda of: self.unread,
            held=lambda why: self.held if why == "quota" else {PLACE},
        )  # fmt: skip
        settings = Settings(kafka="k:1", redis="redis://r", idle_after_s=0.000001)
        store = SimpleNamespace(redis=self, names=Names(), vouch=self.vouch)
        self.pacer = Pacer(cast(Any, store), cast(Any, intake), settings, patience=Patience())

    async def time(self) -> tuple[int, int]:
        return REDIS_MS // 1000, 0

    async def vouch(self, idle: Iterable[Idle]) -> None:
        self.said += idle

    def looked_at(self, times: int) -> list[Idle]:
        async def look() -> None:
            for _ in range(times):
                await self.pacer.run_once()
                await asyncio.sleep(0.001)

        asyncio.run(look())
        return self.said


def test_it_says_so_at_each_look_and_not_at_the_first_which_begins_the_quiet_time() -> None:
    said = Partition().looked_at(4)
    assert [(one.stream, one.partition, one.epoch) for one in said] == [("predictions", 3, EPOCH)] * 3


def test_it_vouches_up_to_the_fetch_that_last_told_the_end() -> None:
    partition = Partition()
    partition.heard_ms = int(time.time() * 1000) - 5_000
    (at_ms,) = {one.at_ms for one in partition.looked_at(2)}
    assert REDIS_MS - 7_000 < at_ms <= REDIS_MS - 5_000


@pytest.mark.parametrize("heard_ms", [None, 32_503_680_000_000])
def test_where_no_fetch_told_the_end_or_the_clock_was_set_back_nothing_is_vouched_for(heard_ms: int | None) -> None:
    partition = Partition()
    partition.heard_ms = heard_ms
    assert partition.looked_at(3) == []


def test_what_is_unread_or_not_stored_is_not_idle() -> None:
    behind = Partition(read=10, stored=9)
    assert behind.looked_at(3) == []
    returned = Partition()
    returned.unread = 1
    assert returned.looked_at(3) == []


def test_what_is_held_for_its_quota_is_behind_and_not_idle_until_it_is_let_go() -> None:
    """It is not fetched, so the moment that it would vouch up to stands still, and the clocks of all others with it."""
    partition = Partition()
    partition.held = {PLACE}
    assert partition.looked_at(3) == []
    partition.held = set()
    assert len(partition.looked_at(1)) == 1
