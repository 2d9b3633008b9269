"""Evaluation and a Redis that falls back to a replica: what was read of the one is not forgotten at the other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis

from schemas.names import Names
from stream.evaluate.storing.breath import Asking, Breath
from stream.evaluate.storing.notes import Note, Notes
from stream.state.patience import Patience
from tests.support.chaos_services import Replicated

NAMES = Names("failover")
KEY = NAMES.revised("predictions", 0)


@pytest.mark.long
def test_a_note_outlives_the_fail_over_to_a_replica_that_may_not_know_what_became_of_it(tmp_path: Path) -> None:
    with Replicated.running(tmp_path) as redis:
        assert asyncio.run(_forgotten_across(redis)) == (True, False)
        with redis.replica.client() as client:
            assert client.hgetall(KEY) == {b"m\x1fl\x1f60": b"1"}


async def _forgotten_across(redis: Replicated) -> tuple[bool, bool]:
    """Whether notes were forgotten: at the Redis they were read from, and at its replica."""
    note = Note(0, "m", "l", "60", "1")
    async with Redis.from_url(redis.url) as client:
        notes = Notes(client, NAMES, asking=Asking(Patience(), Breath()))
        await client.hset(KEY, note.field, note.count)
        assert await notes.read("predictions", [0]) == {"m": [note]}
        at_home = await notes.forget("predictions", [note])
        await client.hset(KEY, note.field, note.count)
        assert await notes.read("predictions", [0]) == {"m": [note]}
        await client.wait(1, 5_000)
        await asyncio.to_thread(redis.fail_over)
        return at_home, await notes.forget("predictions", [note])
