"""CSV as typed columns: numbers where every value that is not missing is one, else text.

The whole column decides, not its first block; and where most values are numbers, one that is none is taken
for a mistake and named.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from stream.command.unusable import unusable

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""Spellings of a missing value."""


def read_csv(path: Path, as_text: Collection[str], left_out: Collection[str]) -> pa.Table:
    """The columns as double or string; those `as_text` keep their spelling, those `left_out` are null.

    Raises ConfigError for two columns of one name and for a column that is mostly numbers.
    """
    with csv.open_csv(path) as opened:
        names = opened.schema.names
    _check_distinct(path, names)
    options = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
    parsing = csv.ParseOptions(newlines_in_values=True)
    table = csv.read_csv(path, parse_options=parsing, convert_options=options)
    return pa.table({name: _column(table, name, path=path, as_text=as_text, left_out=left_out) for name in names})


def _column(table: pa.Table, name: str, *, path: Path, as_text: Collection[str], left_out: Collection[str]) -> pa.Array:
    if name in left_out:
        return pa.nulls(table.num_rows)
    text = _without_missing(table[name])
    return text if name in as_text else _typed(text, path=path, name=name)


def _check_distinct(path: Path, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise unusable(path, twice[0], "two columns have this name: rename one")


def _without_missing(column: pa.ChunkedArray) -> pa.StringArray:
    text = column.combine_chunks()
    return pc.if_else(pc.is_in(text, value_set=pa.array(MISSING)), pa.scalar(None, pa.string()), text)


def _typed(text: pa.StringArray, *, path: Path, name: str) -> pa.Array:
    """Numbers if all are, text if half or more are none; else the first that is none is a mistake."""
    encoded = text.dictionary_encode()
    numbers = [_number(value) for value in encoded.dictionary.to_pylist()]
    strange = pa.array([number is None for number in numbers], pa.bool_()).take(encoded.indices)
    odd, values = pc.sum(strange).as_py() or 0, len(text) - text.null_count
    if odd == 0:
        return pa.array(numbers, pa.float64()).take(encoded.indices)
    if 2 * odd >= values:
        return text
    row = pc.index(strange, True).as_py()
    raise unusable(
        path,
        name,
        f"row {row + 1}: {text[row].as_py()!r} is no number, but {values - odd} of {values} values are; "
        f"correct it, or --categorical {name} takes all as names, or --exclude {name}",
    )


def _number(text: str) -> float | None:
    """The number, infinities included; Python's 1_000 is none, because nobody else writes so."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None
