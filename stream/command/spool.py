"""Columns of a file on disk, 8 bytes a row, so that a reference can be built of more rows than memory holds.

Batches of rows go in; a column comes out as an array that the operating system maps from its file and drops from memory when
that is short. Only distinct names are kept in memory. What a column is (numbers, names, times) is told by the first batch in
which it has a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from detectors.conventions.vectors import Vectors
from detectors.edges import Floats
from detectors.profile import Coded
from schemas.errors import ConfigError
from stream.command.columns import name_of
from stream.command.unusable import unusable

Ints = NDArray[np.int64]
Batch = tuple[int, Mapping[str, pa.Array]]
"""So many rows, and their columns by name."""


class Sink(Protocol):
    """Takes a column's values in the order of the rows."""

    def append(self, values: pa.Array) -> None:
        """The values of the next rows; null is missing."""

    def column(self) -> Any:
        """All of them, once no more come."""


class Numbers:
    """A column of numbers: NaN where one is missing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, values: pa.Array) -> None:
        _write(self._path, values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))

    def column(self) -> Floats:
        return _mapped(self._path, np.float64)


class Names:
    """A column of names: true and false as JSON writes them, whole numbers without a point."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._codes: dict[str, int] = {}

    def append(self, values: pa.Array) -> None:
        plain = values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
        encoded = plain.dictionary_encode()
        distinct = [self._code(name_of(value)) for value in encoded.dictionary.to_pylist()]
        place = pc.fill_null(encoded.indices, len(distinct)).to_numpy(zero_copy_only=False)
        _write(self._path, np.array([*distinct, -1], np.int64)[place])

    def column(self) -> Coded:
        return Coded(tuple(self._codes), _mapped(self._path, np.int64))

    def _code(self, name: str | None) -> int:
        return -1 if name is None else self._codes.setdefault(name, len(self._codes))


class Embeddings:
    """A column of vectors, all as long as the first: NaN throughout where a row has none, and where an entry is missing."""

    def __init__(self, path: Path, refuse: Callable[[str], ConfigError]) -> None:
        """``refuse`` makes the error of what no column of vectors can hold."""
        self._path, self._refuse, self._rows, self._width = path, refuse, 0, 0

    def append(self, values: pa.Array) -> None:
        held = values.is_valid().to_numpy(zero_copy_only=False)
        if held.any():
            self._check_lengths(values)
            flat = values.drop_null().flatten().cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
            rows = np.full((len(values), self._width), np.nan)
            rows[held] = flat.reshape(-1, self._width)
            _write(self._path, rows)
        elif self._width:
            _write(self._path, np.full((len(values), self._width), np.nan))
        self._rows += len(values)

    def column(self) -> Vectors:
        return Vectors(
            _mapped(self._path, np.float64).reshape(self._rows, -1) if self._width else np.empty((self._rows, 0))
        )

    def _check_lengths(self, values: pa.Array) -> None:
        lengths = pc.list_value_length(values)
        if not self._width:
            self._width = next(length for length in lengths.to_pylist() if length is not None)
            _write(self._path, np.full((self._rows, self._width), np.nan))
        if not self._width:
            raise self._refuse(f"row {self._rows + 1}: is a list without numbers")
        other = pc.index(pc.not_equal(lengths, self._width), True).as_py()
        if other >= 0:
            message = f"row {self._rows + other + 1}: holds {lengths[other]} numbers, and rows before {self._width}"
            raise self._refuse(message)


class Times:
    """Each row's time in epoch milliseconds."""

    def __init__(self, path: Path, times_of: Callable[[pa.Array, int], Ints]) -> None:
        """``times_of`` reads the times of values that stand behind so many rows."""
        self._path, self._times_of, self._rows = path, times_of, 0

    def append(self, values: pa.Array) -> None:
        _write(self._path, self._times_of(values, self._rows))
        self._rows += len(values)

    def column(self) -> Ints:
        return _mapped(self._path, np.int64)


class Spool:
    """The columns of one file, in a folder of their own; ``sink_of(name, type, path)`` says what a column is."""

    def __init__(self, folder: Path, sink_of: Callable[[str, pa.DataType, Path], Sink]) -> None:
        self.names: list[str] = []
        self.rows = 0
        self._paths: Iterator[Path] = (folder / str(number) for number in count())
        self._sink_of = sink_of
        self._sinks: dict[str, Sink] = {}

    def append(self, rows: int, batch: Mapping[str, pa.Array]) -> None:
        """The next rows; a column that the batch does not have is missing in them."""
        self.names += [name for name in batch if name not in self.names]
        for name in self.names:
            self._append(name, batch[name] if name in batch else pa.nulls(rows))
        self.rows += rows

    def replace(self, name: str, texts: Iterator[pa.Array]) -> None:
        """A column that was read once more, as text."""
        sink = self._sinks[name] = self._sink_of(name, pa.string(), next(self._paths))
        for text in texts:
            sink.append(text)

    def column(self, name: str) -> Any:
        """A column as what it is; one that never had a value is missing in every row."""
        if name not in self._sinks:
            self._begin(name, pa.null(), rows=self.rows)
        return self._sinks[name].column()

    def _append(self, name: str, values: pa.Array) -> None:
        if name not in self._sinks:
            if pa.types.is_null(values.type):
                return
            self._begin(name, values.type, rows=self.rows)
        self._sinks[name].append(values)

    def _begin(self, name: str, kind: pa.DataType, *, rows: int) -> None:
        """A column's first value stands behind so many rows without one."""
        sink = self._sinks[name] = self._sink_of(name, kind, next(self._paths))
        for start in range(0, rows, 1 << 16):
            sink.append(pa.nulls(min(1 << 16, rows - start)))


def _write(path: Path, values: NDArray[Any]) -> None:
    """Opened for each batch: a file may have more columns than a process may have files open."""
    try:
        with path.open("ab") as file:
            file.write(np.ascontiguousarray(values).data)
    except OSError as error:
        raise unusable(
            path.parent, "", f"cannot hold the columns meanwhile, 8 bytes a value: {error.strerror}"
        ) from None


def _mapped(path: Path, kind: type[Any]) -> NDArray[Any]:
    """A view of the file; changes of it are written there."""
    if not path.exists() or not path.stat().st_size:
        return np.empty(0, kind)
    return np.asarray(np.memmap(path, kind, "r+"))
