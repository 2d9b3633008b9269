"""What a stream's records become with the compiled scanner and without it, in a form that compares bit by bit."""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stream.ingest.buffer import Buffer, Rejection
from stream.ingest.compiled.values import KAFKA_MS, SHAPE, TIMES, UNKNOWN_FEATURES, UNKNOWN_KEYS
from stream.ingest.naming import cells_of
from stream.ingest.plan import StreamPlan
from stream.ingest.scanner import scanner
from stream.records import Records
from tests.support.ingest import HOUR, NOON, Stored, counter, partials, run, tenure

COMPARED = (SHAPE, TIMES, KAFKA_MS, UNKNOWN_FEATURES, UNKNOWN_KEYS)


def by_python(plan: StreamPlan) -> StreamPlan:
    """The plan with a scanner that knows no model, and so takes nothing."""
    return replace(plan, decoder=replace(plan.decoder, scanner=scanner(plan.decoder.stream, ())))


def stored(values: Sequence[bytes | None]) -> list[Stored]:
    """Records of these values, whose Kafka timestamps rise to an hour past noon."""
    return [Stored(value, 2 * at, NOON + HOUR * (at + 1) // len(values)) for at, value in enumerate(values)]


def rows(plan: StreamPlan, records: Sequence[Stored]) -> list[Any]:
    """What a run leaves in a buffer: of each listed row its numbers' bits, cells, names and record; slabs; refusals."""
    buffer, owner = Buffer(), tenure(stream=plan.decoder.stream)
    plan.decoder.decode_run(Records.of(records), owner, into=buffer)
    listed, count = buffer.arrays(plan.decoder.columns), buffer.listed
    shape = buffer.meta(SHAPE)
    real = np.flatnonzero(shape >= 0)
    cells = cells_of(listed, real, shape[real], named=plan.tables.named)
    refused = Tally((one.record.offset, one.reason, one.field, one.detail, one.index) for one in buffer.rejections)
    return [
        [buffer.meta(kind).tolist() for kind in COMPARED],
        [(held[real] + 0.0).tobytes() for held in listed.rows[1:3]],
        cells.tolist(),
        [[listed.name(row, column) for column in range(plan.decoder.columns[2])] for row in real.tolist()],
        [(buffer.event_of(row)[0].offset, buffer.event_of(row)[1]) for row in range(count)],
        [(slab.shape, slab.record.offset, slab.times.tolist()) for slab in buffer.slabs],
        refused, owner.read, buffer.samples,
    ]  # fmt: skip


def taken(plan: StreamPlan, values: Sequence[bytes | None]) -> int:
    """How many records the scanner takes."""
    buffer, records = Buffer(), Records.of(stored(values))
    held = buffer.receive(records, plan.decoder.columns)
    left, _ = plan.decoder.scanner.scan(records, held.rows, row=0, used=0)
    return len(values) - len(left)


def panes(plan: StreamPlan, records: Sequence[Stored], *, runs_of: int) -> dict[Any, Any]:
    """What is stored of the records, and what was refused."""

    async def count() -> dict[Any, Any]:
        refused: list[Rejection] = []
        counting, owner = counter({plan.decoder.stream: plan}, refused=refused), tenure(stream=plan.decoder.stream)
        for first in range(0, len(records), runs_of):
            await counting.add(run(records[first : first + runs_of], owner), owner)
        await counting.drain()
        found = partials(counting, owner)
        return {
            "panes": {
                key: (one.cells.tobytes(), one.sums.tobytes(), one.extrema.tobytes()) for key, one in found.items()
            },
            "refused": Tally((one.record.offset, one.reason, one.field, one.detail, one.index) for one in refused),
            "clocks": (owner.clock, owner.closed, owner.counted),
        }

    return asyncio.run(count())
