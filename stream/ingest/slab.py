"""Events of one model that came as columns and stay columns: what a columnar batch puts into a buffer instead of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from schemas.columnar import Packed
from schemas.wire import plain
from stream.ingest import marks
from stream.ingest.columns import Column
from stream.ingest.strict import category_of, number_of
from stream.transport import Record

Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_NUMBERS = list[float | None]
#: What counts as a category as it stands; an integer may have to be made infinite, as the contract does.
_NAMES = frozenset((str, bool, float, type(None)))


@dataclass(frozen=True, eq=False, slots=True)
class Named:
    """A column of few categories: the different ones, and which of them each row holds."""

    names: Sequence[Any]
    of_row: Small

    def __getitem__(self, row: int) -> Any:
        return self.names[self.of_row[row]]

    def values(self, rows: Ints) -> list[Any]:
        """Those of some rows."""
        return list(map(self.names.__getitem__, self.of_row[rows].tolist()))


@dataclass(frozen=True, eq=False, slots=True)
class Slab:
    """Values in the columns' order of the shape: ``narrow`` and ``wide`` are (columns × rows) of numbers and marks.

    ``categorical`` holds a column of categories each, a list or ``Named`` where it varies.  Of every row's event, nobody declared
    ``unknown_features`` and ``unknown_keys``.
    """

    shape: int
    record: Record
    times: Ints
    narrow: Floats
    wide: Floats
    categorical: tuple[Any, ...]
    unknown_features: int = 0
    unknown_keys: int = 0
    #: Which events of the batch the rows are; None: all of them.
    chosen: Ints | None = None
    #: Whether the record is no batch, but one event of many values.
    is_one: bool = False

    def __len__(self) -> int:
        return len(self.times)

    def place(self, row: int) -> int | None:
        """Which event of the batch, or of a record of several, a row is of."""
        if self.is_one:
            return None
        return row if self.chosen is None else int(self.chosen[row])


def stretches(slabs: Iterable[Slab], row: Ints, *, first: int) -> Iterator[tuple[Slab, slice, Ints]]:
    """Each slab, the slice of ``row`` that is of it, and where in it those rows are.

    :param row: rising numbers of chosen rows; those of the slabs are numbered through all of them, from ``first`` on.
    """
    for slab in slabs:
        low, high = np.searchsorted(row, (first, first + len(slab)))
        yield slab, slice(low, high), row[low:high] - first
        first += len(slab)


class NanWord:
    """Whether a record holds the word NaN: true or false as ``in`` says, looked for once and only where it matters."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._found: bool | None = None

    def __bool__(self) -> bool:
        if self._found is None:
            self._found = b"NaN" in (self._record.value or b"")
        return self._found


def matrix_of(columns: Iterable[Any], count: int, *, rows: Bools | None, nan: NanWord) -> Floats:
    """(columns × rows) of numbers; ``rows`` chooses among the batch's ``count``, None all of them."""
    found = [numbers_of(column, count, nan=nan) for column in columns]
    if not found:
        return np.empty((0, count if rows is None else int(rows.sum())))
    return np.concatenate(found if rows is None else [values[rows] for values in found]).reshape(len(found), -1)


def numbers_of(column: Any, count: int, *, nan: NanWord | bool) -> Floats:
    """A column of a batch as the numbers and marks that ``strict.number_of`` makes of each value.

    :param nan: whether there may be a NaN among the values of a list; only asked where one could be confused with a null.

    >>> numbers_of([1, None, 2.5], 3, nan=False).tolist()
    [1.0, nan, 2.5]
    """
    if type(column) is Column:
        return column.numbers()
    if type(column) is Packed:
        return _marked(np.frombuffer(column.raw, np.dtype("<f8")).astype(np.float64))
    if type(column) is not list:
        return np.full(count, number_of(column), np.float64)
    values = np.fromiter(_floats(column), np.float64, count)
    return np.fromiter(map(number_of, column), np.float64, count) if np.isnan(values).any() and nan else values


def _floats(column: list[Any]) -> Iterable[float | None]:
    try:
        return msgspec.convert(
            column, _NUMBERS
        )  # makes no number of a boolean or a text, three times as fast as a look at types
    except (msgspec.ValidationError, OverflowError):
        return map(number_of, column)


def _marked(values: Floats) -> Floats:
    """A producer's NaN may have any bits; here they say what the value is."""
    values[np.isnan(values)] = marks.NAN_VALUE
    return values


def categories_of(column: Any, *, rows: Bools | None) -> Any:
    """A column of a batch as the categories and marks that ``strict.category_of`` makes of each value."""
    if type(column) is Column:
        if column.distinct is not None and column.codes is not None:
            return Named(column.distinct, column.codes.copy())
        column = column.cells()
    if type(column) is not list and type(column) is not Packed:
        return category_of(plain(column))
    cells: list[Any] = column.numbers() if isinstance(column, Packed) else column
    if not _are_names(cells):
        cells = [category_of(plain(value)) for value in cells]
    return cells if rows is None else list(compress(cells, rows))


def _are_names(cells: Sequence[Any]) -> bool:
    try:
        return _NAMES.issuperset(map(type, set(cells)))  # equal values of two types are one here, and one category
    except TypeError:  # an array or an object
        return False
