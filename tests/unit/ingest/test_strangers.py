"""Undeclared names are counted from the first event on, and do not keep a model's events from the fast path for long."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from stream.ingest.counter import Counter
from stream.ingest.strangers import MOST_NAMES, Strangers
from stream.ingest.tenure import Tenure
from stream.state.layout import UNKNOWN_FEATURES, UNKNOWN_KEYS
from tests.support.ingest import HOUR, NOON, Shelf, Stored, both, counter, event, partials, run, tenure

STRANGE = event(features={"temp": 5, "wind": 3, "<!channel>\n": 1}, shard=7)
KNOWN = event(features={"temp": 5, "wind": [1, {"deep": None}]}, shard={"a": 1})


async def add(counting: Counter, owner: Tenure, *values: bytes) -> None:
    records = [Stored(value, owner.read + at, NOON + HOUR) for at, value in enumerate(values)]
    await counting.add(run(records, owner), owner)
    await counting.drain()


def fast(counting: Counter, value: bytes) -> Any:
    return counting.plans["predictions"].decoder.fast(value)


def unknown(counting: Counter, owner: Tenure) -> list[tuple[int, int]]:
    """Undeclared features and keys counted, by pane."""
    return [
        (int(partial.cells[UNKNOWN_FEATURES]), int(partial.cells[UNKNOWN_KEYS]))
        for partial in partials(counting, owner).values()
    ]


def test_names_once_met_are_skipped_and_counted_by_the_fast_path() -> None:
    async def meet() -> None:
        owner, counting = tenure(), counter(both(), shelf=Shelf())
        await add(counting, owner, STRANGE)
        with pytest.raises(msgspec.ValidationError):
            fast(counting, KNOWN)
        assert await counting.learn()
        assert fast(counting, KNOWN).shape_number == 0
        await add(counting, owner, KNOWN, event(features={"temp": 5}))
        assert unknown(counting, owner) == [(3, 2)]

    asyncio.run(meet())


def test_a_name_that_cannot_be_printed_is_never_learned_and_always_counted() -> None:
    async def meet() -> None:
        owner, counting = tenure(), counter(both(), shelf=Shelf())
        await add(counting, owner, STRANGE)
        await counting.learn()
        with pytest.raises(msgspec.ValidationError):
            fast(counting, STRANGE)
        await add(counting, owner, STRANGE)
        assert unknown(counting, owner) == [(4, 2)]

    asyncio.run(meet())


@pytest.mark.parametrize("name", ['say "x"', "back\\slash"])
def test_a_name_that_json_escapes_is_never_learned_and_ends_nothing(name: str) -> None:
    async def meet() -> None:
        owner, counting = tenure(), counter(both(), shelf=Shelf())
        odd = event(features={"temp": 5, name: 1}, **{name: 1})
        await add(counting, owner, odd)
        assert not await counting.learn()
        await add(counting, owner, odd)
        assert unknown(counting, owner) == [(2, 2)]

    asyncio.run(meet())


def test_names_are_bounded_however_many_a_producer_invents() -> None:
    async def meet() -> None:
        owner, counting = tenure(), counter(both(), shelf=Shelf())
        for first in range(0, 3 * MOST_NAMES, 8):
            await add(counting, owner, *(event(**{f"key{first + number}": 1}) for number in range(8)))
            await counting.learn()
        assert len(counting.plans["predictions"].decoder.shapes[0].strange.keys) == MOST_NAMES
        assert unknown(counting, owner) == [(0, 3 * MOST_NAMES)]

    asyncio.run(meet())


def test_nothing_new_builds_nothing() -> None:
    counting = counter(both(), shelf=Shelf())
    assert not asyncio.run(counting.learn())


def test_of_many_models_only_those_that_brought_a_name_are_looked_at() -> None:
    """It is asked each second while nothing else is done: of ten thousand models that took a fifth of the loop's time."""
    [shape, *_] = counter(both()).plans["predictions"].decoder.shapes
    never: Any = object()
    strangers = Strangers()
    assert strangers.taught((never, shape, never)) is None
    strangers.note(1, shape, features=["wind"], keys=[])
    found = strangers.taught((never, shape, never))
    assert found is not None
    assert (found[0], found[1].strange.features, found[2]) == (never, ("wind",), never)
