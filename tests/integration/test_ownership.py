"""What a partition's stored hash says from the moment it is taken, before anything of it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from faust.types import TP
from redis.asyncio import Redis

from schemas.names import Names
from stream.ingest.ownership import Claim, Ownership
from stream.state.epochs import Log
from stream.state.patience import Patience
from stream.state.store import PaneStore
from tests.support.ingest import both, counter


@pytest.mark.parametrize(("end", "idle"), [(100, b"1"), (101, b"0")])
def test_a_partition_that_was_quiet_is_not_once_there_is_something_unread(
    redis_url: str, environment_name: str, end: int, idle: bytes
) -> None:
    """Else all others would be closed without its events until the first of them is stored."""

    async def taken() -> bytes | str | None:
        redis, names = Redis.from_url(redis_url), Names(environment_name)
        try:
            key = names.offset("predictions", 3)
            await redis.hset(key, mapping={"next": 100, "clock": 5_000, "idle": 1, "group": "g"})

            async def survey(tps: set[TP]) -> Mapping[TP, Log]:
                return {tp: Log(0, end, "a", 100) for tp in tps}

            owner = Ownership(
                PaneStore(redis, names, keep_ms=1_000), counter(both()), claim=Claim("g", False, "here:1"),
                survey=survey, patience=Patience(),
            )  # fmt: skip
            place = TP(names.topic("predictions"), 3)
            assert await owner.take([place], placement=lambda tp: 0) == {place: 100}
            return await redis.hget(key, "idle")
        finally:
            await redis.aclose()

    assert asyncio.run(taken()) == idle
