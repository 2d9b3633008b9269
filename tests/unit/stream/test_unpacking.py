"""What is taken batch by batch is what aiokafka reads record by record, however many are taken at once."""

from __future__ import annotations

import gc
import struct
import weakref
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

from stream.unpacking import Fetched, Response, Unpacked

TP = TopicPartition("predictions", 3)
ABORT, COMMIT = 0, 1
CONTROL = 0x20
#: aiokafka's own, which the module's own name stands for something else once a worker was built in this process.
ONE_BY_ONE: Any = Unpacked.__base__


def batch(
    first: int, count: int, *, producer: int = -1, packed: int = 0, key: bytes | None = b"key", control: bool = False
) -> bytes:
    """A batch as a broker sends it; one with a producer's number is part of a transaction."""
    builder = DefaultRecordBatchBuilder(2, packed, producer >= 0, producer, 0, 0, 1 << 20)
    for at in range(count):
        builder.append(at, 1_000 + first + at, key, f"value {first + at}".encode(), [])
    raw = bytearray(builder.build())
    raw[0:8] = struct.pack(">q", first)  # the broker's, and so not under the checksum
    raw[22] |= CONTROL if control else 0
    raw[17:21] = struct.pack(">I", calc_crc32c(raw[21:]))
    return bytes(raw)


def marker(first: int, kind: int, *, producer: int) -> bytes:
    return batch(first, 1, producer=producer, key=struct.pack(">hh", 0, kind), control=True)


def fetched(of: Any, raw: bytes, *, start: int = 0, aborted: Any = (), committed: bool = True) -> Any:
    level = fetcher.READ_COMMITTED if committed else fetcher.READ_UNCOMMITTED
    records = Response(raw) if of is Unpacked else MemoryRecords(raw)
    return of(TP, records, list(aborted), start, None, None, True, level)


def taken(raw: bytes, most: int, **how: Any) -> tuple[list[Any], list[int]]:
    """All records, so many at once, and where the next fetch would begin after each time."""
    held = fetched(Unpacked, raw, **how)
    found, ends = [], []
    while held.is_left():
        some = held.take(most)
        assert len(some) <= most
        found += [(one.offset, one.timestamp, one.key, one.value) for one in some]
        ends.append(held.next_fetch_offset)
    return found, ends


def one_by_one(raw: bytes, **how: Any) -> tuple[list[Any], int]:
    """aiokafka's own: where whole batches lie before what was asked for, which no broker sends, it goes back to them."""
    held, start = fetched(ONE_BY_ONE, raw, **how), how.get("start", 0)
    found = [(one.offset, one.timestamp, one.key, one.value) for one in held]
    return [one for one in found if one[0] >= start], max(start, held.next_fetch_offset)


def a_log(chance: Random) -> tuple[bytes, list[tuple[int, int]]]:
    """Plain and compressed batches, transactions that end both ways, gaps; and which transactions were aborted."""
    raw, at, aborted = b"", 0, list[tuple[int, int]]()
    for _ in range(chance.randrange(1, 9)):
        count, packed = chance.randrange(1, 9), chance.choice((0, 0, 1))
        producer = chance.choice((-1, -1, 7, 8))
        raw += batch(at, count, producer=producer, packed=packed)
        if producer >= 0 and chance.random() < 0.5:
            aborted.append((producer, at))
        at += count
        if producer >= 0:
            kind = ABORT if aborted and aborted[-1][1] == at - count else COMMIT
            raw += marker(at, kind, producer=producer)
            at += 1
        at += chance.choice((0, 0, 3))
    return raw, aborted


@pytest.mark.parametrize("seed", range(40))
def test_batch_by_batch_is_what_record_by_record_is(seed: int) -> None:
    chance = Random(seed)
    raw, aborted = a_log(chance)
    for how in ({}, {"start": 5}, {"committed": False}):
        wanted, end = one_by_one(raw, aborted=aborted, **how)
        for most in (1, 2, 5, 1_000):
            found, ends = taken(raw, most, aborted=aborted, **how)
            assert (found, ends[-1]) == (wanted, end)


def test_a_part_of_a_batch_is_followed_by_its_rest() -> None:
    found, ends = taken(batch(10, 5) + batch(15, 2), 3, start=10)
    assert [offset for offset, *_ in found] == [10, 11, 12, 13, 14, 15, 16]
    assert ends == [13, 16, 17]


def test_what_is_aborted_is_passed_over_and_so_is_what_ends_it() -> None:
    raw = batch(0, 2, producer=7) + marker(2, ABORT, producer=7) + batch(3, 1, producer=7)
    assert [offset for offset, *_ in taken(raw, 10, aborted=[(7, 0)])[0]] == [3]


def test_a_damaged_batch_is_told_once_all_before_it_is_taken() -> None:
    good, bad = batch(0, 3), bytearray(batch(3, 3))
    bad[-2] ^= 1
    one, state = held(bytes(good + bad))
    assert (len(one.getall(10)), one.has_more(), state.position) == (3, True, 3)
    with pytest.raises(CorruptRecordException):
        one.getall(10)
    assert (one.has_more(), len(one.getall(10)), state.position) == (False, 0, 3)  # fetched again from 3


def test_a_result_says_where_it_has_come_to_and_when_it_is_empty() -> None:
    one, state = held(batch(0, 3))
    assert (len(one.getall(2)), state.position, one.has_more()) == (2, 2, True)
    assert (len(one.getall(2)), state.position, one.has_more()) == (1, 3, False)


@pytest.mark.parametrize("changed", [{"position": 2}, {"paused": True}])
def test_what_was_placed_elsewhere_or_paused_meanwhile_is_not_returned(changed: dict[str, Any]) -> None:
    one, state = held(batch(0, 3))
    vars(state).update(changed)
    assert (len(one.getall(10)), one.has_more()) == (0, False)


def test_nothing_of_a_fetch_waits_for_the_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        one = fetched(Unpacked, batch(0, 3) + batch(3, 3))
        gone = weakref.ref(one)
        one.take(4)
        del one
        assert gone() is None
    finally:
        gc.enable()


def held(raw: bytes) -> tuple[Fetched, Any]:
    """What a fetch from 0 returned, and the consumer's state of its partition."""
    state = SimpleNamespace(paused=False, position=0)
    state.consumed_to = lambda offset: vars(state).update(position=offset)
    assignment = SimpleNamespace(active=True, state_value=lambda tp: state)
    return Fetched(TP, assignment=assignment, partition_records=fetched(Unpacked, raw), backoff=0.1), state
