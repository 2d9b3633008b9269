"""A ceiling on the memory of open panes: whatever leaves and comes back, what is stored in the end is what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, cast

import pytest

from schemas.release import ReleaseMonitor
from stream.ingest.ceiling import Ceiling
from stream.ingest.checkpoint import Checkpointer, Followers
from stream.ingest.counter import Counter
from stream.ingest.newest import Newest
from stream.ingest.ownership import Claim, Ownership
from stream.ingest.tenure import Tenure
from stream.ingest.timing import NEVER
from stream.state.epochs import Epoch
from stream.state.packing import Partial, empty, unpack
from stream.state.patience import Patience
from stream.state.store import Checkpoint, Outcome, PaneKey, PaneStore
from tests.support.ingest import HOUR, NOON, Stored, bits, both, event, place, run, tenure

PLANS = both(release=ReleaseMonitor(champion="1", challenger="2"))
PARTITIONS, EVENTS = 2, 120
#: No pane may stay; two or three of them; all of them.
CEILINGS = (1, 12_000, 1 << 30)


@dataclass(eq=False)
class Ledger:
    """What Redis holds of two partitions, with the checks of its script; of some calls the answer is lost."""

    panes: dict[tuple[int, str, int], bytes] = field(default_factory=dict)
    next: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(PARTITIONS), 0))
    clock: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(PARTITIONS), NEVER))
    epochs: dict[int, Epoch] = field(default_factory=dict)
    loads: int = 0
    answers: bool = True

    async def load(self, keys: Sequence[PaneKey]) -> list[Partial]:
        await asyncio.sleep(0)
        self.loads += len(keys)
        held = [self.panes.get(place(key)) for key in keys]
        return [
            empty(key.layout.cells, len(key.layout.numeric)) if one is None else unpack(one, key.layout.cells)
            for key, one in zip(keys, held, strict=True)
        ]

    async def checkpoint(self, checkpoints: Sequence[Checkpoint]) -> list[Outcome]:
        found = [self._store(one) for one in checkpoints]
        await asyncio.sleep(0)
        if not self.answers:
            raise asyncio.CancelledError
        return found

    def take(self, partition: int) -> Tenure:
        number = int(self.epochs[partition].number) + 1 if partition in self.epochs else 1
        self.epochs[partition] = epoch = Epoch(str(number), "token")
        return replace(tenure(partition, stored=self.next[partition], clock=self.clock[partition]), epoch=epoch)

    def _store(self, one: Checkpoint) -> Outcome:
        if one.epoch != self.epochs[one.partition]:
            return "fenced"
        assert one.start == self.next[one.partition]
        self.panes.update({place(key): packed for key, packed in one.panes})
        self.next[one.partition] = one.next_offset
        self.clock[one.partition] = int(one.fields.get("clock", NEVER))
        return "stored"


class World:
    """A worker over a ledger that outlives it."""

    def __init__(self, ceiling: int, sent: Sequence[Sequence[Stored]]) -> None:
        self.ledger, self.sent, self.now = Ledger(), sent, 0.0
        self.ceiling, self.evicted = Ceiling(ceiling), 0
        self.begin()

    def begin(self) -> None:
        """A worker starts, and knows what is stored."""
        store = cast(PaneStore, self.ledger)
        self.counter = Counter(
            PLANS,
            load=self.ledger.load,
            refuse=_nothing,
            keep=_nothing,
            newest=Newest(),
            skew_ms=HOUR,
            ceiling=self.ceiling,
        )
        self.ownership = Ownership(
            store, self.counter, claim=Claim("g", False, owner="w"), survey=cast(Any, None), patience=Patience()
        )
        self.checkpointer = Checkpointer(
            store, self.counter, self.ownership, settle=_none, followers=_followers(), patience=Patience(),
            at_latest_s=3.0, clock=lambda: self.now,
        )  # fmt: skip
        self.retake()

    def retake(self) -> None:
        """An assignment: all partitions are taken anew."""
        for held in list(self.ownership.tenures.values()):
            self.ownership.drop(held)
        for partition in range(PARTITIONS):
            taken = self.ledger.take(partition)
            self.ownership.tenures[taken.tp] = taken

    async def read(self, partition: int, most: int) -> None:
        """What a worker does with a run."""
        [owner] = [one for one in self.ownership.tenures.values() if one.partition == partition]
        records = self.sent[partition][owner.read : owner.read + most]
        while records and owner.live and owner.read <= records[-1].offset:
            await self.counter.add(run(records, owner), owner)
            if self.counter.full:
                await self.checkpointer.relieve()

    async def lose_an_answer(self) -> None:
        """Redis does what it is asked, and the worker's task is cancelled before it hears of that."""
        self.ledger.answers = False
        with suppress(asyncio.CancelledError):
            await self.checkpointer.run_once()
        self.ledger.answers = True
        self.retake()

    async def live(self, chance: Random) -> None:
        """Read all there is, with everything that may come between."""
        while min(self.ledger.next[at] - len(self.sent[at]) for at in range(PARTITIONS)) < 0:
            self.now += 0.5
            match chance.choices(("read", "due", "all", "kill", "assign", "lost"), (60, 20, 4, 2, 2, 2))[0]:
                case "read":
                    await self.read(chance.randrange(PARTITIONS), chance.randrange(1, 30))
                case "due":
                    await self.checkpointer.run_due()
                case "all":
                    await self.checkpointer.run_once()
                case "kill":
                    self.evicted += self.counter.evicted
                    self.begin()
                case "assign":
                    self.retake()
                case "lost":
                    await self.lose_an_answer()
        self.evicted += self.counter.evicted

    def found(self) -> dict[tuple[int, str, int], tuple[bytes, ...]]:
        """What is stored, without how often it was revised."""
        layouts = {layout.hash: layout for layout in _layouts()}
        read = {at: unpack(packed, layouts[at[1]].cells) for at, packed in self.ledger.panes.items()}
        return {at: bits(one) for at, one in read.items()}


