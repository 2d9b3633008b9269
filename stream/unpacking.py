"""Records of a fetch, taken batch by batch in C: aiokafka makes an object of eleven fields of each, one by one in Python.

What of a fetch is read is aiokafka's own rule, told again here: checksums hold, markers and aborted transactions are no
records, and what lies before the offset that was asked for is passed over.  With ``transport.py`` and ``fetching.py`` the only
files that touch aiokafka's private names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, dropwhile, islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException

from stream.records import Record

#: Where nobody says how many.
_ALL = 1 << 62


class Unpacked(fetcher.PartitionRecords):  # type: ignore[misc] # aiokafka ships no types
    """The records of one partition that one fetch returned; ``next_fetch_offset`` is behind the last one taken."""

    next_fetch_offset: int
    #: The batch of which records are left, and those: a batch can be iterated over once, but not in two goes.
    _batch: Any = None
    _rest: Iterator[Record] = iter(())

    def _unpack_records(self) -> Iterator[Record]:
        """Nothing: a generator of this object's that nobody runs would keep it, and a megabyte, until the collector came."""
        return iter(())

    def take(self, most: int) -> list[Record]:
        """The next records, at most so many; none where none are left.

        :raises CorruptRecordException: a batch is damaged; what stands before it is not taken either.
        """
        found: list[Record] = []
        while len(found) < most and self._has_batch():
            found += islice(self._rest, most - len(found))
            if len(found) < most:
                # The last offset of a batch stays its own when compaction takes the record.
                self.next_fetch_offset, self._batch = self._batch.next_offset, None
            else:
                self.next_fetch_offset = found[-1].offset + 1
        return found

    def is_left(self) -> bool:
        """Whether there may be more."""
        return self._batch is not None or bool(self._records.has_next())

    def _has_batch(self) -> bool:
        """Whether records may be left, once those batches that hold none are passed."""
        while self._batch is None and self._records.has_next():
            batch = self._records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            if self._is_passed_over(batch):
                self.next_fetch_offset = batch.next_offset
            else:
                start = self.next_fetch_offset  # a broker sends whole batches, also where less was asked for
                self._batch = batch
                self._rest = chain(batch) if batch.base_offset >= start else _behind(start, batch)
        return self._batch is not None

    def _is_passed_over(self, batch: Any) -> bool:
        if self._isolation_level == fetcher.READ_COMMITTED and batch.producer_id is not None:
            self._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and self._contains_abort_marker(batch):
                self._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in self._aborted_producers:
                return True
        return bool(batch.is_control_batch)


def _behind(start: int, batch: Iterable[Record]) -> Iterator[Record]:
    return dropwhile(lambda record: record.offset < start, batch)


class Fetched(fetcher.FetchResult):  # type: ignore[misc]
    """What a fetch returned of one partition, and whether it still is what should be read of it."""

    _partition_records: Unpacked | None

    def getall(self, max_records: int | None = None) -> list[Record]:
        """The next records, at most so many; none any more once the partition was lost, paused or placed elsewhere."""
        if self._partition_records is None or not self.check_assignment(self._topic_partition):
            return []
        held, self._partition_records = self._partition_records, None  # nothing is read behind a damaged batch
        found = held.take(_ALL if max_records is None else max_records)
        self._partition_records = held
        self._update_position()
        if not held.is_left():
            self._partition_records = None  # so that the next fetch is asked for now
        return found


def install() -> None:
    """Have aiokafka's fetcher make these of what it fetches."""
    fetcher.PartitionRecords, fetcher.FetchResult = Unpacked, Fetched
