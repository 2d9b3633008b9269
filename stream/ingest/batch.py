"""A columnar batch to slabs of values, whole columns at a time: what the strict contract makes of its rows, without making rows.

Columns are checked as columns; only rows in doubt are judged one by one, by the contract itself, so that what is refused is
refused in its words.  Batches of models that are not in force, of several models, or odd in another way, are left to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.columnar import Batch, Packed
from schemas.events import Rejected, judged
from schemas.names import Stream
from stream.ingest import codes, marks
from stream.ingest.batch_times import times_of
from stream.ingest.columns import Column, ColumnReader
from stream.ingest.doubt import WIRES, doubtful
from stream.ingest.growth import check_cells
from stream.ingest.shape import Columns, Shape
from stream.ingest.slab import NanWord, Slab, categories_of, matrix_of, numbers_of
from stream.transport import Record

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Taken:
    """A batch that was read: its slabs, one a model, and its refused rows in order."""

    slabs: tuple[Slab, ...]
    refused: Sequence[Rejected]
    versions: Sequence[Any] = ()
    unknown_features: tuple[str, ...] = ()
    unknown_keys: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class _Rows:
    """What is accepted of a batch: ``chosen`` says which rows, None all of them; ``nan`` whether lists may hold a NaN."""

    batch: Batch
    record: Record
    times: Ints
    chosen: Bools | None
    nan: NanWord

    def places(self) -> Ints | None:
        """Which rows of the batch are accepted; None where all are."""
        return None if self.chosen is None else np.flatnonzero(self.chosen)

    def column(self, path: str) -> Any:
        """The column that a path of the event names; None where the batch has none."""
        holder, _, name = path.partition(".")
        inner = self.batch.columns.get(holder)
        return inner if not name else (inner or {}).get(name)


@dataclass(frozen=True, eq=False, slots=True)
class Batches:
    """Reads the batches of one stream; ``shapes``, ``numbers`` and ``declared`` as in ``StreamDecoder``."""

    stream: Stream
    shapes: tuple[Shape, ...]
    numbers: Mapping[str, int]
    declared: Mapping[str, tuple[int, ...]]
    reader: ColumnReader = field(default_factory=ColumnReader)
    #: Those of shapes that batches were of: to gather them takes a fiftieth of a batch.
    _features: dict[int, frozenset[str]] = field(default_factory=dict)

    def read(self, record: Record) -> Taken | None:
        """The columnar batch that a record holds, if no row of it is in doubt; None: whatever it holds has to be taken as it was.

        :raises RejectedEvent: as ``take``.
        """
        batch = self.reader.read(record.value)
        looked = None if batch is None else self._looked(batch)
        if batch is None or looked is None or looked[1].any():
            return None
        return self._taken(_Rows(batch, record, looked[0], None, NanWord(record)), ())

    def take(self, batch: Batch, record: Record) -> Taken | None:
        """The batch as slabs; None where it has to be read row by row.

        :raises RejectedEvent: it would fill too many cells; known before any is made.
        """
        looked = self._looked(batch)
        if looked is None:
            return None
        times, doubt = looked
        refused = _refused(self.stream, batch, doubt)
        if len(refused) < np.count_nonzero(doubt):
            return None  # the contract accepts what was in doubt
        chosen = ~doubt if refused else None
        rows = _Rows(batch, record, times if chosen is None else times[chosen], chosen, NanWord(record))
        return self._taken(rows, refused)

    def _looked(self, batch: Batch) -> tuple[Ints, Bools] | None:
        """Event times, and which rows are in doubt; None where the whole batch is."""
        about = batch.columns.get("feature" if self.stream == "features" else "model")
        if type(about) is not str or about not in (self.declared if self.stream == "features" else self.numbers):
            return None
        doubt = doubtful(self.stream, batch)
        if doubt is None:
            return None
        times, timeless = times_of(batch.columns["timestamp"])
        return times, doubt | timeless

    def _taken(self, rows: _Rows, refused: Sequence[Rejected]) -> Taken:
        if self.stream != "features":
            return self._of_model(rows, self.numbers[rows.batch.columns["model"]], refused=refused)
        shapes = {number: self.shapes[number] for number in self.declared[rows.batch.columns["feature"]]}
        check_cells(len(rows.times) * sum(shape.columns for shape in shapes.values()))
        return Taken(tuple(_of_values(rows, number, shape) for number, shape in shapes.items()), refused)

    def _of_model(self, rows: _Rows, number: int, *, refused: Sequence[Rejected]) -> Taken:
        shape, columns = self.shapes[number], rows.batch.columns
        held = columns.get("features") if self.stream == "predictions" else None
        features = tuple(held.keys() - self._features_of(number)) if held else ()
        keys = tuple(columns.keys() - WIRES[self.stream].model_fields.keys())
        slab = Slab(
            number, rows.record, rows.times,
            _numbers(rows, shape.narrow), _numbers(rows, shape.wide),
            tuple(_categories(rows, path) for _, path in shape.categorical),
            len(features), len(keys), rows.places(),
        )  # fmt: skip
        return Taken((slab,), refused, _versions(rows), features, keys)

    def _features_of(self, number: int) -> frozenset[str]:
        if number not in self._features:
            self._features[number] = self.shapes[number].features
        return self._features[number]


def _refused(stream: Stream, batch: Batch, doubt: Bools) -> list[Rejected]:
    if not doubt.any():
        return []
    rows = batch.rows()
    found = (judged(stream, rows[at], at) for at in np.flatnonzero(doubt).tolist())
    return [one for one in found if isinstance(one, Rejected)]


def _numbers(rows: _Rows, columns: Columns) -> npt.NDArray[np.float64]:
    found = (rows.column(path) for _, path in columns)
    return matrix_of(found, rows.batch.count, rows=rows.chosen, nan=rows.nan)


def _categories(rows: _Rows, path: str) -> Any:
    column = rows.column(path)
    return categories_of(_as_texts(column) if path in _TEXTS else column, rows=rows.chosen)


#: Names that may be written as whole numbers, however long.
_TEXTS = ("prediction.label", "version", "id")


def _as_texts(labels: Any) -> Any:
    """Labels, versions and ids as the contract has them: a whole number is its text."""
    if type(labels) is Column:
        if int not in labels.kinds:
            return labels
        if labels.distinct is not None:
            return labels._replace(distinct=_as_texts(labels.distinct))
        labels = labels.cells()
    if type(labels) is not list:
        return str(labels) if type(labels) is int else labels
    if int not in set(map(type, labels)):
        return labels
    return [str(label) if type(label) is int else label for label in labels]


def _versions(rows: _Rows) -> Sequence[Any]:
    """Versions of the accepted rows, each once, in order."""
    column = rows.column("version")
    if type(column) is Column:
        column = column.cells() if column.distinct is None else column.distinct
    elif type(column) is not list:
        return [column] if len(rows.times) else []
    return list(dict.fromkeys(column if rows.chosen is None else compress(column, rows.chosen)))


def _of_values(rows: _Rows, number: int, shape: Shape) -> Slab:
    """Values of a feature store: every column but the feature's own is absent, not missing."""
    path, values = f"features.{rows.batch.columns['feature']}", rows.batch.columns["values"]
    narrow, wide = (_absent_but(path, columns, values, rows=rows) for columns in (shape.narrow, shape.wide))
    named = tuple(
        categories_of(values, rows=rows.chosen) if path == other else codes.ABSENT for _, other in shape.categorical
    )
    return Slab(number, rows.record, rows.times, narrow, wide, named, chosen=rows.places())


def _absent_but(path: str, columns: Columns, values: list[Any] | Packed, *, rows: _Rows) -> npt.NDArray[np.float64]:
    found = np.full((len(columns), len(rows.times)), marks.ABSENT_VALUE)
    for at, (_, other) in enumerate(columns):
        if path == other:
            numbers = numbers_of(values, rows.batch.count, nan=rows.nan)
            found[at] = numbers if rows.chosen is None else numbers[rows.chosen]
    return found
