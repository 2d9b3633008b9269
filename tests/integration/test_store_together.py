"""Checkpoints that travel in one question: each has an outcome of its own, and a failure takes nothing from the others.

So do the panes of a checkpoint: each is stored in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from redis.exceptions import ResponseError

from stream.state.epochs import Epoch
from stream.state.packing import pack
from stream.state.store import PaneStore, note_of
from tests.integration.test_store import (
    HOUR,
    KEEP_MS,
    LAYOUT,
    NOON,
    Story,
    begin,
    checkpoint,
    pane,
    partial,
    take,
    told,
)

__all__ = ["told"]


def test_of_checkpoints_sent_together_each_has_an_outcome_of_its_own(told: Callable[[Story], None]) -> None:
    """One of an owner that is none any more stands among good ones, and Redis forgets the script meanwhile."""

    async def story(store: PaneStore) -> None:
        epoch, stale = await begin(store), Epoch("0", "nobody")
        await store.redis.script_flush()
        sent = [checkpoint(epoch, 0, 5), checkpoint(stale, 5, 7), checkpoint(epoch, 5, 9), checkpoint(epoch, 0, 4)]
        assert await store.checkpoint(sent) == ["stored", "fenced", "stored", "elsewhere"]
        assert (await take(store))[1].next_offset == 9

    told(story)


def test_of_checkpoints_sent_together_one_that_fails_takes_nothing_from_the_others(
    told: Callable[[Story], None],
) -> None:
    """All are asked again, and what was stored by then is not stored twice."""

    async def story(store: PaneStore) -> None:
        epoch, key = await begin(store), store.names.offset("predictions", 4)
        await store.redis.set(key, "no hash")
        sent = [checkpoint(epoch, 0, 5), replace(checkpoint(epoch, 0, 5), partition=4), checkpoint(epoch, 5, 9)]
        for _ in range(2):
            with pytest.raises(ResponseError, match="WRONGTYPE"):
                await store.checkpoint(sent)
        held = await store.redis.hmget(store.names.offset("predictions", 3), "next", "rejected:not_json")
        assert held == [b"9", b"2"]

    told(story)


def test_panes_of_several_blocks_are_stored_each_in_its_place(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch, places = await begin(store), [pane(hours, incarnation=n) for hours in (0, 30, 1, 60) for n in (0, 2)]
        panes = [(place, pack(partial(300 + at))) for at, place in enumerate(places)]
        assert await store.checkpoint([checkpoint(epoch, 0, 5, panes=panes)]) == ["stored"]
        assert [one.cells[1] for one in await store.load(places)] == list(range(300, 308))
        notes = await store.redis.hgetall(store.names.revised("predictions", 3))
        assert notes == {note_of("trees", LAYOUT.hash, place.field).encode(): b"1" for place in places}
        midnights = [NOON - 10 * HOUR + days * 24 * HOUR for days in range(3)]
        blocks = [store.names.panes("predictions", 3, model="trees", layout=LAYOUT.hash, block=at) for at in midnights]
        assert [await store.redis.hlen(block) for block in blocks] == [4, 2, 2]
        assert [0 < await store.redis.pttl(block) <= KEEP_MS for block in blocks] == [True] * 3

    told(story)
