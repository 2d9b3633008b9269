"""A buffer of decoded rows as arrays, judged by time: which rows count, in which layout and pane, and which are refused.

Pure: what comes out depends on the rows, the plan and each tenure's clock alone, and not on where blocks were cut.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.errors import Reason
from schemas.gpus import Sampled
from schemas.timestamps import LATEST_MS
from stream.ingest.buffer import CLOSE, TICK, Buffer, Rejection
from stream.ingest.compiled.values import KAFKA_MS, SHAPE, TIMES
from stream.ingest.plan import StreamPlan
from stream.ingest.tenure import Tenure
from stream.ingest.timing import NEVER, Verdicts, judge

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """Rows to count, in arrival order: ``row`` is the place in the buffer, ``tenure`` an index into ``tenures``."""

    row: Ints
    tenure: Ints
    layout: Ints
    pane: Ints
    late: Bools
    shape: Ints
    time: Ints
    tenures: tuple[Tenure, ...]
    #: (clock, closed) of each tenure after the block
    clocks: tuple[tuple[int, int], ...]
    rejections: tuple[Rejection, ...]
    #: The samples of GPUs that are not from the future.
    samples: tuple[Sampled, ...] = ()
    #: The tenure of each of them, an index into ``tenures``.
    sampled: Ints = field(default_factory=lambda: np.zeros(0, np.int64))


def arrange(buffer: Buffer, plan: StreamPlan, *, skew_ms: int) -> Block:
    """Judge every row of the buffer; the tenures themselves are not changed."""
    slabs = buffer.slabs
    shapes = np.concatenate([buffer.meta(SHAPE), *(np.full(len(slab), slab.shape) for slab in slabs)])
    times = np.concatenate([buffer.meta(TIMES), *(slab.times for slab in slabs)])
    record_ms = _record_times(buffer)
    rejections: list[Rejection] = []
    real = shapes >= 0
    layout, pane = _layouts_and_panes(shapes, times, real, plan=plan)
    owner = np.zeros(len(shapes), np.int64)
    accepted, late = real.copy(), np.zeros(len(shapes), np.bool_)
    future = np.zeros(len(shapes), np.bool_)
    tenures: list[Tenure] = []
    clocks: list[tuple[int, int]] = []
    for tenure, rows in buffer.by_tenure():
        owner[rows] = len(tenures)
        verdicts, closed = _judge(
            tenure,
            plan=plan,
            arrays=(shapes[rows], times[rows], record_ms[rows], layout[rows], pane[rows]),
            skew_ms=skew_ms,
        )
        accepted[rows] &= ~(verdicts.future | verdicts.too_late)
        late[rows], future[rows] = verdicts.late, verdicts.future
        rejections += _refused(rows, shapes, verdicts, buffer=buffer, tenure=tenure)
        tenures.append(tenure)
        clocks.append((verdicts.clock, closed))
    kept = np.flatnonzero(accepted)
    sampled = [row for row in buffer.samples if not future[row]]
    return Block(
        kept, owner[kept], layout[kept], pane[kept], late[kept], shapes[kept], times[kept],
        tuple(tenures), tuple(clocks), (*buffer.rejections, *rejections),
        tuple(map(buffer.samples.__getitem__, sampled)), owner[sampled] if sampled else owner[:0],
    )  # fmt: skip


def _judge(
    tenure: Tenure, *, plan: StreamPlan, arrays: tuple[Ints, Ints, Ints, Ints, Ints], skew_ms: int
) -> tuple[Verdicts, int]:
    shapes, times, record_ms, layout, pane = arrays
    closes = (shapes == CLOSE) & (times <= record_ms + skew_ms)
    closed = np.maximum.accumulate(np.maximum(tenure.closed, np.where(closes, times, NEVER)))
    counts = shapes >= 0
    known = np.where(counts, layout, 0)
    per_layout = (plan.tables.pane_ms, plan.lateness, plan.keep)
    width, lateness, keep = (
        np.where(counts, of[known], 0) if len(of) else np.zeros(len(times), np.int64) for of in per_layout
    )
    verdicts = judge(
        np.where(closes, NEVER, times), record_ms, clock=tenure.clock, closed=closed,
        pane_end=np.where(counts, pane + width, 1 << 62), lateness=lateness, keep=keep, skew_ms=skew_ms,
    )  # fmt: skip
    return verdicts, int(closed[-1]) if len(closed) else tenure.closed


def _record_times(buffer: Buffer) -> Ints:
    """The Kafka timestamp of each row's record; a record without one (-1) can have no event that is later than it."""
    found = np.concatenate(
        [buffer.meta(KAFKA_MS), *(np.full(len(slab), slab.record.timestamp) for slab in buffer.slabs)]
    )
    return np.where(found < 0, LATEST_MS, found)


def _layouts_and_panes(shapes: Ints, times: Ints, real: Bools, *, plan: StreamPlan) -> tuple[Ints, Ints]:
    layout, pane = np.zeros(len(shapes), np.int64), np.zeros(len(shapes), np.int64)
    layout[real] = plan.layout_numbers(shapes[real], times[real])
    pane[real] = times[real] - times[real] % plan.tables.pane_ms[layout[real]]
    return layout, pane


def _refused(rows: Ints, shapes: Ints, verdicts: Verdicts, *, buffer: Buffer, tenure: Tenure) -> list[Rejection]:
    """Rejections for the time; a tick's event was rejected already, for its model.

    One an event: a feature store's has a row for each value and model, and is refused once, whichever of them refuse it.
    """
    found = (
        _rejection(buffer, int(row), tenure, reason=reason, detail=_WHY[reason])
        for reason, mask in (("future", verdicts.future), ("too_late", verdicts.too_late))
        for row in rows[mask]
        if shapes[row] != TICK
    )
    return list({(id(one.record), one.index): one for one in found}.values())


_WHY: dict[str, str] = {
    "future": "later than its Kafka timestamp by more than DRIFTLINE_FUTURE_SKEW_S",
    "too_late": "older than the model's revise_within allows, measured by the partition's watermark",
}


def _rejection(buffer: Buffer, row: int, tenure: Tenure, *, reason: Any, detail: str) -> Rejection:
    chosen: Reason = reason
    record, index = buffer.event_of(row)
    return Rejection(tenure, record, chosen, "timestamp", detail, index)