def sent(chance: Random) -> list[list[Stored]]:
    """Events of two models in rising hours, out of order by up to three, so that some meet panes that are closed."""
    return [[Stored(_event(chance, at), at, NOON + 20 * HOUR) for at in range(EVENTS)] for _ in range(PARTITIONS)]


def _event(chance: Random, at: int) -> bytes:
    hour = at * 8 / EVENTS - chance.choice((0, 0, 0, 0.2, 1, 3))
    return event(
        model=chance.choice(("trees", "prices")), timestamp=NOON + int(hour * HOUR), version=chance.choice("123"),
        id=f"{at}", features={"temp": chance.choice((1, 5, 50, None)), "carrier": chance.choice(("UA", "new", None))},
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
def test_the_same_is_stored_under_every_ceiling_through_kills_assignments_and_lost_answers(seed: int) -> None:
    records = sent(Random(seed))
    worlds = [World(ceiling, records) for ceiling in CEILINGS]
    straight = World(CEILINGS[-1], records)

    async def play() -> None:
        for partition in range(PARTITIONS):
            await straight.read(partition, EVENTS)
        await straight.checkpointer.run_once()
        for world in worlds:
            await world.live(Random(seed))

    asyncio.run(play())
    assert len(straight.found()) > 30
    for world in worlds:
        assert world.found() == straight.found()
    assert [world.evicted > 0 for world in worlds] == [True, True, False]
    assert worlds[0].ledger.loads > worlds[1].ledger.loads > worlds[2].ledger.loads


def _layouts() -> list[Any]:
    found = PLANS["predictions"]
    return [*found.tables.layouts, *(found.arms.found.layouts if found.arms else ())]


def _followers() -> Followers:
    return Followers(_nothing, _none, _none)


async def _none(*what: Any) -> None:
    """There are no letters, and no tenure is refused: the offsets would show it."""


def _nothing(*what: Any) -> None:
    """Nobody is told."""
