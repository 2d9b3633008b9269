"""What a record becomes by the decoder as it is, and by the strict contract alone, in a form that compares bit by bit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.columnar import is_batch
from schemas.errors import RejectedEvent
from schemas.events import FeatureValues, Rejected, Serving, Watermark, parse_record, read_record
from schemas.gpus import sampled
from schemas.names import Stream
from stream.ingest.buffer import CLOSE, SAMPLE, TICK, Buffer
from stream.ingest.codes import category_name
from stream.ingest.compiled.values import META, SHAPE, TIMES, UNKNOWN_FEATURES, UNKNOWN_KEYS
from stream.ingest.listed import Listed
from stream.ingest.naming import cells_of
from stream.ingest.plan import StreamPlan
from stream.ingest.slab import Named, Slab
from stream.ingest.strict import Row, row_of, rows_of
from stream.records import Records
from tests.support.ingest import Stored, tenure

Outcome = list[Any]
Floats = npt.NDArray[np.float64]
NOTHING = Row((), (), ())


def decoded(plan: StreamPlan, value: bytes | None) -> Outcome:
    """What the decoder makes of a record: refusals and rows, in order."""
    buffer, owner = Buffer(), tenure(stream=plan.decoder.stream)
    plan.decoder.decode_run(Records.of([Stored(value)]), owner, into=buffer)
    found: Outcome = [
        (r.reason, r.index) if r.reason == "unknown_model" else (r.reason, r.field, r.detail, r.index)
        for r in buffer.rejections
    ]
    rows = [*_listed(plan, buffer), *(row for slab in buffer.slabs for row in _of_slab(plan, slab))]
    return found + [rows[at] for _, numbers in buffer.by_tenure() for at in numbers]


def _listed(plan: StreamPlan, buffer: Buffer) -> Iterator[Any]:
    if not buffer.listed:
        return
    listed, meta = buffer.arrays(), [buffer.meta(kind).tolist() for kind in range(META)]
    for at, (shape, time) in enumerate(zip(meta[SHAPE], meta[TIMES], strict=True)):
        if shape == SAMPLE:
            yield (SAMPLE, time, buffer.samples[at])
            continue
        unknown = meta[UNKNOWN_FEATURES][at], meta[UNKNOWN_KEYS][at]
        names, cells = _names(plan, listed, (at, shape))
        yield (shape, time, _own(plan, shape, listed.rows.narrow[at], listed.rows.wide[at]), names, cells, *unknown)


def _own(plan: StreamPlan, shape: int, narrow: Floats, wide: Floats) -> bytes:
    """A row's numbers without what fills up the matrices; a row that only moves the clock has none."""
    if shape < 0:
        return b""
    own = plan.decoder.shapes[shape]
    return (np.concatenate([narrow[: len(own.narrow)], wide[: len(own.wide)]]) + 0.0).tobytes()


def _names(plan: StreamPlan, listed: Listed, place: tuple[int, int]) -> tuple[tuple[str | None, ...], tuple[int, ...]]:
    """A row's names, and the cells that the kernel finds for them."""
    at, shape = place
    if shape < 0:
        return (), ()
    count = len(plan.decoder.shapes[shape].categorical)
    cells = cells_of(listed, np.array([at]), np.array([shape]), named=plan.tables.named)[0, :count].tolist()
    return tuple(listed.name(at, column) for column in range(count)), tuple(cells)


def _of_slab(plan: StreamPlan, slab: Slab) -> Iterator[Any]:
    for at, time in enumerate(slab.times.tolist()):
        named = tuple(column[at] if isinstance(column, list | Named) else column for column in slab.categorical)
        row = Row(tuple(slab.narrow[:, at]), tuple(slab.wide[:, at]), named, slab.unknown_features, slab.unknown_keys)
        yield (slab.shape, time, *comparable(plan, slab.shape, row))


def by_contract(plan: StreamPlan, stream: Stream, value: bytes | None) -> Outcome:
    """The same from the contract alone."""
    refused: Outcome = []
    rows: Outcome = []
    several = _is_of_several(value)
    for place, found in enumerate(parse_record(stream, value)):
        index = place if several else None
        if isinstance(found, Rejected):
            refused.append((found.reason, found.field, found.detail, found.index))
        elif isinstance(found, Watermark):
            rows.append((CLOSE, found.timestamp_ms, *comparable(plan, CLOSE, NOTHING)))
        elif isinstance(found, FeatureValues):
            rows += _of_values(plan, found, refused, index=index)
        elif isinstance(found, Serving) and found.model is None:
            rows.append(_of_sample(plan, found, refused, index=index))
        elif found.model not in plan.decoder.numbers:
            refused.append(("unknown_model", index))
            rows.append((TICK, found.timestamp_ms, *comparable(plan, TICK, NOTHING)))
        else:
            number = plan.decoder.numbers[str(found.model)]
            row = row_of(found, plan.decoder.shapes[number])
            rows.append((number, found.timestamp_ms, *comparable(plan, number, row)))
    return refused + rows


def _is_of_several(value: bytes | None) -> bool:
    try:
        read = read_record(value)
    except RejectedEvent:
        return False
    return type(read) is list or (type(read) is dict and is_batch(read))


def _of_sample(plan: StreamPlan, found: Serving, refused: Outcome, *, index: int | None) -> Any:
    try:
        return (SAMPLE, found.timestamp_ms, sampled(found))
    except RejectedEvent as error:
        refused.append((error.reason, error.field, error.detail, index))
        return (TICK, found.timestamp_ms, *comparable(plan, TICK, NOTHING))


def _of_values(plan: StreamPlan, found: FeatureValues, refused: Outcome, *, index: int | None) -> Iterator[Any]:
    numbers = plan.decoder.declared.get(found.feature, ())
    for number in numbers:
        for row in rows_of(found, plan.decoder.shapes[number]):
            yield (number, found.timestamp_ms, *comparable(plan, number, row))
    if not numbers:
        refused.append(("unknown_feature", "feature", "no model in force declares this feature", index))
    if not numbers or not found.values:
        yield (TICK, found.timestamp_ms, *comparable(plan, TICK, NOTHING))


def comparable(plan: StreamPlan, shape: int, row: Row) -> tuple[Any, ...]:
    """Numbers by their bits (0 and -0 are one value), categories by the name they stand for and the cell they count in."""
    numbers = np.fromiter((*row.narrow, *row.wide), np.float64) + 0.0
    names = [value if value is None or isinstance(value, str) else category_name(value) for value in row.categorical]
    cells = (
        [table[value] for table, value in zip(plan.tables.codes[shape], row.categorical, strict=True)] if names else []
    )
    return numbers.tobytes(), tuple(names), tuple(cells), row.unknown_features, row.unknown_keys


def reasons(outcome: Outcome) -> list[Any]:
    return [entry[0] for entry in outcome if isinstance(entry[0], str)]
