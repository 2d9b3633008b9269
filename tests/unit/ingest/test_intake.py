"""What the intake makes of runs and of news about its topics."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from stream import asking
from stream.ingest.buffer import Rejection
from stream.ingest.checkpoint import Checkpointer
from stream.ingest.intake import Intake
from stream.ingest.ownership import Claim, Ownership
from stream.ingest.tenure import Tenure
from stream.state.patience import Patience
from stream.transport import RunConsumer
from tests.support.ingest import Stored, both, counter, event, run, tenure


def intake(*, configured: bool = True) -> Intake:
    """An intake that holds partition 0 of a topic whose id is ``a``."""
    counts, patience, ready = counter(both()), Patience(), asyncio.Event()
    if configured:
        ready.set()
    claim, nothing = Claim("driftline", False, "here:1"), cast(Any, None)
    ownership = Ownership(nothing, counts, claim=claim, survey=nothing, patience=patience)
    made = Intake(counts, ownership, patience=patience, configured=ready)
    made.consumer, made.checkpointer = cast(RunConsumer, object()), cast(Checkpointer, object())
    held = tenure()
    held.topic_id = "a"
    ownership.tenures[held.tp] = held
    return made


@pytest.mark.parametrize(
    ("ids", "asked"), [({"predictions": "a"}, 0), ({"predictions": None}, 0), ({}, 0), ({"predictions": "b"}, 1)]
)
def test_a_topic_of_another_id_is_taken_anew(
    monkeypatch: pytest.MonkeyPatch, ids: Mapping[str, str | None], asked: int
) -> None:
    rejoined: list[object] = []

    async def rejoin(consumer: object) -> None:
        rejoined.append(consumer)

    monkeypatch.setattr(asking, "rejoin", rejoin)
    asyncio.run(intake().check_topics(ids))
    assert len(rejoined) == asked


async def read_after(made: Intake, *, placement: int = 1) -> int:
    """How far partition 0 is read after a run of two records, or after a moment of waiting with it."""
    [held] = made.ownership.tenures.values()
    arrived = run([Stored(event()), Stored(event(), offset=1)], held)
    held.placement = placement
    task = asyncio.create_task(made.receive(arrived))
    await asyncio.wait({task}, timeout=0.05)
    if task.done():
        await task
    task.cancel()
    return held.read


def test_a_run_is_read_under_its_own_placement_only() -> None:
    async def scene() -> tuple[int, int]:
        return await read_after(intake()), await read_after(intake(), placement=2)

    assert asyncio.run(scene()) == (2, 0)


def test_runs_wait_for_the_first_configuration_and_for_redis() -> None:
    async def scene() -> tuple[int, int]:
        silent = intake()
        silent.patience.answers.clear()
        return await read_after(intake(configured=False)), await read_after(silent)

    assert asyncio.run(scene()) == (0, 0)


@dataclass(eq=False)
class Stores:
    """A checkpointer's stand-in: what it stores is waited for by nobody any more."""

    made: Intake
    times: int = 0

    async def run_for(self, tenure: Tenure) -> None:
        self.times += 1
        self.made.letters = None


@pytest.mark.parametrize(("crowded", "stored"), [(True, 1), (False, 0)])
def test_where_many_letters_wait_a_run_is_stored_before_the_next_is_taken(crowded: bool, stored: int) -> None:
    made = intake()
    stores = Stores(made)
    made.checkpointer, made.letters = cast(Checkpointer, stores), cast(Any, SimpleNamespace(crowded=crowded))
    assert asyncio.run(read_after(made)) == 2
    assert stores.times == stored


def test_records_that_are_all_refused_are_counted_block_by_block_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each holds its record of up to a megabyte, and has no row."""
    monkeypatch.setattr("stream.ingest.counter.BLOCK_ROWS", 10)
    refused: list[Rejection] = []
    seen: list[int] = []

    async def scene() -> None:
        counts, held = counter(both(), refused=refused), tenure()
        for first in range(0, 25, 5):
            records = [Stored(b"not JSON", first + at) for at in range(5)]
            await counts.add(run(records, held), held)
            seen.append(len(refused))

    asyncio.run(scene())
    assert seen == [0, 10, 10, 20, 20]
