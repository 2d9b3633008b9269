"""The columns of a file of rows in memory: those of a reference by their own types, the current ones in the reference's kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow.types import is_null

from detectors.conventions.vectors import Vectors
from detectors.profile import Coded, Column
from stream.command.batches import Reading, fill
from stream.command.columns import is_embedding, is_name, is_number, times_of
from stream.command.reference_file import nearest
from stream.command.spool import Embeddings, Names, Numbers, Sink, Spool, Times
from stream.command.unusable import unusable

Holds = Literal["names", "numbers", "vectors", "no value"]
Rows = Column | Vectors
SinkOf = Callable[[str, pa.DataType, Path], Sink]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which columns, and how: those of `names` as names, those of `exclude` not at all; `time` names the rows' order.

    together: all numeric columns are compared as one besides.
    """

    exclude: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    time: str | None = None
    pane_ms: int = 3_600_000
    together: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class RowFile:
    """names: of all columns but the time and those left out; times: of the rows, None where they have none.

    left_out: those of the columns to leave out that the file has.
    """

    names: tuple[str, ...]
    columns: Mapping[str, Rows]
    rows: int
    times: NDArray[np.int64] | None
    left_out: frozenset[str]


class Nothing:
    """Takes a column that nobody wants."""

    def append(self, values: pa.Array) -> None:
        """Forgotten."""

    def column(self) -> None:
        """None."""


def reference_rows(path: Path, wanted: Wanted) -> RowFile:
    """Every column by its own type. Raises ConfigError for one that is neither numbers nor names, and for one named in vain."""

    def sink_of(name: str, kind: pa.DataType, file: Path) -> Sink:
        if name in wanted.names:
            return Names(file)
        if is_embedding(kind):
            return _vectors(path, name, file)
        return Numbers(file) if is_number(kind) else _names(path, name, kind, file=file)

    found = _read(path, wanted, sink_of, as_text={*wanted.names})
    for name in wanted.names:
        if name not in found.columns:
            raise unusable(path, name, f"no such column{nearest(name, list(found.names))}")
    return found


def current_rows(path: Path, wanted: Wanted, *, known: Mapping[str, Holds], remedy: str) -> RowFile:
    """The columns that the reference has, by what it holds there; ``remedy`` takes a column as names on both sides.

    Raises ConfigError where the file holds names and the reference does not.
    """

    def sink_of(name: str, kind: pa.DataType, file: Path) -> Sink:
        if name not in known:
            return Nothing()
        if known[name] == "vectors" and (is_embedding(kind) or is_null(kind)):
            return _vectors(path, name, file)
        if is_embedding(kind) or known[name] == "vectors":
            message = f"holds {kind} values, and in the reference {known[name]}; --exclude {name} leaves it out"
            raise unusable(path, name, message)
        if known[name] == "names":
            return Names(file) if is_number(kind) else _names(path, name, kind, file=file)
        if not is_number(kind):
            way = f"{remedy} {name} takes both as names, --exclude {name} leaves it out"
            raise unusable(path, name, f"holds {kind} values, and in the reference {known[name]}; {way}")
        return Numbers(file)

    found = _read(path, wanted, sink_of, as_text={name for name, holds in known.items() if holds == "names"})
    columns = {name: column for name, column in found.columns.items() if name in known}
    return replace(found, columns=columns)


def _read(path: Path, wanted: Wanted, sink_of: SinkOf, *, as_text: set[str]) -> RowFile:
    def timed(name: str, kind: pa.DataType, file: Path) -> Sink:
        if name != wanted.time:
            return sink_of(name, kind, file)
        return Times(file, lambda values, before: times_of(values, path=path, name=name, before=before))

    with TemporaryDirectory(prefix="driftline-") as folder:
        spool = Spool(Path(folder), timed)
        spelled = as_text | ({wanted.time} if wanted.time else set())
        fill(spool, path, Reading(spelled, set(wanted.exclude), names=lambda names: None, rows=lambda rows: None))
        left = tuple(name for name in spool.names if name not in (*wanted.exclude, wanted.time))
        times = np.array(spool.column(wanted.time)) if wanted.time in spool.names else None
        left_out = frozenset(wanted.exclude).intersection(spool.names)
        return RowFile(left, {name: _kept(spool.column(name)) for name in left}, spool.rows, times, left_out)


def _kept(column: Rows | None) -> Rows:
    """A column in memory, since its file goes away."""
    if isinstance(column, Coded):
        return Coded(column.names, np.array(column.codes))
    if isinstance(column, Vectors):
        return Vectors(np.array(column.rows))
    return np.array([] if column is None else column, dtype=np.float64)


def _vectors(path: Path, name: str, file: Path) -> Sink:
    return Embeddings(file, refuse=lambda message: unusable(path, name, f"{message}; --exclude {name} leaves it out"))


def _names(path: Path, name: str, kind: pa.DataType, *, file: Path) -> Sink:
    if not is_name(kind):
        message = (
            f"is of type {kind}, which is neither numbers, lists of them nor names; --exclude {name} leaves it out"
        )
        raise unusable(path, name, message)
    return Names(file)
