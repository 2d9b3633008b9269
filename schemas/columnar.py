"""Columnar batches: many events in a record, an array per name that varies, a scalar per name that does not.

A batch is turned into its rows, each of which is then judged like any event.  What is wrong with the batch
as a whole (columns of unequal length, a packed column that does not unpack) refuses all of it, because no
row can be trusted.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Any

from schemas.errors import RejectedEvent
from schemas.wire import kind_of

#: Objects whose members are columns of their own.
NESTED = ("features", "prediction", "segments", "metrics")
#: A record of 1 MiB could claim billions of cells by repeating scalars; more than this many are refused.
MOST_CELLS = 4_000_000


def is_batch(event: Mapping[str, Any]) -> bool:
    """Whether an object is a columnar batch: whether its timestamps are many."""
    return _is_column(event.get("timestamp"))


def rows_of(batch: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The batch as one object per row, in order.

    :raises RejectedEvent: ``bad_columns`` naming the column and the lengths, or ``too_large`` by its cells.

    >>> rows_of({"model": "m", "timestamp": [1, 2], "features": {"temp": [39.5, None]}})[1]
    {'model': 'm', 'timestamp': 2, 'features': {'temp': None}}
    """
    count = len(_column("timestamp", batch["timestamp"]))
    _refuse_too_many_cells(batch, count)
    columns = {key: _top_column(key, value, count) for key, value in batch.items()}
    return _rows(columns, count)


def _top_column(key: str, value: Any, count: int) -> Iterable[Any]:
    if key in NESTED and type(value) is dict and not _is_column(value):
        inner = {name: _cells(f"{key}.{name}", item, count) for name, item in value.items()}
        return _rows(inner, count)
    cells = _cells(key, value, count)
    # A feature event's row holds an array of values; a column of numbers is one value a row.
    return (item if type(item) is list else [item] for item in cells) if key == "values" else cells


def _rows(columns: Mapping[str, Iterable[Any]], count: int) -> list[dict[str, Any]]:
    if not columns:
        return [{} for _ in range(count)]
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _cells(name: str, value: Any, count: int) -> Iterable[Any]:
    """The cells of one name: its column, checked to be as long as the timestamps, or its scalar repeated."""
    if not _is_column(value):
        return repeat(value, count)
    column = _column(name, value)
    if len(column) != count:
        raise _bad(name, f"has {len(column)} values, but timestamp has {count}")
    return column


def _is_column(value: object) -> bool:
    return type(value) is list or (type(value) is dict and value.keys() == {"f64"})


def _column(name: str, value: Any) -> list[Any]:
    return value if type(value) is list else _unpacked(name, value["f64"])


def _unpacked(name: str, packed: object) -> list[float]:
    if type(packed) is not str:
        raise _bad(name, f"f64 must be a base64 string, not {kind_of(packed)}")
    try:
        raw = base64.b64decode(packed, validate=True)
    except ValueError:
        raise _bad(name, "f64 is not base64") from None
    if len(raw) % 8:
        raise _bad(name, f"f64 holds {len(raw)} bytes, not a multiple of 8")
    return list(struct.unpack(f"<{len(raw) // 8}d", raw))


def _refuse_too_many_cells(batch: Mapping[str, Any], count: int) -> None:
    names = len(batch) + sum(len(batch[key]) for key in NESTED if type(batch.get(key)) is dict)
    if names * count > MOST_CELLS:
        detail = f"expands to {count} rows of {names} names; at most {MOST_CELLS} cells"
        raise RejectedEvent("too_large", "", detail)


def _bad(name: str, detail: str) -> RejectedEvent:
    return RejectedEvent("bad_columns", name, detail)
