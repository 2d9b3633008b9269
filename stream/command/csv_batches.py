"""CSV as typed columns, a block of rows at a time: numbers where every value that is not missing is one, else text.

The whole column decides, not its first block; and where most values are numbers, one that is none is taken for a mistake and
named.  So a column is read as what its first values are; one that proves to be text is read once more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from stream.command.spool import Batch
from stream.command.unusable import unusable

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""Spellings of a missing value."""
BLOCK = 1 << 20
"""Bytes of the file that are read at a time; no row may be longer."""


@dataclass(slots=True)
class _Seen:
    """Of a column whose type is found: values so far, those that are no number, and the first of these."""

    values: int = 0
    odd: int = 0
    first_odd: tuple[int, str] | None = None
    as_text: bool = False

    @property
    def mostly_text(self) -> bool:
        return bool(self.odd) and 2 * self.odd >= self.values


class CsvBatches:
    """Iterate once; then ``misread`` names the columns of text that were taken for numbers."""

    def __init__(self, path: Path, as_text: Collection[str], left_out: Collection[str]) -> None:
        """:raises ConfigError: two columns of one name."""
        self._path, self._as_text, self._left_out = path, as_text, left_out
        with csv.open_csv(path, _reading()) as opened:
            self.names: list[str] = opened.schema.names
        self._check_distinct()
        self._seen: dict[str, _Seen] = {}
        self._rows = 0

    def __iter__(self) -> Iterator[Batch]:
        """:raises ConfigError: at the end, for a column that is mostly numbers."""
        for batch in _text(self._path, self.names):
            columns = {name: self._typed(name, text) for name, text in zip(self.names, batch.columns, strict=True)}
            self._rows += batch.num_rows
            yield batch.num_rows, columns
        self._check_mistakes()

    @property
    def misread(self) -> list[str]:
        return [name for name, seen in self._seen.items() if seen.mostly_text and not seen.as_text]

    def texts(self, name: str) -> Iterator[pa.Array]:
        """One column, as text."""
        return (_without_missing(batch.column(0)) for batch in _text(self._path, [name]))

    def _typed(self, name: str, column: pa.Array) -> pa.Array:
        if name in self._left_out:
            return pa.nulls(len(column))
        text = _without_missing(column)
        return text if name in self._as_text else self._numbers_or_text(name, text)

    def _numbers_or_text(self, name: str, text: pa.Array) -> pa.Array:
        """Null until the first value; then numbers (null where one is none), or text if half of the block's are none."""
        seen = self._seen.setdefault(name, _Seen())
        if text.null_count == len(text) and not seen.values:
            return pa.nulls(len(text))
        first = not seen.values
        numbers = self._numbers(text, seen)
        if first:
            seen.as_text = seen.mostly_text
        return text if seen.as_text else numbers

    def _numbers(self, text: pa.Array, seen: _Seen) -> pa.Array:
        seen.values += len(text) - text.null_count
        numbers = _cast(text)
        return self._numbers_one_by_one(text, seen) if numbers is None else numbers

    def _numbers_one_by_one(self, text: pa.Array, seen: _Seen) -> pa.Array:
        encoded = text.dictionary_encode()
        numbers = [number_of(value) for value in encoded.dictionary.to_pylist()]
        if None in numbers:
            strange = pa.array([number is None for number in numbers], pa.bool_()).take(encoded.indices)
            seen.odd += pc.sum(strange).as_py()
            if seen.first_odd is None:
                row = pc.index(strange, True).as_py()
                seen.first_odd = self._rows + row, text[row].as_py()
        return pa.array(numbers, pa.float64()).take(encoded.indices)

    def _check_distinct(self) -> None:
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise unusable(self._path, twice[0], "two columns have this name: rename one")

    def _check_mistakes(self) -> None:
        for name, seen in self._seen.items():
            if seen.first_odd is not None and not seen.mostly_text:
                row, value = seen.first_odd
                raise unusable(
                    self._path,
                    name,
                    f"row {row + 1}: {value!r} is no number, but {seen.values - seen.odd} of {seen.values} values are; "
                    f"correct it, or --categorical {name} takes all as names, or --exclude {name}",
                )


def _cast(text: pa.Array) -> pa.Array | None:
    """Numbers by Arrow, which is far faster than Python; None where it may read otherwise: blanks, NaN."""
    try:
        numbers = text.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    return None if pc.any(pc.is_nan(numbers)).as_py() else numbers


def _text(path: Path, names: list[str]) -> Iterator[pa.RecordBatch]:
    options = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), include_columns=names)
    parsing = csv.ParseOptions(newlines_in_values=True)
    with csv.open_csv(path, _reading(), parsing, options) as opened:
        yield from opened


def _reading() -> csv.ReadOptions:
    """On one thread: several decode no faster what Python must look at, hold more blocks, and forget an error's row."""
    return csv.ReadOptions(block_size=BLOCK, use_threads=False)


def _without_missing(text: pa.Array) -> pa.Array:
    return pc.if_else(pc.is_in(text, value_set=pa.array(MISSING)), pa.scalar(None, pa.string()), text)


def number_of(text: str) -> float | None:
    """The number, infinities included; Python's 1_000 is none, because nobody else writes so."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None
