"""What of a fetch is read in one go: batches whose records lie in one text, the fetch's own bytes or what was unpacked of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from aiokafka.errors import CorruptRecordException

from stream.compiled import batches as kernel
from stream.compiled.batches import AT, ATTRIBUTES, COLUMNS, END, LEAST_RECORD, LEFT, PACKED
from stream.packed import unpacked
from stream.records import Record, Records, Spans, Taken

#: A row of the table of batches.
Row = list[int]


class Stretch:
    """Batches of message format 2, read bit by bit."""

    def __init__(self, text: bytes, table: kernel.Table, said: int) -> None:
        self._text, self._table, self._row = np.frombuffer(text, np.uint8), table, 0
        #: A batch may say that it holds more than its bytes can.
        self._room = min(said, len(text) // LEAST_RECORD)

    def take(self, most: int, floor: int) -> tuple[Records, int]:
        """The next records from the offset ``floor`` on, at most so many, and the floor of those behind them.

        :raises CorruptRecordException: the next one is damaged.
        """
        found = np.empty((kernel.ROWS, max(1, min(most, self._room))), np.int64)
        count, self._row, reached, damaged = kernel.records(self._text, self._table, self._row, floor, found)
        self._room -= count
        if damaged and not count:
            raise CorruptRecordException("a record does not end where it should")
        offsets, times, key, key_end, value, value_end = found[:, :count]
        return Records(self._text, offsets, times, Spans(key, key_end), Spans(value, value_end)), int(reached)

    def is_left(self) -> bool:
        """Whether there may be more."""
        return self._row < len(self._table)


class Old:
    """Records of an older format, of which aiokafka makes objects."""

    def __init__(self, found: Iterable[Any], end: int) -> None:
        self._records, self._end = Records.of([_taken(one) for one in found]), end

    def take(self, most: int, floor: int) -> tuple[Records, int]:
        """The next records, at most so many, and the floor of those behind them."""
        found, self._records = self._records[:most], self._records[most:]
        return found, int(found.offsets[-1]) + 1 if self.is_left() else max(floor, self._end)

    def is_left(self) -> bool:
        """Whether there are more."""
        return len(self._records) > 0


def stretch_of(text: bytes, rows: list[Row]) -> Stretch:
    """Of batches that are all packed, or all not."""
    if rows[0][ATTRIBUTES] & PACKED:
        text, rows = _joined(text, rows)
    return Stretch(text, np.array(rows, np.int64).reshape(-1, COLUMNS), sum(max(0, row[LEFT]) for row in rows))


def _joined(text: bytes, rows: list[Row]) -> tuple[bytes, list[Row]]:
    """What packed batches hold, one behind the other, and the rows of it."""
    parts, moved, at = [], [], 0
    for row in rows:
        parts.append(unpacked(memoryview(text)[row[AT] : row[END]], row[ATTRIBUTES] & PACKED))
        moved.append(row.copy())
        moved[-1][AT], moved[-1][END] = at, at + len(parts[-1])
        at += len(parts[-1])
    return b"".join(parts), moved


def _taken(record: Record) -> Taken:
    """Before format 1 records had no time."""
    time: int | None = record.timestamp
    return Taken(record.offset, -1 if time is None else time, record.key, record.value)
