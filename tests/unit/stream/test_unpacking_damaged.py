"""Batches with damage that no checksum tells of: what aiokafka refuses is refused, and nothing is read that is not there."""

from __future__ import annotations

import struct
from functools import partial
from random import Random
from typing import Any

import numpy as np
import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder, _DefaultRecordBatchPy
from aiokafka.record.util import calc_crc32c, decode_varint_py

from stream.compiled.batches import ROWS, batches, records
from stream.unpacking import Unpacked
from tests.unit.stream.test_unpacking import batch, fetched

HEADER = 61
#: Numbers in front of what they count, as they are where they lie about it: negative, huge, and ones that do not end.
LIES = (
    b"\x01",
    b"\x7f",
    b"\xfe\xff\xff\xff\x0f",
    b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\xff" * 11,
    b"\x80" * 9 + b"\x00",
)


def a_batch(chance: Random) -> bytes:
    """With keys, values and headers of all kinds."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, 0, 0, 1 << 20)
    for at in range(chance.randrange(1, 6)):
        key, value = (chance.choice((None, b"", b"key", bytes(chance.randrange(200)))) for _ in range(2))
        headers = [
            (f"h{number}", chance.choice((None, b"", b"of a header"))) for number in range(chance.choice((0, 0, 2)))
        ]
        builder.append(at, 1_000 + chance.randrange(-900, 90_000), key, value, headers)
    return bytes(builder.build())


def damaged(raw: bytes, chance: Random) -> bytes:
    """Some bytes behind the header others, more or fewer, or another number of records; the checksum is right."""
    found = bytearray(raw)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(HEADER, len(found))
        match chance.randrange(5):
            case 0:
                found[at] = chance.randrange(256)
            case 1:
                found[at : at + 1] = chance.choice(LIES)
            case 2:
                del found[at : at + chance.randrange(1, 9)]
            case 3:
                found[at:at] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 9)))
            case _:
                found[57:61] = struct.pack(">i", chance.choice((-1, 0, 1, 2, 5, 7, 1 << 30)))
        if len(found) <= HEADER:
            break
    return summed(found)


def summed(found: bytearray) -> bytes:
    found[8:12] = struct.pack(">i", len(found) - 12)
    found[17:21] = struct.pack(">I", calc_crc32c(found[21:]))
    return bytes(found)


def by_aiokafka(raw: bytes) -> list[tuple[Any, ...]] | None:
    """What its Python says.  Its C reads on behind the end, and at some places that is the end of the process."""
    reader: Any = _DefaultRecordBatchPy(raw)
    reader._read_msg = partial(reader._read_msg, decode_varint_py)
    found, floor = [], 0
    try:
        for one in reader:
            if one.offset >= floor:
                found.append((one.offset, one.timestamp, one.key, one.value))
                floor = one.offset + 1
    except CorruptRecordException as error:
        # Keys of headers are passed over here, and not read.
        return None if "UnicodeDecodeError" not in str(error) else [("no verdict",)]
    return found


def by_us(raw: bytes, most: int = 1_000) -> list[tuple[Any, ...]] | None:
    held = fetched(Unpacked, raw)
    found: list[tuple[Any, ...]] = []
    try:
        while held.is_left():
            found += [tuple(one) for one in held.take(most)]
    except CorruptRecordException:
        return None
    return found


@pytest.mark.parametrize("seed", range(20))
def test_what_aiokafka_refuses_is_refused_and_what_it_reads_is_read(seed: int) -> None:
    chance, verdicts = Random(seed), set[bool]()
    for _ in range(60):
        raw = damaged(a_batch(chance), chance)
        wanted = by_aiokafka(raw)
        if wanted != [("no verdict",)]:
            assert by_us(raw) == by_us(raw, most=1) == wanted, raw.hex()
            verdicts.add(wanted is None)
    assert verdicts == {True, False}


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_read_outside_the_text_whatever_it_says(seed: int) -> None:
    """What lies around it is another thing each time: then what is found would be, too."""
    chance = Random(seed)
    for _ in range(300):
        raw = bytes(chance.randrange(256) for _ in range(chance.randrange(0, 90))) if chance.random() < 0.2 else None
        raw = raw if raw is not None else damaged(a_batch(chance), chance)[: chance.randrange(1, 400)]
        said = {_inside(raw, filling) for filling in (0x00, 0x02, 0xFF)}
        assert len(said) == 1
        for first, end in next(iter(said))[1]:
            assert -1 <= first <= end <= len(raw)


def _inside(raw: bytes, filling: int) -> tuple[bytes, tuple[tuple[int, int], ...]]:
    around = np.full(len(raw) + 200, filling, np.uint8)
    around[100 : 100 + len(raw)] = np.frombuffer(raw, np.uint8)
    around.flags.writeable = False
    text = around[100 : 100 + len(raw)]
    table, _ = batches(text)
    table = table[table[:, 4] < 2]  # a checksum is no protection: whoever sends can compute it
    found = np.zeros((ROWS, 50), np.int64)
    count, *_ = records(text, table, 0, 0, found)
    spans = [(int(one[2 * part]), int(one[2 * part + 1])) for one in found.T[:count] for part in (1, 2)]
    return found[:, :count].tobytes(), tuple(spans)


@pytest.mark.parametrize("length", [-1, 0, 13])
def test_a_batch_that_says_it_is_too_short_to_be_one_is_refused(length: int) -> None:
    good, bad = batch(0, 2), bytearray(batch(2, 2))
    bad[8:12] = struct.pack(">i", length)
    held = fetched(Unpacked, good + bytes(bad))
    assert len(held.take(10)) == 2
    with pytest.raises(CorruptRecordException):
        held.take(10)


def test_a_short_batch_of_this_format_is_refused() -> None:
    short = bytearray(batch(0, 2)[:50])
    with pytest.raises(CorruptRecordException):
        fetched(Unpacked, summed(short)).take(10)


def test_an_offset_that_goes_back_is_passed_over() -> None:
    raw = bytearray(batch(10, 3, key=None))
    at = raw.index(b"value 11") - 3  # offset, key, length of the value
    assert raw[at] == 2
    raw[at] = 0
    assert [one[0] for one in by_us(summed(raw)) or ()] == [10, 12]


def test_what_stands_before_a_damaged_record_is_taken_first() -> None:
    raw = bytearray(batch(0, 3, key=None))
    raw[raw.index(b"value 1") - 1] += 4  # its value's length, and there are no such bytes
    held = fetched(Unpacked, summed(raw))
    assert ([one.offset for one in held.take(10)], held.next_fetch_offset, held.is_left()) == ([0], 1, True)
    for _ in range(2):
        with pytest.raises(CorruptRecordException):
            held.take(10)
