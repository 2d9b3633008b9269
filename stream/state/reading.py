"""Reads stored panes of a range back, summed over partitions: what ``driftline counts`` shows.

Block keys follow from the range, the layout and the known partitions, so nothing is searched for.  Panes of one layout are
summed; those of another are only said to be there.  What a worker has counted and not yet stored is not seen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, cast

import numpy as np
from redis.asyncio import Redis

from schemas.config import Generation, InForce
from schemas.errors import ConfigError, Problem
from schemas.names import Names, Stream
from schemas.timestamps import rfc3339
from stream.state.arms import is_of_arms
from stream.state.columns import layouts_of
from stream.state.generations import read, read_reference
from stream.state.layout import EVENTS, Layout
from stream.state.packing import Partial, empty, unpack
from stream.state.progress import greatest_clock, known_partitions, read_progress
from stream.state.store import PANES_A_BLOCK
from stream.state.summary import Summary, arms_summary, summary_of

#: Blocks that are asked for in one round trip.
BLOCKS_AT_ONCE = 100
#: A longer range is a slip (seconds for milliseconds, a minute's panes over a century) and would take minutes to say so.
MOST_BLOCKS = 200_000


async def read_counts(
    redis: Redis,
    names: Names,
    *,
    model: str,
    stream: Stream = "predictions",
    from_ms: int,
    to_ms: int,
    layout_hash: str | None = None,
) -> Summary:
    """The stored counts of all panes that begin in ``[from_ms, to_ms)``, epoch ms, summed.

    The layout is ``layout_hash``, or the one in force at the end of the range.  Panes in other layouts (of another reference
    or pane length) are never added: ``other_layouts`` names each that holds any, with its events.  ``arms`` is what releases
    counted by version, one entry for each, where there was one.

    :raises ConfigError: the model is not in force, the layout is unknown, or the range is empty or too long.
    :raises StoreError: what is stored cannot be read.
    """
    layout = (
        await stored_layout(redis, names, model=model, stream=stream, layout_hash=layout_hash)
        if layout_hash
        else await layout_in_force(redis, names, model=model, stream=stream, at_ms=to_ms - 1)
    )
    partitions = await known_partitions(redis, names, stream)
    total, starts = _zero(layout), set()
    async for start, partial in stored_partials(redis, names, layout, partitions=partitions, span=(from_ms, to_ms)):
        total += partial
        starts.add(start)
    others, arms = await _beside(redis, names, layout, partitions=partitions, span=(from_ms, to_ms))
    head = {"model": model, "stream": stream, "layout": layout.hash, "from": from_ms, "to": to_ms, "panes": len(starts)}
    by_version = {"arms": arms} if arms else {}
    return head | summary_of(layout, total) | by_version | {"other_layouts": others}


async def layout_in_force(redis: Redis, names: Names, *, model: str, stream: Stream, at_ms: int) -> Layout:
    """The layout in which panes of about ``at_ms`` are counted; a switch that no event has reached is not in force yet.

    :raises ConfigError: the model is not in force.
    :raises StoreError: its reference is missing or damaged.
    """
    force = _of_model(await read(redis, names), model)
    clock_ms = greatest_clock(await read_progress(redis, names))
    reached = at_ms if clock_ms is None else min(at_ms, clock_ms)
    digest, monitor = force.reference, force.monitor
    if force.previous is not None and force.from_ms is not None and reached < force.from_ms:
        digest, monitor = force.previous
    return layouts_of(model, monitor, await read_reference(redis, names, digest), digest=digest)[stream]


async def stored_layout(redis: Redis, names: Names, *, model: str, stream: Stream, layout_hash: str) -> Layout:
    """A layout that is or once was in force.

    :raises ConfigError: none of this model and stream has that hash.
    """
    stored = await redis.hget(names.layouts(model), f"{stream}:{layout_hash}")
    if stored is None:
        raise _wrong("layout", f"{layout_hash!r} is no layout of the {stream} of {model!r}")
    return Layout.from_json(cast(bytes, stored))


async def stored_partials(
    redis: Redis, names: Names, layout: Layout, *, partitions: Sequence[int], span: tuple[int, int]
) -> AsyncIterator[tuple[int, Partial]]:
    """(start of the pane, partial) of everything stored in a layout whose pane begins in the span; repeats starts."""
    keys = _block_keys(names, layout, partitions, span=span)
    while chunk := list(islice(keys, BLOCKS_AT_ONCE)):
        pipe = redis.pipeline(transaction=False)
        for key in chunk:
            pipe.hgetall(key)
        for block in await pipe.execute():
            for start, packed in _panes_of(block, span=span):
                yield start, unpack(packed, layout.cells)


def _block_keys(names: Names, layout: Layout, partitions: Sequence[int], *, span: tuple[int, int]) -> Iterator[str]:
    length = PANES_A_BLOCK * layout.pane_ms
    blocks = range(span[0] - span[0] % length, span[1], length)
    _check_range(span, blocks=len(blocks) * len(partitions), pane_ms=layout.pane_ms)
    return (
        names.panes(layout.stream, partition, model=layout.model, layout=layout.hash, block=block)
        for block in blocks
        for partition in partitions
    )


def _check_range(span: tuple[int, int], *, blocks: int, pane_ms: int) -> None:
    if span[0] >= span[1]:
        raise _wrong("range", f"is empty: it ends ({rfc3339(span[1])}) before it begins ({rfc3339(span[0])})")
    if blocks > MOST_BLOCKS:
        raise _wrong("range", f"is too long for panes of {pane_ms} ms: ask for parts of it, a year at a time")


def _panes_of(block: Mapping[bytes, bytes], *, span: tuple[int, int]) -> Iterable[tuple[int, bytes]]:
    """Start and bytes of each pane of a block, of every incarnation of its topic (``<start>.<incarnation>``)."""
    for field, packed in block.items():
        start = int(field.partition(b".")[0])
        if span[0] <= start < span[1]:
            yield start, packed


async def _beside(
    redis: Redis, names: Names, layout: Layout, *, partitions: Sequence[int], span: tuple[int, int]
) -> tuple[dict[str, int], list[Summary]]:
    """What else is stored of the range: events by hash of the layouts that were in force once, and what is counted by version."""
    others: dict[str, int] = {}
    arms: list[Summary] = []
    for field, stored in sorted((await redis.hgetall(names.layouts(layout.model))).items()):
        stream, _, digest = cast(bytes, field).decode().partition(":")
        if stream != layout.stream or digest == layout.hash:
            continue
        other = Layout.from_json(cast(bytes, stored))
        total = _zero(other)
        async for _, partial in stored_partials(redis, names, other, partitions=partitions, span=span):
            total += partial
        if not total.cells[EVENTS]:
            continue
        if is_of_arms(other):
            arms.append(arms_summary(other, total))
        else:
            others[digest] = int(total.cells[EVENTS])
    return others, arms


def _zero(layout: Layout) -> Partial:
    """The empty partial with sums of Python integers: the sums of a long range may leave 64 bits."""
    zero = empty(layout.cells, len(layout.numeric))
    unbounded: Any = zero.sums.astype(np.object_)
    return dataclasses.replace(zero, sums=unbounded)


def _of_model(generation: Generation | None, model: str) -> InForce:
    if generation is None:
        raise _wrong("monitors", "nothing is in force yet: run `driftline apply FILE` first")
    if model not in generation.models:
        known = ", ".join(sorted(generation.models)) or "none"
        raise _wrong("model", f"{model!r} is not in force; in force: {known}")
    return generation.models[model]


def _wrong(key: str, message: str) -> ConfigError:
    return ConfigError([Problem("", 0, key, message)])
