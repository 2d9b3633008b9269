"""Columnar records read by a kernel: the columns that ``batch_of`` would find, without an object a value.

A record that is read here is one that the contract reads, as the same values.  All others, and those that the contract would refuse
as a whole, are not read: there is nothing here to say what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic_core import from_json

from schemas import columnar
from schemas.columnar import NESTED, Batch
from schemas.events import MOST_BYTES
from stream.ingest.compiled import cells
from stream.ingest.compiled import columns as walked
from stream.ingest.strict import number_of

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

#: In which object a name stands that is in none.
_NO_OBJECT = -1
#: A name in no object that has one value.
_SCALAR = [_NO_OBJECT, walked.SCALAR]
_TYPES: Mapping[int, type] = {
    cells.NULLS: type(None), cells.WHOLES: int, cells.FRACTIONS: float, cells.TEXTS: str, cells.BOOLEANS: bool,
}  # fmt: skip
#: By what was seen of a column, the types of its values.
_KINDS = tuple(frozenset(kind for bit, kind in _TYPES.items() if bit & seen) for seen in range(sum(_TYPES) + 1))


class Column(NamedTuple):
    """What a list, or a packed column, holds; arrays are good until the next record is read.

    Of numbers and nulls the ``values``; of few different values those (``distinct``, as they come) and which of them each is
    (``codes``); ``written``: where in the ``record`` a list stands.
    """

    seen: int
    record: bytes
    written: slice | None = None
    values: Floats | None = None
    distinct: list[Any] | None = None
    codes: Small | None = None

    @property
    def kinds(self) -> frozenset[type]:
        """The types of the values."""
        return _KINDS[self.seen & len(_KINDS) - 1]

    @property
    def holds_nothing(self) -> bool:
        """Whether some value is null, or an empty text."""
        return bool(self.seen & (cells.NULLS | cells.EMPTY))

    @property
    def holds_negative(self) -> bool:
        """Whether some number is below 0."""
        return bool(self.seen & cells.NEGATIVE)

    def cells(self) -> list[Any]:
        """The values as the contract's reader reads them."""
        if self.distinct is not None and self.codes is not None:
            return list(map(self.distinct.__getitem__, self.codes.tolist()))
        if self.written is None and self.values is not None:
            return list(self.values.tolist())
        return _list(self.record[self.written or slice(0)])

    def numbers(self) -> Floats:
        """The values as numbers and marks."""
        if self.values is not None:
            return self.values
        if self.distinct is not None and self.codes is not None:
            return np.fromiter(map(number_of, self.distinct), np.float64, len(self.distinct))[self.codes]
        found = self.cells()
        return np.fromiter(map(number_of, found), np.float64, len(found))


@dataclass(eq=False, slots=True)
class ColumnReader:
    """Reads one record after another into the same arrays, which grow to what the largest takes."""

    _text: Bytes = field(default_factory=lambda: np.zeros(0, np.uint8))
    _found: walked.Found = field(default_factory=lambda: walked.room(0))

    def read(self, value: bytes | None) -> Batch | None:
        """The batch that a record surely is; None where the contract's reader has to look at it."""
        if value is None or len(value) > MOST_BYTES or b"[" not in value:
            return None
        self._take(value)
        count = walked.walk(self._text, len(value), self._found)
        try:
            return self._batch(value, count) if count > 0 and (value.isascii() or value.decode()) else None
        except ValueError:  # no UTF-8, or what is read by the contract's reader is no JSON
            return None

    def _take(self, value: bytes) -> None:
        size = len(value)
        if len(self._text) < size + walked.BEHIND:
            most = min(2 * size, MOST_BYTES)
            self._text, self._found = np.zeros(most + walked.BEHIND, np.uint8), walked.room(most)
        self._text[:size] = np.frombuffer(value, np.uint8)
        self._text[size : size + walked.BEHIND] = 0

    def _batch(self, value: bytes, count: int) -> Batch | None:
        columns, found = self._found.columns[:count].tolist(), dict[str, Any]()
        if any(row[:1] + row[3:4] == _SCALAR and value[row[1] : row[2]] == b"timestamp" for row in columns):
            return None  # one event, which holds an array: seen before anything is made
        objects, lengths = {_NO_OBJECT: found}, set()
        for number, row in enumerate(columns):
            holder, first, end, kind = row[:4]
            name, inside = _name(value[first:end]), objects[holder]
            if name in inside or not _is_at_its_place(name, kind, is_within=holder != _NO_OBJECT):
                return None
            if kind == walked.OBJECT:
                inside[name] = objects[number] = {}
            elif kind == walked.SCALAR:
                inside[name] = from_json(value[row[walked.FIRST] : row[walked.END]])
            else:
                inside[name] = self._column(value, row)
                lengths.add(row[walked.COUNT])
        rows = lengths.pop() if lengths else 0
        if lengths or type(found.get("timestamp")) not in (list, Column) or rows * count > columnar.MOST_CELLS:
            return None
        return Batch(rows, found)

    def _column(self, value: bytes, row: list[int]) -> Column | list[Any]:
        """The column of a row of what was found; a list where only the contract's reader can read it."""
        kind, first, end, count, seen, start, spelled, spelled_end = row[walked.KIND :]
        written = slice(first, end)
        if seen & cells.ODD:
            return _list(value[written])
        held = slice(start, start + count)
        if kind != walked.NAMES:
            return Column(seen, value, None if kind == walked.PACKED else written, self._found.values[held])
        if seen & cells.MANY:
            return Column(seen, value, written)
        distinct = _spelled(value, self._found.spelled[spelled:spelled_end])
        return Column(seen, value, written, distinct=distinct, codes=self._found.codes[held])


def _is_at_its_place(name: str, kind: int, *, is_within: bool) -> bool:
    """Whether a name stands where a columnar record may have it: objects of columns are known, and none is a packed column."""
    if is_within:
        return name != "f64"
    return kind == walked.SCALAR or (kind == walked.OBJECT) == (name in NESTED)


def _name(written: bytes) -> str:
    return str(from_json(b'"' + written + b'"')) if b"\\" in written else written.decode()


def _spelled(value: bytes, spans: Ints) -> list[Any]:
    return _list(b"[" + b",".join(value[first:past] for first, past in spans.tolist()) + b"]")


def _list(written: bytes) -> list[Any]:
    found: list[Any] = from_json(written)
    return found
