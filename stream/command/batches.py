"""A file of rows as columns on disk (`stream.command.spool`), read a batch at a time: CSV, Parquet or JSON lines.

Parquet brings its types; how the other two get theirs stands with their readers. A column that is mostly numbers is never taken
for text: the value that breaks it is named, since a misread column would be compared with the wrong statistics for months.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from stream.command.csv_batches import CsvBatches
from stream.command.json_batches import json_batches
from stream.command.spool import Batch, Spool
from stream.command.unusable import no_file, unusable

ROWS = 1 << 14
"""Rows of a Parquet file that are decoded at a time."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Which columns are read in their spelling, and which by name only.

    ``names`` is told those of all columns as soon as they are known, ``rows`` how many have been read.
    """

    as_text: Collection[str]
    left_out: Collection[str]
    names: Callable[[list[str]], None]
    rows: Callable[[int], None]


def fill(spool: Spool, path: Path, reading: Reading) -> None:
    """All columns of the file into the spool.

    Raises ConfigError where the file is missing, empty, of an unknown kind, or cannot be read as a table.
    """
    if not path.is_file():
        raise unusable(path, "", no_file(path))
    try:
        _reader(path)(spool, path, reading)
    except (pa.ArrowException, OSError) as error:
        raise unusable(path, "", f"cannot be read: {error}") from None
    if spool.rows == 0:
        raise unusable(path, "", "holds no rows")


def _fill_csv(spool: Spool, path: Path, reading: Reading) -> None:
    batches = CsvBatches(path, reading.as_text, reading.left_out)
    reading.names(batches.names)
    _append(spool, batches, reading)
    for name in batches.misread:
        spool.replace(name, batches.texts(name))


def _fill_parquet(spool: Spool, path: Path, reading: Reading) -> None:
    file = parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
    reading.names(file.schema_arrow.names)
    _append(spool, _parquet_batches(file, reading.left_out), reading)


def _fill_json(spool: Spool, path: Path, reading: Reading) -> None:
    _append(spool, json_batches(path, reading.as_text, reading.left_out), reading)
    if spool.rows:
        reading.names(spool.names)


def _append(spool: Spool, batches: CsvBatches | Iterator[Batch], reading: Reading) -> None:
    for rows, columns in batches:
        spool.append(rows, columns)
        reading.rows(spool.rows)


def _parquet_batches(file: parquet.ParquetFile, left_out: Collection[str]) -> Iterator[Batch]:
    """The columns with the types the file gives them; text is never guessed at."""
    names = file.schema_arrow.names
    chosen = [name for name in names if name not in left_out]
    for batch in file.iter_batches(ROWS, columns=chosen, use_threads=False):
        yield batch.num_rows, {name: pa.nulls(batch.num_rows) if name in left_out else batch[name] for name in names}


READERS: dict[tuple[str, ...], Callable[[Spool, Path, Reading], None]] = {
    (".csv", ".csv.gz"): _fill_csv,
    (".parquet", ".pq"): _fill_parquet,
    (".jsonl", ".ndjson"): _fill_json,
}


def _reader(path: Path) -> Callable[[Spool, Path, Reading], None]:
    for suffixes, reader in READERS.items():
        if path.name.lower().endswith(suffixes):
            return reader
    known = ", ".join(suffix for suffixes in READERS for suffix in suffixes)
    raise unusable(path, "", f"the kind of a file is told by its name, which must end in one of {known}")
