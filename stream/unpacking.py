"""Records of a fetch, without an object for each: compiled code says where each lies in the response's bytes.

Which batches are read is aiokafka's own rule, told again here: checksums hold, markers and aborted transactions are no
records, and what lies before the offset that was asked for is passed over.  With ``transport.py`` and ``fetching.py`` the only
files that touch aiokafka's private names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from aiokafka import conn
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch

from stream.compiled import batches as kernel
from stream.compiled.batches import (
    ATTRIBUTES,
    BASE,
    CONTROL,
    DAMAGED,
    END,
    FIRST,
    KIND,
    LEFT,
    LOOK,
    NEXT,
    OLD,
    PACKED,
    PRODUCER,
    TRANSACTION,
)
from stream.records import Records
from stream.stretches import Old, Packed, Row, Stretch, stretch_of

#: Where nobody says how many.
_ALL = 1 << 62
_NONE = Records.of([])
#: A response is read to its end before anybody sees it, whatever is held of it: with aiokafka's 64 KiB its socket is taken from
#: the event loop's selector, and put back, eight times a megabyte.
_READER_LIMIT = 1 << 22
#: Before a batch's own bytes: its offset and its length.
_BEFORE = 12
_MAGIC = 16


class Response:
    """The bytes of one partition in the response to a fetch: batches, the last of which may be cut off."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def size_in_bytes(self) -> int:
        """Of all, the last one's part too."""
        return len(self.data)

    def has_next(self) -> bool:
        """Whether it holds a whole batch."""
        behind = len(self.data) - _BEFORE
        return behind >= 0 and behind >= int.from_bytes(self.data[8:_BEFORE], "big", signed=True)


class Unpacked(fetcher.PartitionRecords):  # type: ignore[misc] # aiokafka ships no types
    """The records of one partition that one fetch returned; ``next_fetch_offset`` is behind the last one taken."""

    next_fetch_offset: int
    _records: Response
    #: What is being read, and the batches behind it: rows of the table from here on.
    _stretch: Stretch | Packed | Old | None = None
    _rows: list[Row] | None = None
    _row: int = 0

    def _unpack_records(self) -> Iterator[Any]:
        """Nothing: a generator of this object's that nobody runs would keep it, and a megabyte, until the collector came."""
        return iter(())

    def take(self, most: int) -> Records:
        """The next records, at most so many; none where none are left.

        :raises CorruptRecordException: what is next is damaged; what stands before it was taken.
        """
        while self._has_stretch(most) and self._stretch is not None:
            found, self.next_fetch_offset = self._stretch.take(most, self.next_fetch_offset)
            if not self._stretch.is_left():
                self._stretch = None
            if found:
                return found
        return _NONE

    def is_left(self) -> bool:
        """Whether there may be more."""
        return self._stretch is not None or self._rows is None or self._row < len(self._rows)

    def _has_stretch(self, most: int) -> bool:
        """Whether records may be left, once those batches that hold none are passed."""
        if self._stretch is None and self._rows is None:
            self._look()
        if self._stretch is None:
            self._stretch = self._next(most)
        return self._stretch is not None

    def _look(self) -> None:
        """See what batches there are; where none needs a closer look, all of them are read as one."""
        table, said = kernel.batches(np.frombuffer(self._records.data, np.uint8))
        if table[:, KIND].any():
            self._rows = table.tolist()
        else:
            self._rows, self._stretch = [], Stretch(self._records.data, table, int(said))

    def _next(self, most: int) -> Stretch | Packed | Old | None:
        """The next batches that can be read as one, of about so many records; those that hold none are passed."""
        found, room = list[Row](), most
        for row in self._left():
            if row[KIND] == DAMAGED and not found:
                raise CorruptRecordException(f"{self._tp}: a batch from {self.next_fetch_offset} on is damaged")
            if row[KIND] == OLD and not found:
                return self._old(row)
            if row[KIND] == LOOK and self._is_passed_over(row):
                self._pass(row, found)
            elif found and (row[LEFT] > room or not _alike(row, found[0])):
                break
            else:
                found.append(row)
                room -= max(0, row[LEFT])
            self._row += 1
        return stretch_of(self._records.data, found, self._tp) if found else None

    def _left(self) -> Iterator[Row]:
        rows = self._rows or []
        return (rows[at] for at in range(self._row, len(rows)))

    def _pass(self, row: Row, found: list[Row]) -> None:
        if found:
            found[-1][NEXT] = max(found[-1][NEXT], row[NEXT])
        else:
            self.next_fetch_offset = max(self.next_fetch_offset, row[NEXT])

    def _is_passed_over(self, row: Row) -> bool:
        control = bool(row[ATTRIBUTES] & CONTROL)
        if self._isolation_level == fetcher.READ_COMMITTED:
            self._consume_aborted_up_to(row[BASE])
            if control and self._contains_abort_marker(DefaultRecordBatch(self._bytes(row))):
                self._aborted_producers.discard(row[PRODUCER])
            if row[ATTRIBUTES] & TRANSACTION and row[PRODUCER] in self._aborted_producers:
                return True
        return control

    def _old(self, row: Row) -> Old:
        data = self._bytes(row)
        batch = LegacyRecordBatch(data, data[_MAGIC])
        if not batch.validate_crc():
            raise CorruptRecordException(f"Invalid CRC - {self._tp}")
        self._row += 1
        return Old([record for record in batch if record.offset >= self.next_fetch_offset], batch.next_offset)

    def _bytes(self, row: Row) -> bytes:
        return self._records.data[row[FIRST] : row[END]]


def _alike(row: Row, first: Row) -> bool:
    """Whether a batch is read with one before it."""
    return row[KIND] < OLD and bool(row[ATTRIBUTES] & PACKED) == bool(first[ATTRIBUTES] & PACKED)


class Fetched(fetcher.FetchResult):  # type: ignore[misc]
    """What a fetch returned of one partition, and whether it still is what should be read of it."""

    _partition_records: Unpacked | None

    def getall(self, max_records: int | None = None) -> Records:
        """The next records, at most so many; none any more once the partition was lost, paused or placed elsewhere."""
        if self._partition_records is None or not self.check_assignment(self._topic_partition):
            return _NONE
        held, self._partition_records = self._partition_records, None  # nothing is read behind a damaged batch
        found = held.take(_ALL if max_records is None else max_records)
        self._partition_records = held
        self._update_position()
        if not held.is_left():
            self._partition_records = None  # so that the next fetch is asked for now
        return found


def install() -> None:
    """Have aiokafka's fetcher make these of what it fetches."""
    fetcher.MemoryRecords, fetcher.PartitionRecords, fetcher.FetchResult = Response, Unpacked, Fetched
    conn.READER_LIMIT = _READER_LIMIT
