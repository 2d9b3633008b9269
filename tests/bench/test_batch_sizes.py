"""What finding a record in the bytes of a fetch costs, by how many a batch and a fetch hold: a live load has few of both."""

from __future__ import annotations

import gc
import os
import struct
import time

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from stream.unpacking import Response, Unpacked

RUN, BYTES, ROUNDS, RECORDS = 2_000, 420, 7, 20_000
#: Records a batch, and a fetch.
SIZES = ((1, 30), (1, 2_000), (10, 2_000), (100, 2_000), (1_000, 2_000))


@pytest.mark.bench
@pytest.mark.parametrize(("batched", "fetched"), SIZES)
def test_a_record_of_a_small_batch_is_found_too(batched: int, fetched: int) -> None:
    raw = b"".join(_batch(first, batched) for first in range(0, fetched, batched))
    gc.disable()
    try:
        cost = min(_cost(raw, rounds=RECORDS // fetched) for _ in range(ROUNDS))
    finally:
        gc.enable()
    print(f"{batched} records a batch, {fetched} a fetch: {cost / fetched * 1e6:.3f} µs of CPU a record")
    assert _found(raw) == fetched


def _cost(raw: bytes, *, rounds: int) -> float:
    began = time.process_time()
    for _ in range(rounds):
        _found(raw)
    return (time.process_time() - began) / rounds


def _found(raw: bytes) -> int:
    how = (None, None, True, fetcher.READ_COMMITTED)
    held, found = Unpacked(TopicPartition("predictions", 0), Response(raw), [], 0, *how), 0
    while held.is_left():
        found += len(held.take(RUN))
    return found


def _batch(first: int, count: int) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, 0, 0, 1 << 24)
    for at in range(count):
        builder.append(at, 1_000 + at, b"a-model", os.urandom(BYTES), [])
    raw = bytearray(builder.build())
    raw[0:8] = struct.pack(">q", first)
    raw[17:21] = struct.pack(">I", calc_crc32c(raw[21:]))
    return bytes(raw)
