"""The timestamps of a columnar batch, all at once: the milliseconds that ``timestamp_ms_of`` reads, and which it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.columnar import Packed
from schemas.errors import RejectedEvent
from schemas.timestamps import EARLIEST_MS, LATEST_MS, timestamp_ms_of
from stream.ingest.columns import Column

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def times_of(column: list[Any] | Packed | Column) -> tuple[Ints, Bools]:
    """Event times, and which of them are none (their milliseconds mean nothing).

    >>> times_of([1357035300000, 1357035300000.9, 7])
    (array([1357035300000, 1357035300000,             7]), array([False, False,  True]))
    """
    if isinstance(column, Packed):
        return _floored(np.frombuffer(column.raw, np.dtype("<f8")))
    if isinstance(column, Column):
        return _times_of_column(column)
    kinds = set(map(type, column))
    try:
        if kinds == {int}:
            return _in_range(np.array(column, np.int64))
        if kinds <= {int, float}:
            return _floored(np.array(column, np.float64))
    except OverflowError:
        pass
    return _one_by_one(column)


def _times_of_column(column: Column) -> tuple[Ints, Bools]:
    if column.kinds == {int} and column.values is not None:  # no float of a time that could be is another whole number
        return _in_range(np.clip(column.values, 0.0, 2.0 * LATEST_MS).astype(np.int64))
    if column.values is not None:
        return _floored(column.values)
    if column.distinct is None or column.codes is None:
        return _one_by_one(column.cells())
    times, refused = _one_by_one(column.distinct)
    return times[column.codes], refused[column.codes]


def _floored(values: Floats) -> tuple[Ints, Bools]:
    finite = np.isfinite(values)
    return _in_range(np.floor(np.clip(np.where(finite, values, 0.0), 0.0, 2.0 * LATEST_MS)).astype(np.int64))


def _in_range(times: Ints) -> tuple[Ints, Bools]:
    return times, (times < EARLIEST_MS) | (times > LATEST_MS)


def _one_by_one(column: list[Any]) -> tuple[Ints, Bools]:
    times, refused = np.zeros(len(column), np.int64), np.zeros(len(column), np.bool_)
    for at, value in enumerate(column):
        try:
            times[at] = timestamp_ms_of(value)
        except RejectedEvent:
            refused[at] = True
    return times, refused
