"""Columnar batches: many events in a record, an array per name that varies, a scalar per name that does not.

A batch means its rows, each of which is judged like any event.  What is wrong with the batch as a whole (columns of
unequal length, a packed column that does not unpack) refuses all of it, because no row can be trusted.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import msgspec

from schemas.errors import RejectedEvent
from schemas.wire import kind_of

#: Objects whose members are columns of their own.
NESTED = ("features", "prediction", "segments", "metrics")
#: A record of 1 MiB could claim billions of cells by repeating scalars; more than this many are refused.
MOST_CELLS = 4_000_000


@dataclass(frozen=True, eq=False, slots=True)
class Packed:
    """A column of numbers as it was sent: little-endian 64-bit floats."""

    raw: bytes

    def __len__(self) -> int:
        return len(self.raw) // 8

    def numbers(self) -> list[float]:
        """The numbers in order."""
        return list(struct.unpack(f"<{len(self)}d", self.raw))


@dataclass(frozen=True, eq=False, slots=True)
class Batch:
    """A batch whose columns fit: ``columns`` are its names, those of nested objects by object.

    A column is a list or ``Packed``, as long as ``count``; anything else is a scalar that holds for every row.
    """

    count: int
    columns: Mapping[str, Any]

    def rows(self) -> list[dict[str, Any]]:
        """One object per row, in order."""
        cells = {name: self._cells(name, column) for name, column in self.columns.items()}
        return _rows(cells, self.count)

    def _cells(self, name: str, column: Any) -> Iterable[Any]:
        if name in NESTED and type(column) is dict:
            return _rows({inner: self._spread(cells) for inner, cells in column.items()}, self.count)
        cells = self._spread(column)
        # A feature event's row holds an array of values; a column of numbers is one value a row.
        return (item if type(item) is list else [item] for item in cells) if name == "values" else cells

    def _spread(self, column: Any) -> Iterable[Any]:
        if type(column) is Packed:
            return column.numbers()
        return column if type(column) is list else repeat(column, self.count)


def is_batch(event: Mapping[str, Any]) -> bool:
    """Whether an object is a columnar batch: whether its timestamps are many."""
    return _is_column(event.get("timestamp"))


def rows_of(batch: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The batch as one object per row, in order.

    :raises RejectedEvent: ``bad_columns`` naming the column and the lengths, or ``too_large`` by its cells.

    >>> rows_of({"model": "m", "timestamp": [1, 2], "features": {"temp": [39.5, None]}})[1]
    {'model': 'm', 'timestamp': 2, 'features': {'temp': None}}
    """
    return batch_of(batch).rows()


def batch_of(batch: Mapping[str, Any]) -> Batch:
    """The batch with its packed columns unpacked and the length of every column checked.

    :raises RejectedEvent: as ``rows_of``.
    """
    count = len(_column("timestamp", batch["timestamp"]))
    _refuse_too_many_cells(batch, count)
    return Batch(count, {key: _top_column(key, value, count) for key, value in batch.items()})


def _top_column(key: str, value: Any, count: int) -> Any:
    if key in NESTED and type(value) is dict and not _is_column(value):
        return {name: _fitting(f"{key}.{name}", item, count) for name, item in value.items()}
    return _fitting(key, value, count)


def _rows(columns: Mapping[str, Iterable[Any]], count: int) -> list[dict[str, Any]]:
    if not columns:
        return [{} for _ in range(count)]
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _fitting(name: str, value: Any, count: int) -> Any:
    """A column, checked to be as long as the timestamps, or a scalar."""
    if not _is_column(value):
        return value
    column = _column(name, value)
    if len(column) != count:
        raise _bad(name, f"has {len(column)} values, but timestamp has {count}")
    return column


def _is_column(value: object) -> bool:
    return type(value) is list or (type(value) is dict and value.keys() == {"f64"})


def _column(name: str, value: Any) -> list[Any] | Packed:
    return value if type(value) is list else _unpacked(name, value["f64"])


def _unpacked(name: str, packed: object) -> Packed:
    if type(packed) is not str:
        raise _bad(name, f"f64 must be a base64 string, not {kind_of(packed)}")
    raw = _bytes(packed)
    if raw is None:
        raise _bad(name, "f64 is not base64")
    if len(raw) % 8:
        raise _bad(name, f"f64 holds {len(raw)} bytes, not a multiple of 8")
    return Packed(raw)


def _bytes(packed: str) -> bytes | None:
    """What a base64 text stands for: msgspec reads it ten times as fast and refuses more, so Python has the last word."""
    try:
        return msgspec.convert(packed, bytes)
    except ValueError:
        pass
    try:
        return base64.b64decode(packed, validate=True)
    except ValueError:
        return None


def _refuse_too_many_cells(batch: Mapping[str, Any], count: int) -> None:
    names = len(batch) + sum(len(batch[key]) for key in NESTED if type(batch.get(key)) is dict)
    if names * count > MOST_CELLS:
        detail = f"expands to {count} rows of {names} names; at most {MOST_CELLS} cells"
        raise RejectedEvent("too_large", "", detail)


def _bad(name: str, detail: str) -> RejectedEvent:
    return RejectedEvent("bad_columns", name, detail)
