"""A file of rows as typed columns: CSV, Parquet or JSON lines.

Parquet brings its types; how the other two get theirs stands with their readers. A column that is mostly
numbers is never taken for text: the value that breaks it is named, since a misread column would be compared
with the wrong statistics for months.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from stream.command.csv_table import read_csv
from stream.command.json_table import read_json_lines
from stream.command.unusable import unusable

Reader = Callable[[Path, Collection[str], Collection[str]], pa.Table]


def read_table(path: Path, *, as_text: Collection[str] = (), left_out: Collection[str] = ()) -> pa.Table:
    """All columns of the file: those `left_out` by name only (null), those `as_text` in their spelling.

    Raises ConfigError where the file is missing, empty, of an unknown kind, or cannot be read as a table.
    """
    if not path.is_file():
        raise unusable(path, "", "no such file")
    try:
        table = _reader(path)(path, as_text, left_out)
    except (pa.ArrowException, OSError) as error:
        raise unusable(path, "", f"cannot be read: {error}") from None
    if table.num_rows == 0:
        raise unusable(path, "", "holds no rows")
    return table


def read_parquet(path: Path, as_text: Collection[str], left_out: Collection[str]) -> pa.Table:
    """The columns with the types the file gives them; text is never guessed at, so `as_text` adds nothing."""
    file = parquet.ParquetFile(path)
    names = file.schema_arrow.names
    table = file.read(columns=[name for name in names if name not in left_out])
    nothing = pa.nulls(file.metadata.num_rows)
    return pa.table({name: nothing if name in left_out else table[name] for name in names})


READERS: dict[tuple[str, ...], Reader] = {
    (".csv", ".csv.gz"): read_csv,
    (".parquet", ".pq"): read_parquet,
    (".jsonl", ".ndjson"): read_json_lines,
}


def _reader(path: Path) -> Reader:
    for suffixes, reader in READERS.items():
        if path.name.lower().endswith(suffixes):
            return reader
    known = ", ".join(suffix for suffixes in READERS for suffix in suffixes)
    raise unusable(path, "", f"the kind of a file is told by its name, which must end in one of {known}")
