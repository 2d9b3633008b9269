"""What a typed column of a file is to a reference: numbers or names, and how names and times are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds
from numpy.typing import NDArray

from schemas.errors import RejectedEvent
from schemas.timestamps import timestamp_ms_of
from stream.command.unusable import unusable


def is_number(kind: pa.DataType) -> bool:
    """Whether values are numbers; a column in which all are missing counts as such."""
    return any(test(kind) for test in (kinds.is_integer, kinds.is_floating, kinds.is_decimal, kinds.is_null))


def is_name(kind: pa.DataType) -> bool:
    """Whether values are names: text, or true and false."""
    if kinds.is_dictionary(kind):
        return is_name(kind.value_type)
    return any(test(kind) for test in (kinds.is_string, kinds.is_large_string, kinds.is_boolean))


def is_embedding(kind: pa.DataType) -> bool:
    """Whether values are lists of numbers."""
    listed = any(test(kind) for test in (kinds.is_list, kinds.is_large_list, kinds.is_fixed_size_list))
    return listed and is_number(kind.value_type)


def times_of(column: pa.Array, *, path: Path, name: str, before: int = 0) -> NDArray[np.int64]:
    """Epoch milliseconds of each row, from timestamps of Parquet (without a zone: UTC), numbers or RFC 3339.

    Raises ConfigError, with the row, where one is missing or is no time; so many rows of the file stand before these.
    """
    if column.null_count:
        row = before + pc.index(column.is_null(), True).as_py()
        raise unusable(path, name, f"row {row + 1}: has no time; give it one, or leave such rows out")
    if kinds.is_timestamp(column.type) or kinds.is_date(column.type):
        return _from_timestamps(column)
    encoded = column.dictionary_encode()
    times = [_time(value) for value in encoded.dictionary.to_pylist()]
    indices: NDArray[np.int64] = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    bad = np.array([isinstance(time, RejectedEvent) for time in times], dtype=bool)[indices]
    if bad.any():
        row = int(bad.argmax())
        raise unusable(path, name, f"row {before + row + 1}: {column[row].as_py()!r} {_detail(times[indices[row]])}")
    milliseconds: NDArray[np.int64] = np.array(times, dtype=np.int64)
    return milliseconds[indices]


def _from_timestamps(column: pa.ChunkedArray) -> NDArray[np.int64]:
    milliseconds = column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
    times: NDArray[np.int64] = milliseconds.to_numpy()
    return times


def _time(value: object) -> int | RejectedEvent:
    """The time by the rule of events; digits in a text are a number, as CSV has no other way to write one."""
    try:
        digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20
        return timestamp_ms_of(int(value) if digits else value)  # type: ignore[call-overload]
    except RejectedEvent as error:
        return error


def _detail(time: int | RejectedEvent) -> str:
    return time.detail if isinstance(time, RejectedEvent) else ""


def name_of(value: object) -> str | None:
    """How a value is spelled as a name; None where it is missing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return None if value != value else str(int(value)) if value.is_integer() else repr(value)
    return None if value is None else str(value)
