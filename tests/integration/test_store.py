"""The store on a real Redis: one owner writes, whole or not at all, and every other hand is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from schemas.errors import ConfigError, StoreError
from schemas.names import Names
from schemas.settings import Settings
from stream.redis_client import worker_client
from stream.state.epochs import Epoch, Stored
from stream.state.layout import Layout, NumericColumn
from stream.state.packing import Partial, empty, pack
from stream.state.store import Checkpoint, PaneKey, PaneStore

HOUR = 3_600_000
NOON = 1_357_034_400_000
LAYOUT = Layout("trees", "predictions", HOUR, (NumericColumn("temp", "features.temp", (1.0, 2.0)),), ())
KEEP_MS = 86_400_000

Story = Callable[[PaneStore], Awaitable[None]]


@pytest.fixture
def told(redis_url: str, environment_name: str) -> Callable[[Story], None]:
    """Runs a story with a store in an environment of its own."""

    async def run(story: Story) -> None:
        async with opened(redis_url, environment_name) as store:
            await story(store)

    return lambda story: asyncio.run(run(story))


@asynccontextmanager
async def opened(url: str, environment: str) -> AsyncIterator[PaneStore]:
    redis = worker_client(Settings(redis=url), answers_within_s=5.0)
    try:
        yield PaneStore(redis, Names(environment), keep_ms=KEEP_MS)
    finally:
        await redis.aclose()


def pane(hours: int = 0, *, incarnation: int = 0) -> PaneKey:
    return PaneKey("predictions", 3, incarnation, LAYOUT, NOON + hours * HOUR)


def partial(events: int) -> Partial:
    made = empty(LAYOUT.cells, 1)
    made.cells[1] = events
    return made


def checkpoint(epoch: Epoch, start: int, end: int, **changed: Any) -> Checkpoint:
    panes = [(pane(), pack(partial(end)))]
    fields = {"fields": {"clock": 5_000 + end}, "rejected": {"rejected:not_json": 1}, "panes": panes}
    return Checkpoint("predictions", 3, epoch, start, end, **fields | changed)


async def take(store: PaneStore, *, group: str = "driftline", take_over: bool = False) -> tuple[Epoch, Stored]:
    return await store.take("predictions", 3, group=group, take_over=take_over, now_ms=1)


async def begin(store: PaneStore, offset: int = 0) -> Epoch:
    """Take the partition and place it, as an assignment does."""
    epoch, _ = await take(store)
    assert await store.resume("predictions", 3, epoch=epoch, fields={"next": offset, "topic_id": "a", "incarnation": 0})
    return epoch


async def content(store: PaneStore) -> dict[Any, dict[Any, Any]]:
    """Every key of the environment, whole."""
    keys = [key async for key in store.redis.scan_iter(match=store.names.key("*"), count=10_000)]
    return {key: await store.redis.hgetall(key) for key in keys}


def test_what_is_stored_is_there_for_the_next_owner(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch, stored = await take(store)
        assert (epoch.number, stored) == ("1", Stored(None, None, None, None, 0))
        await store.resume("predictions", 3, epoch=epoch, fields={"next": 40, "topic_id": "a", "incarnation": 2})
        assert await store.checkpoint([checkpoint(epoch, 40, 43)]) == ["stored"]
        again, stored = await take(store)
        assert (again.number, stored) == ("2", Stored(43, 5_043, None, "a", 2))
        assert again.token != epoch.token
        [loaded, never] = await store.load([pane(), pane(1)])
        assert (loaded.cells[1], never.cells.sum()) == (43, 0)

    told(story)


def test_the_same_checkpoint_sent_again_is_stored_once(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch = await begin(store)
        for _ in range(3):
            assert await store.checkpoint([checkpoint(epoch, 0, 5)]) == ["stored"]
        held = await store.redis.hgetall(store.names.offset("predictions", 3))
        assert (held[b"next"], held[b"rejected:not_json"]) == (b"5", b"1")

    told(story)


def test_a_checkpoint_is_one_question_to_redis(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch = await begin(store)
        await store.checkpoint([checkpoint(epoch, 0, 5)])
        before = await store.redis.info("commandstats")
        await store.checkpoint([checkpoint(epoch, 5, 9)])
        after = await store.redis.info("commandstats")
        calls = [f"cmdstat_{name}" for name in ("evalsha", "script", "script|exists")]
        assert [after.get(one, before) != before.get(one, before) for one in calls] == [True, False, False]

    told(story)


def test_rejections_add_up_over_checkpoints(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch = await begin(store)
        for start in (0, 5):
            await store.checkpoint([checkpoint(epoch, start, start + 5, rejected={"rejected:future": 4})])
        assert await store.redis.hget(store.names.offset("predictions", 3), "rejected:future") == b"8"

    told(story)


@pytest.mark.parametrize(
    "forged",
    [
        lambda old, new: old,
        lambda old, new: Epoch(new.number, old.token),
        lambda old, new: Epoch(old.number, new.token),
    ],
)
def test_a_zombie_changes_nothing(told: Callable[[Story], None], forged: Callable[[Epoch, Epoch], Epoch]) -> None:
    """Counter and token must both be the newest: after a fail-over an old counter can come again."""

    async def story(store: PaneStore) -> None:
        old = await begin(store)
        await store.checkpoint([checkpoint(old, 0, 5)])
        new, _ = await take(store)
        before = await content(store)
        zombie = forged(old, new)
        more = [(pane(hours), pack(partial(99))) for hours in range(40)]
        assert await store.checkpoint([checkpoint(zombie, 5, 9, panes=more)]) == ["fenced"]
        assert not await store.resume("predictions", 3, epoch=zombie, fields={"next": 0})
        assert await content(store) == before
        assert await store.checkpoint([checkpoint(new, 5, 9)]) == ["stored"]

    told(story)


def test_a_checkpoint_that_does_not_begin_where_the_last_ended_changes_nothing(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch = await begin(store)
        await store.checkpoint([checkpoint(epoch, 0, 5)])
        before = await content(store)
        assert await store.checkpoint([checkpoint(epoch, 3, 9)]) == ["elsewhere"]
        assert await store.checkpoint([checkpoint(epoch, 6, 9)]) == ["elsewhere"]
        assert await content(store) == before

    told(story)


def test_a_partition_that_was_never_placed_takes_no_checkpoint(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch, _ = await take(store)
        assert await store.checkpoint([checkpoint(epoch, 0, 5)]) == ["elsewhere"]

    told(story)


def test_an_emptied_redis_fences_whoever_wrote_to_it(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch = await begin(store)
        await store.redis.delete(store.names.offset("predictions", 3))
        assert await store.checkpoint([checkpoint(epoch, 0, 5)]) == ["fenced"]
        assert await content(store) == {}

    told(story)


def test_each_partition_of_a_round_is_judged_by_itself(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch = await begin(store)
        stranger = Checkpoint("labels", 0, Epoch("1", "x"), 0, 5, {}, {}, [])
        beyond = checkpoint(epoch, 77, 80)
        assert await store.checkpoint([stranger, checkpoint(epoch, 0, 5), beyond]) == ["fenced", "stored", "elsewhere"]

    told(story)


def test_another_group_is_refused_until_it_is_told_to_take_over(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch = await begin(store)
        before = await content(store)
        with pytest.raises(ConfigError, match="consumer group 'driftline', and this worker is in 'other'"):
            await take(store, group="other")
        assert await content(store) == before
        assert await store.checkpoint([checkpoint(epoch, 0, 5)]) == ["stored"]
        taken, stored = await take(store, group="other", take_over=True)
        assert (taken.number, stored.next_offset) == ("2", 5)
        with pytest.raises(ConfigError, match="consumer group 'other'"):
            await take(store)

    told(story)


def test_panes_expire_and_offsets_and_notes_do_not(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch = await begin(store)
        await store.checkpoint([checkpoint(epoch, 0, 5)])
        ttl = {key: await store.redis.pttl(key) for key in await content(store)}
        for lasting in (store.names.offset("predictions", 3), store.names.revised("predictions", 3)):
            assert ttl.pop(lasting.encode()) == -1
        assert ttl
        assert all(KEEP_MS - 60_000 < left <= KEEP_MS for left in ttl.values())

    told(story)


def test_a_later_checkpoint_gives_its_blocks_a_whole_life_again(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch = await begin(store)
        await store.checkpoint([checkpoint(epoch, 0, 5)])
        [block] = [key for key in await content(store) if b":panes:" in key]
        await store.redis.pexpire(block, 50_000)
        await store.checkpoint([checkpoint(epoch, 5, 6)])
        assert await store.redis.pttl(block) > 50_000

    told(story)


def test_panes_of_a_topic_created_anew_stand_beside_the_old_ones(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch = await begin(store)
        panes = [(pane(incarnation=0), pack(partial(3))), (pane(incarnation=1), pack(partial(8)))]
        await store.checkpoint([checkpoint(epoch, 0, 5, panes=panes)])
        found = await store.load([pane(incarnation=1), pane(incarnation=0), pane(incarnation=2)])
        assert [int(one.cells[1]) for one in found] == [8, 3, 0]

    told(story)


def test_five_thousand_panes_are_one_checkpoint(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch = await begin(store)
        panes = [(pane(hours), pack(partial(hours + 1))) for hours in range(5_000)]
        assert await store.checkpoint([checkpoint(epoch, 0, 5, panes=panes)]) == ["stored"]
        blocks = [fields for key, fields in (await content(store)).items() if b":panes:" in key]
        assert (sum(map(len, blocks)), max(map(len, blocks))) == (5_000, 24)
        found = await store.load([key for key, _ in reversed(panes)])
        assert [int(one.cells[1]) for one in found] == list(range(5_000, 0, -1))

    told(story)


def test_a_damaged_pane_is_refused_when_it_is_loaded(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch = await begin(store)
        await store.checkpoint([checkpoint(epoch, 0, 5, panes=[(pane(), b"\x01broken")])])
        with pytest.raises(StoreError, match="damaged"):
            await store.load([pane()])

    told(story)


def test_a_checkpoint_without_panes_stores_its_offset(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch = await begin(store)
        assert await store.checkpoint([checkpoint(epoch, 0, 5, panes=[], fields={}, rejected={})]) == ["stored"]
        assert (await take(store))[1].next_offset == 5

    told(story)


def test_scripts_are_loaded_again_into_a_redis_that_forgot_them(told: Callable[[Story], None]) -> None:
    async def story(store: PaneStore) -> None:
        epoch = await begin(store)
        await store.redis.script_flush()
        assert await store.checkpoint([checkpoint(epoch, 0, 5)]) == ["stored"]

    told(story)
