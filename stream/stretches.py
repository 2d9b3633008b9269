"""What of a fetch is read in one go: batches whose records lie in one text, the fetch's own bytes or what was unpacked of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import numpy as np
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError

from schemas.events import MOST_BYTES
from stream.compiled import batches as kernel
from stream.compiled.batches import (
    AT,
    ATTRIBUTES,
    BASE,
    COLUMNS,
    END,
    FIRST,
    LEAST_RECORD,
    LEFT,
    MAX_TIME,
    NEXT,
    PACKED,
)
from stream.packed import MOST, TooLarge, unpacked
from stream.records import Record, Records, Spans, Taken

log = logging.getLogger(__name__)

#: Of a batch: where it says how far behind its first record the last one is.
_LAST = 23
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


class Packed:
    """Packed batches, unpacked when they are read, and no more of them together than one may hold.

    In the place of one that holds more stands a record, its last one, that is too large for whoever reads it: it is refused and
    counted like any other, and what is behind it is read.
    """

    def __init__(self, text: bytes, rows: list[Row], tp: TopicPartition) -> None:
        self._text, self._rows, self._tp = text, rows, tp
        self._open: Stretch | Old | None = None

    def take(self, most: int, floor: int) -> tuple[Records, int]:
        """The next records, at most so many, and the floor of those behind them.

        :raises CorruptRecordException: the next one is damaged, or its batch is.
        """
        if self._open is None:
            self._open = self._unpacked() or self._too_large(floor)
        found = self._open.take(most, floor)
        if not self._open.is_left():
            self._open = None
        return found

    def is_left(self) -> bool:
        """Whether there may be more."""
        return self._open is not None or bool(self._rows)

    def _unpacked(self) -> Stretch | None:
        """What the next batches hold, one behind the other; None: the first of them holds more than it may."""
        parts, moved, at = list[bytes](), list[Row](), 0
        for row in self._rows:
            try:
                part = unpacked(memoryview(self._text)[row[AT] : row[END]], row[ATTRIBUTES] & PACKED, MOST - at)
            except (TooLarge, CorruptRecordException, UnsupportedCodecError) as why:
                if not parts and not isinstance(why, TooLarge):
                    raise
                break  # what stands before it is taken first
            parts.append(part)
            moved.append([*row])
            moved[-1][AT], moved[-1][END] = at, at + len(part)
            at += len(part)
        del self._rows[: len(parts)]
        return _stretch(b"".join(parts), moved) if parts else None

    def _too_large(self, floor: int) -> Old:
        row = self._rows.pop(0)
        last = row[BASE] + int.from_bytes(self._text[row[FIRST] + _LAST : row[FIRST] + _LAST + 4], "big", signed=True)
        said = f"a batch of {row[LEFT]} records, offsets {row[BASE]} to {last}, unpacks to more than {MOST} bytes"
        log.error("%s:%d: %s; none of them is counted", self._tp.topic, self._tp.partition, said)
        instead = Taken(last, row[MAX_TIME], None, said.encode().ljust(MOST_BYTES + 1))
        return Old([instead] if instead.offset >= floor else [], row[NEXT])


def stretch_of(text: bytes, rows: list[Row], tp: TopicPartition) -> Stretch | Packed:
    """Of batches that are all packed, or all not."""
    return Packed(text, rows, tp) if rows[0][ATTRIBUTES] & PACKED else _stretch(text, rows)


def _stretch(text: bytes, rows: list[Row]) -> Stretch:
    return Stretch(text, np.array(rows, np.int64).reshape(-1, COLUMNS), sum(max(0, row[LEFT]) for row in rows))


def _taken(record: Record) -> Taken:
    """Before format 1 records had no time."""
    time: int | None = record.timestamp
    return Taken(record.offset, -1 if time is None else time, record.key, record.value)
