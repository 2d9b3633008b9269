"""Which columns of a stream's rows are features, and what is a value of one: by layout number, built once a configuration.

Columns stand side by side: the narrow numbers, the wide ones, then the names, each kind as many as the stream's tables have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stream.ingest.codes import CodeTable, Nothing
from stream.ingest.shape import Columns, Shape
from stream.state.layout import Layout
from stream.state.updated import member_of

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_FEATURE = "features."
#: Behind every cell of a pane: what is no name of a feature lies below.
_NOWHERE = 1 << 62


@dataclass(frozen=True, eq=False, slots=True)
class Valued:
    """Rows that were counted: (rows × columns) of the numbers and of the cells of names, which may lack the last columns."""

    layout: Ints
    times: Ints
    narrow: Floats
    wide: Floats
    codes: Ints

    def only(self, at: Ints) -> Valued:
        """These rows of them."""
        return Valued(self.layout[at], self.times[at], self.narrow[at], self.wide[at], self.codes[at])


@dataclass(frozen=True, eq=False, slots=True)
class Featured:
    """(layouts × columns): which are features (``mask``), and as what Redis knows them (``members``).

    ``first`` and ``last``: of each column of names the cells of a value.  ``starts``: where wide numbers and names begin.
    """

    mask: Bools
    members: tuple[tuple[str, ...], ...]
    first: Ints
    last: Ints
    starts: tuple[int, int]

    def present(self, rows: Valued) -> Bools:
        """(rows × columns): the features that have a value there, a finite number or a name."""
        found = np.zeros((len(rows.layout), self.mask.shape[1]), np.bool_)
        row, column = self.valued(rows, self.mask)
        found[row, column] = True
        return found

    def valued(self, rows: Valued, sought: Bools) -> tuple[Ints, Ints]:
        """Where features have a value, a finite number or a name: the row and the column of each.

        :param sought: (layouts × columns): the features that are looked for.
        """
        narrow, wide = (self._numbers(rows, begin, sought) for begin in (0, 1))
        names = self._names(rows, sought)
        return np.concatenate([narrow[0], wide[0], names[0]]), np.concatenate([narrow[1], wide[1], names[1]])

    def _numbers(self, rows: Valued, kind: int, sought: Bools) -> tuple[Ints, Ints]:
        values, begin = (rows.narrow, rows.wide)[kind], (0, self.starts[0])[kind]
        row, column = _places(rows.layout, sought[:, begin : begin + values.shape[1]])
        here = np.isfinite(values[row, column])
        return row[here], column[here] + begin

    def _names(self, rows: Valued, sought: Bools) -> tuple[Ints, Ints]:
        begin = self.starts[1]
        row, column = _places(rows.layout, sought[:, begin : begin + rows.codes.shape[1]])
        cells, at = rows.codes[row, column], (rows.layout[row], column)
        here = (self.first[at] <= cells) & (cells <= self.last[at])
        return row[here], column[here] + begin


def _places(layout: Ints, sought: Bools) -> tuple[Ints, Ints]:
    """The places of rows, which are in these layouts, that are sought there."""
    columns = np.flatnonzero(sought.any(axis=0))
    row, at = np.nonzero(sought[:, columns][layout])
    return row, columns[at]


def featured(
    layouts: Sequence[tuple[Layout, Shape]], codes: Sequence[Sequence[CodeTable]], *, used: tuple[Bools, Bools]
) -> Featured:
    """The features of these layouts, each read through the shape beside it; ``used``: their numbers, narrow and wide."""
    narrow, wide = used
    names = max(map(len, codes), default=0)
    first = np.full((len(layouts), names), _NOWHERE, np.int64)
    last = np.full((len(layouts), names), -1, np.int64)
    for number, tables in enumerate(codes):
        for place, table in enumerate(tables):
            if not isinstance(table, Nothing):
                first[number, place], last[number, place] = table.first, table.unseen
    starts = narrow.shape[1], narrow.shape[1] + wide.shape[1]
    members = tuple(_members(layout, shape, starts=starts, columns=starts[1] + names) for layout, shape in layouts)
    features = np.array([list(map(bool, row)) for row in members], np.bool_).reshape(len(layouts), starts[1] + names)
    counted = np.concatenate([narrow, wide, first <= last], axis=1)
    return Featured(features & counted, members, first, last, starts)


def _members(layout: Layout, shape: Shape, *, starts: tuple[int, int], columns: int) -> tuple[str, ...]:
    """By column, as what the feature is stored; empty where the column is none."""
    found = [""] * columns
    for begin, keys in zip((0, *starts), (shape.narrow, shape.wide, shape.categorical), strict=True):
        found[begin : begin + len(keys)] = _named(layout, keys)
    return tuple(found)


def _named(layout: Layout, keys: Columns) -> list[str]:
    return [member_of(layout.stream, name) if path.startswith(_FEATURE) else "" for name, path in keys]
