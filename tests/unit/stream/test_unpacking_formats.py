"""Batches of every kind that a log may hold: packed by any codec, older formats, stamped by the broker, emptied by compaction."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from random import Random

import pytest
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder

from stream.packed import GZIP, LZ4, SNAPPY, ZSTD
from stream.unpacking import Unpacked
from tests.unit.stream.test_packed import raw_snappy, streamed
from tests.unit.stream.test_unpacking import batch, fetched, marker, one_by_one, taken
from tests.unit.stream.test_unpacking_damaged import HEADER, summed

ABORT = 0
APPENDED = 0x08


def packed(raw: bytes, codec: int) -> bytes:
    """A plain batch as a producer with this codec sends it."""
    packs: dict[int, Callable[[bytes], bytes]] = {
        GZIP: gzip.compress,
        SNAPPY: raw_snappy,
        LZ4: lambda text: streamed("lz4", text),
        ZSTD: lambda text: streamed("zstd", text),
    }
    found = bytearray(raw[:HEADER] + packs[codec](raw[HEADER:]))
    found[22] |= codec
    return summed(found)


def old(first: int, *, magic: int, packed_by: int = 0, count: int = 1) -> bytes:
    """Records of a format before batches; packed, the broker gives the last one's offset to what is around them."""
    builder = LegacyRecordBatchBuilder(magic, packed_by, 1 << 20)
    for at in range(count):
        builder.append(at if packed_by else first + at, 1_000 + first + at, b"key", f"value {first + at}".encode())
    raw = bytearray(builder.build())
    if packed_by:
        raw[0:8] = struct.pack(">q", first + count - 1)
    return bytes(raw)


@pytest.mark.parametrize("codec", [GZIP, SNAPPY, LZ4, ZSTD])
def test_a_packed_log_is_read_as_the_plain_one(codec: int) -> None:
    parts = [batch(0, 3), batch(3, 2), marker(5, ABORT, producer=7), batch(6, 4, key=None), batch(12, 1)]
    wanted, end = one_by_one(b"".join(parts))
    for which in ({0, 1, 3, 4}, {1}, {3, 4}):
        raw = b"".join(packed(part, codec) if at in which else part for at, part in enumerate(parts))
        for most in (1, 2, 5, 6, 1_000):
            found, ends = taken(raw, most)
            assert (found, ends[-1]) == (wanted, end)


def test_packed_batches_are_taken_together_as_far_as_they_fit() -> None:
    """One more would be cut in two, and each run's end would be a short one."""
    held = fetched(Unpacked, b"".join(packed(batch(first, 4), GZIP) for first in range(0, 20, 4)))
    assert [len(held.take(10)) for _ in range(4)] == [8, 8, 4, 0]


@pytest.mark.parametrize("seed", range(10))
def test_older_formats_and_those_behind_them_are_read_as_aiokafka_reads_them(seed: int) -> None:
    """aiokafka takes all for the first one's format, so each log is given to it in parts."""
    chance = Random(seed)
    before = b"".join(
        old(at, magic=1, packed_by=chance.choice((0, 0, 1)), count=chance.randrange(1, 4)) for at in (0, 4, 9)
    )
    behind = batch(14, 3) + batch(17, 1)
    for start in (0, 5):
        wanted = one_by_one(before, start=start)[0] + one_by_one(behind, start=start)[0]
        for most in (1, 2, 1_000):
            assert taken(before + behind, most, start=start) == (wanted, taken(before + behind, most, start=start)[1])
            assert taken(before + behind, most, start=start)[1][-1] == 18


def test_a_record_of_the_first_format_has_no_time() -> None:
    assert [one[:2] for one in taken(old(3, magic=0, count=2), 10)[0]] == [(3, -1), (4, -1)]


def test_a_broker_that_stamps_records_stamps_all_of_a_batch() -> None:
    raw = bytearray(batch(4, 3))
    raw[22] |= APPENDED
    raw[35:43] = struct.pack(">q", 77_000)
    assert [one[1] for one in taken(summed(raw), 10)[0]] == [77_000] * 3


def test_what_compaction_took_is_passed_over() -> None:
    """A batch stays, without records, so that its producer's number does; its last offset is its own."""
    empty = bytearray(batch(3, 5)[:HEADER])
    empty[57:61] = bytes(4)
    found, ends = taken(batch(0, 2) + summed(empty) + batch(9, 1), 2)
    assert ([one[0] for one in found], ends) == ([0, 1, 9], [2, 10])
    assert taken(summed(empty), 10) == ([], [8])
