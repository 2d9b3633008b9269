"""What the script that stores conclusions writes of a release's decisions: whole, once, by the newest holder, or nothing at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import pytest
from redis.asyncio import Redis

from schemas import releases
from schemas.errors import StoreError
from schemas.findings import Progress
from schemas.names import Names
from schemas.releases import Decision, Reason
from stream.evaluate.storing.breath import Asking, Breath
from stream.evaluate.storing.commit import HISTORY, Commits, Conclusion
from stream.evaluate.storing.post import Post
from stream.state.patience import Patience

MARK = Progress(model="m", stream="release", at=9, seen=9)
Story = Callable[["Stored"], Awaitable[None]]


def decision(number: int) -> Decision:
    return Decision(
        model="m", release="rel-1", champion="3", challenger="4", number=number, at=number, decision="hold", share=0.05,
        reasons=(Reason("held", "why"),),
    )  # fmt: skip


def concluded(last: str, *numbers: int, **shown: str) -> Conclusion:
    """A mark, then these decisions."""
    made = Conclusion("m", "release", last, {"last": numbers[-1]})
    made.tell(MARK)
    for number in numbers:
        made.decide(decision(number), {"number": number, **shown})
    return made


class Stored:
    """What is there, as anybody reads it."""

    def __init__(self, redis: Redis, names: Names) -> None:
        self.redis, self.names = redis, names

    def commits(self) -> Commits:
        asking, post = Asking(Patience(), Breath()), Post(self.redis)
        return Commits(self.redis, self.names, keep_ms=1000, asking=asking, post=post)

    async def shown(self) -> dict[bytes, bytes]:
        return cast("dict[bytes, bytes]", await self.redis.hgetall(self.names.release("m")))

    async def decided(self) -> list[dict[bytes, bytes]]:
        found = cast("list[tuple[bytes, dict[bytes, bytes]]]", await self.redis.xrange(self.names.decisions("m")))
        return [fields for _, fields in found]

    async def sent(self) -> list[bytes]:
        found = cast("list[tuple[bytes, dict[bytes, bytes]]]", await self.redis.xrange(self.names.outbox("m")))
        return [fields[b"topic"] for _, fields in found]


@pytest.fixture
def stored(redis_url: str, environment_name: str) -> Callable[[Story], None]:
    async def run(story: Story) -> None:
        async with Redis.from_url(redis_url) as client:
            await story(Stored(client, Names(environment_name)))

    return lambda story: asyncio.run(run(story))


def test_the_newest_decision_is_shown_by_its_own_fields_and_all_are_kept(stored: Callable[[Story], None]) -> None:
    async def story(found: Stored) -> None:
        commits = found.commits()
        assert await commits.store(concluded("", 1, ordered="who"), token=1) == "stored"
        assert await commits.store(concluded("1", 2, 3), token=1) == "stored"
        document = releases.encode(decision(3))
        assert await found.shown() == {b"document": document, b"number": b"3"}
        assert [fields[b"end"] for fields in await found.decided()] == [b"1", b"2", b"3"]
        assert (await found.decided())[-1] == {b"end": b"3", b"late": b"0", b"document": document}
        assert await found.sent() == [b"findings", b"releases", b"findings", b"releases", b"releases"]

    stored(story)


def test_a_conclusion_that_is_stored_again_or_by_who_lost_the_lease_or_stood_elsewhere_writes_nothing(
    stored: Callable[[Story], None],
) -> None:
    async def story(found: Stored) -> None:
        assert await found.commits().store(concluded("", 1), token=2) == "stored"
        assert await found.commits().store(concluded("", 1), token=2) == "stored", "whose answer was lost"
        assert await found.commits().store(concluded("1", 2), token=1) == "fenced"
        assert await found.commits().store(concluded("7", 2), token=3) == "elsewhere"
        assert (len(await found.decided()), len(await found.sent())) == (1, 2)

    stored(story)


def test_of_many_decisions_about_five_hundred_are_kept(stored: Callable[[Story], None]) -> None:
    async def story(found: Stored) -> None:
        await found.commits().store(concluded("", *range(1, HISTORY + 201)), token=1)
        kept = await found.decided()
        assert HISTORY <= len(kept) < HISTORY + 100
        assert kept[-1][b"end"] == b"700"

    stored(story)


@pytest.mark.parametrize("damaged", ["decisions", "release"])
def test_a_key_of_another_kind_is_said_before_anything_is_written(
    stored: Callable[[Story], None], damaged: str
) -> None:
    async def story(found: Stored) -> None:
        key = getattr(found.names, damaged)("m")
        await found.redis.set(key, "a person wrote this")
        with pytest.raises(StoreError, match=f"{key} is no"):
            await found.commits().store(concluded("", 1), token=1)
        assert await found.sent() == []
        assert await found.redis.exists(found.names.evaluation("m", "release")) == 0

    stored(story)
