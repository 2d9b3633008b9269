"""A file of rows as typed columns: CSV, Parquet or JSON lines.

Parquet brings its types. A CSV column is numbers where every value that is not missing is one, else text; values
of JSON lines have one type a column. A column that is mostly numbers is no text: the value that breaks it is
named, since a misread column would be compared with the wrong statistics for months.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from schemas.errors import ConfigError, Problem

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""Spellings of a missing value in CSV."""


def read_table(path: Path, *, as_text: Collection[str] = (), left_out: Collection[str] = ()) -> pa.Table:
    """All columns of the file but those `left_out`; those `as_text` keep their spelling.

    Raises ConfigError where the file is missing, empty, of an unknown kind, or cannot be read as a table.
    """
    if not path.is_file():
        raise unusable(path, "", "no such file")
    try:
        table = _reader(path)(path, as_text, left_out)
    except (pa.ArrowInvalid, OSError) as error:
        raise unusable(path, "", f"cannot be read: {error}") from None
    if table.num_rows == 0:
        raise unusable(path, "", "holds no rows")
    return table


def unusable(path: Path, column: str, message: str, *, line: int = 0) -> ConfigError:
    """The error about one place of the file; `column` and `line` may be empty and 0."""
    return ConfigError([Problem(str(path), line, column, message)])


Reader = Callable[[Path, Collection[str], Collection[str]], pa.Table]


def _reader(path: Path) -> Reader:
    for suffixes, reader in _READERS.items():
        if path.name.lower().endswith(suffixes):
            return reader
    raise unusable(path, "", "the name must end in .csv, .csv.gz, .parquet, .jsonl or .ndjson")


def _read_parquet(path: Path, as_text: Collection[str], left_out: Collection[str]) -> pa.Table:
    file = parquet.ParquetFile(path)
    return file.read(columns=[name for name in file.schema_arrow.names if name not in left_out])


def _read_csv(path: Path, as_text: Collection[str], left_out: Collection[str]) -> pa.Table:
    with csv.open_csv(path) as opened:
        names = opened.schema.names
    _check_distinct(path, names)
    kept = [name for name in names if name not in left_out]
    options = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), include_columns=kept)
    table = csv.read_csv(path, convert_options=options)
    columns = [_csv_column(path, name, table[name], typed=name not in as_text) for name in kept]
    return pa.table(columns, names=kept)


def _check_distinct(path: Path, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise unusable(path, twice[0], "two columns have this name; rename one")


def _csv_column(path: Path, name: str, text: pa.ChunkedArray, *, typed: bool) -> pa.ChunkedArray:
    """Numbers where every value that is not missing is one, else the text."""
    text = pc.if_else(pc.is_in(text, value_set=pa.array(MISSING)), pa.scalar(None, pa.string()), text)
    if not typed:
        return text
    encoded = text.combine_chunks().dictionary_encode()
    numbers = [_number(value) for value in encoded.dictionary.to_pylist()]
    strange = [index for index, number in enumerate(numbers) if number is None]
    if len(strange) == len(numbers) and numbers:
        return text
    if strange:
        return _judge_mixed(path, name, text, encoded, strange)
    return pa.chunked_array([pa.array(numbers, pa.float64()).take(encoded.indices)])


def _judge_mixed(
    path: Path, name: str, text: pa.ChunkedArray, *, encoded: pa.DictionaryArray, strange: list[int]
) -> pa.ChunkedArray:
    """Text where at least half of the values are no numbers; else the first that is none is a mistake."""
    is_strange = pc.is_in(encoded.indices, value_set=pa.array(strange, encoded.indices.type))
    values, odd = len(text) - text.null_count, pc.sum(is_strange).as_py()
    if 2 * odd >= values:
        return text
    row = pc.index(is_strange, True).as_py()
    raise unusable(
        path,
        name,
        f"row {row + 1}: {text[row].as_py()!r} is no number, but {values - odd} of {values} values are: "
        f"correct it, or say --categorical {name}, or --exclude {name}",
    )


def _number(text: str) -> float | None:
    if "_" in text:  # Python reads 1_000 as a number; nobody else does
        return None
    try:
        return float(text)
    except ValueError:
        return None
