"""What the stored configuration may do to a running worker: a generation that cannot be counted leaves the old one in force."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from schemas.config import Generation, InForce
from schemas.errors import StoreError
from schemas.monitored import FeatureMonitor
from schemas.reference import Reference
from stream.ingest.capped import MOST_FEATURES
from stream.ingest.counter import Counter
from stream.ingest.follow import Follower, follow_or_restore
from stream.state.generations import Stamp
from tests.support.ingest import OLD, both, counter, monitor, reference

GOOD = InForce(reference=OLD, monitor=monitor())
#: A name that no struct can have, as an older release may have stored it.
UNFIT = InForce(reference=OLD, monitor=monitor(features={'say "x"': FeatureMonitor(type="numeric")}))


class Stored:
    """What Redis holds: a generation that may be exchanged."""

    def __init__(self) -> None:
        self.generation: Generation | None = None
        self.references = {OLD: reference("trees")}
        self.read = 0

    def apply(self, number: int, force: InForce) -> None:
        self.generation = Generation(number=number, applied_ms=number, file_sha256="", models={"trees": force})

    async def newer(self, held: Stamp | None) -> tuple[Generation, Mapping[str, Reference]] | None:
        found = self.generation
        if found is None or held == (found.number, found.applied_ms):
            return None
        self.read += 1
        return found, self.references


def followed(*forces: InForce) -> tuple[Stored, Follower, Counter]:
    """A follower that has looked three times at each of these generations."""
    stored, counting = Stored(), counter({})
    follower = Follower(counting, stored.newer)

    async def follow() -> None:
        for number, force in enumerate(forces, start=1):
            stored.apply(number, force)
            for _ in range(3):
                await follower.refresh()

    asyncio.run(follow())
    return stored, follower, counting


def test_its_models_are_those_of_the_generation_that_is_followed() -> None:
    _, follower, _ = followed(GOOD, UNFIT)
    assert (follower.number, follower.models) == (1, ("trees",))
    assert followed()[1].models == ()


def counted(counting: Counter) -> list[str]:
    return list(counting.plans["predictions"].decoder.numbers)


def test_a_generation_that_cannot_be_counted_is_refused_and_the_old_one_stays(
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, follower, counting = followed(GOOD, UNFIT)
    assert (follower.number, follower.refused, counted(counting)) == (1, 3, ["trees"])
    said = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert len(said) == 1
    assert said[0].startswith("the configuration stays at generation 1: generation 2 cannot be counted: ")


def test_what_is_beyond_a_cap_counts_where_a_generation_has_more_of_it_than_the_one_before() -> None:
    """A worker that is started anew follows what was in force already: no alert of a new configuration."""
    many = {f"f{at}": FeatureMonitor(type="numeric") for at in range(MOST_FEATURES + 1)}
    carrier = monitor().features["carrier"]  # of its five names three are told apart: both are beyond that cap
    wide = InForce(reference=OLD, monitor=monitor(features={"carrier": carrier, **many}))
    assert followed(GOOD)[1].capped == {}
    assert followed(GOOD, wide)[1].capped == {"series": 2}
    assert followed(GOOD, wide, wide, GOOD, UNFIT, wide)[1].capped == {"series": 4}


def test_why_is_said_while_it_is_so() -> None:
    _, follower, _ = followed(GOOD, UNFIT)
    assert follower.refusing.startswith("the configuration stays at generation 1: generation 2 cannot be counted: ")
    assert followed(GOOD, UNFIT, GOOD)[1].refusing == ""


def test_names_are_learned_also_while_what_is_stored_cannot_be_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreadable(held: Stamp | None) -> None:
        raise StoreError("of tomorrow")

    learned: list[int] = []

    async def learn() -> None:
        learned.append(1)

    counting = counter(both())
    monkeypatch.setattr(counting, "learn", learn)
    asyncio.run(Follower(counting, unreadable).refresh())
    assert learned == [1]


def test_it_is_built_once_and_not_every_second() -> None:
    stored, _, _ = followed(GOOD, UNFIT)
    assert stored.read == 2


def test_whatever_is_wrong_with_it() -> None:
    _, follower, _ = followed(GOOD, InForce(reference="c" * 64, monitor=monitor()))
    assert (follower.number, follower.refused) == (1, 3)


def test_one_that_can_be_counted_is_followed_again() -> None:
    _, follower, counting = followed(GOOD, UNFIT, GOOD)
    assert (follower.number, follower.refused, counted(counting)) == (3, 3, ["trees"])


def test_a_first_one_that_cannot_be_counted_lets_nothing_be_counted() -> None:
    _, follower, _ = followed(UNFIT)
    assert (follower.number, follower.followed.is_set()) == (0, False)


def test_names_that_cannot_be_learned_end_nothing_and_are_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> Any:
        raise ValueError("no such name")

    counting = counter(both())
    follower = Follower(counting, Stored().newer)
    monkeypatch.setattr(counting, "learn", fail)
    for _ in range(3):
        asyncio.run(follower.refresh())
    assert [record.message for record in caplog.records] == ["undeclared names are not learned"]


@pytest.mark.parametrize(("held", "asked"), [(True, 0), (False, 1)], ids=["Redis holds it", "Redis is empty"])
def test_partitions_that_were_taken_wait_for_kafkas_copy_only_where_redis_holds_nothing(held: bool, asked: int) -> None:
    stored, asks = Stored(), list[int]()
    follower = Follower(counter({}), stored.newer)
    if held:
        stored.apply(1, GOOD)

    async def restore() -> None:
        asks.append(1)
        stored.apply(1, GOOD)

    asyncio.run(follow_or_restore(follower, restore))
    assert (len(asks), follower.number) == (asked, 1)
