"""A packed batch that unpacks to more than it may is refused like a record, and what stands around it is read."""

from __future__ import annotations

import logging
import struct

import pytest
from aiokafka.errors import CorruptRecordException

from schemas.errors import RejectedEvent
from schemas.events import read_record
from stream.packed import GZIP, LZ4, SNAPPY, ZSTD
from stream.unpacking import Unpacked
from tests.unit.stream.test_unpacking import COMMIT, batch, fetched, marker, taken
from tests.unit.stream.test_unpacking_damaged import HEADER, summed
from tests.unit.stream.test_unpacking_formats import packed


def bomb(first: int, count: int, codec: int, *, producer: int = -1) -> bytes:
    """It says that it holds so many records; what it holds is zeros."""
    return packed(batch(first, count, producer=producer)[:HEADER] + bytes(65 << 20), codec)


@pytest.mark.parametrize("codec", [GZIP, SNAPPY, LZ4, ZSTD])
def test_reading_goes_on_behind_it(codec: int, caplog: pytest.LogCaptureFixture) -> None:
    raw = packed(batch(0, 2), codec) + bomb(2, 3, codec) + packed(batch(5, 2), codec) + batch(7, 1)
    with caplog.at_level(logging.ERROR):
        found, ends = taken(raw, 10)
    assert ([one[0] for one in found], ends) == ([0, 1, 4, 5, 6, 7], [2, 5, 7, 8])
    said = "a batch of 3 records, offsets 2 to 4, unpacks to more than 67108864 bytes"
    assert [one.message for one in caplog.records] == [f"predictions:3: {said}; none of them is counted"]
    assert found[2][1:3] == (1_004, None)
    assert found[2][3].rstrip() == said.encode()


def test_what_stands_for_it_is_refused_as_too_large() -> None:
    ((_, _, _, value),) = taken(bomb(2, 3, ZSTD), 10)[0]
    with pytest.raises(RejectedEvent) as refused:
        read_record(value)
    assert refused.value.reason == "too_large"


@pytest.mark.parametrize(("start", "offsets"), [(3, [4, 5]), (4, [4, 5]), (5, [5])])
def test_it_is_told_once_wherever_reading_begins(start: int, offsets: list[int]) -> None:
    found, ends = taken(bomb(2, 3, ZSTD) + batch(5, 1), 10, start=start)
    assert ([one[0] for one in found], ends[-1]) == (offsets, 6)


def test_it_has_the_place_of_its_own_last_record_where_a_transaction_ends_behind_it() -> None:
    raw = bomb(2, 3, ZSTD, producer=7) + marker(5, COMMIT, producer=7) + batch(6, 1)
    found, ends = taken(raw, 10)
    assert ([one[0] for one in found], ends) == ([4, 6], [6, 7])


def test_what_stands_before_a_damaged_packed_batch_is_taken_first() -> None:
    good, bad = packed(batch(0, 2), ZSTD), bytearray(packed(batch(2, 2), ZSTD))
    bad[-3:] = b"end"
    held = fetched(Unpacked, good + summed(bad))
    assert ([one.offset for one in held.take(10)], held.next_fetch_offset, held.is_left()) == ([0, 1], 2, True)
    for _ in range(2):
        with pytest.raises(CorruptRecordException):
            held.take(10)


def test_batches_are_not_unpacked_together_beyond_what_one_may_hold() -> None:
    """Of 13 kB each there would be eighty in a megabyte."""
    held = fetched(Unpacked, b"".join(large(first) for first in range(4)))
    found = []
    while held.is_left():
        some = held.take(10)
        found.append([one.offset for one in some])
        assert len(some.text) <= 64 << 20
    assert found == [[0, 1], [2, 3]]


def large(offset: int) -> bytes:
    """One record of 30 MiB."""
    size = 30 << 20
    body = b"\0\0\0\1" + varint(size) + bytes(size) + b"\0"
    raw = bytearray(batch(offset, 1)[:HEADER])
    raw[27:35] = struct.pack(">q", 1_000)
    return packed(summed(raw + varint(len(body)) + body), ZSTD)


def varint(number: int) -> bytes:
    found, left = bytearray(), number << 1
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*found, left])
