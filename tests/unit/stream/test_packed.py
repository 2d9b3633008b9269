"""Packed batches are read whoever packed them: each codec as Kafka's clients write it."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable

import pyarrow
import pytest
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError

from stream.packed import GZIP, LZ4, MOST, SNAPPY, ZSTD, TooLarge, unpacked

TEXT = b"an event, and another event, " * 400


def streamed(codec: str, text: bytes = TEXT) -> bytes:
    sink = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(sink, codec) as stream:
        stream.write(text)
    return bytes(sink.getvalue())


def raw_snappy(text: bytes) -> bytes:
    return bytes(pyarrow.compress(text, codec="snappy", asbytes=True))


def xerial(*texts: bytes) -> bytes:
    """As Java's client frames snappy."""
    blocks = [raw_snappy(text) for text in texts]
    return b"\x82SNAPPY\x00" + bytes(7) + b"\x01" + b"".join(len(block).to_bytes(4, "big") + block for block in blocks)


PACKED = {
    "gzip": (GZIP, gzip.compress(TEXT)),
    "lz4": (LZ4, streamed("lz4")),
    "zstd": (ZSTD, streamed("zstd")),
    "snappy": (SNAPPY, raw_snappy(TEXT)),
    "snappy of Java": (SNAPPY, xerial(TEXT[:5_000], TEXT[5_000:])),
}


@pytest.mark.parametrize(("codec", "packed"), PACKED.values(), ids=PACKED)
def test_what_was_packed_is_unpacked(codec: int, packed: bytes) -> None:
    assert unpacked(memoryview(packed), codec) == TEXT


@pytest.mark.parametrize(("codec", "packed"), PACKED.values(), ids=PACKED)
@pytest.mark.parametrize("left", [3, 20, -1])
def test_what_is_cut_off_is_damaged(codec: int, packed: bytes, left: int) -> None:
    with pytest.raises(CorruptRecordException):
        unpacked(memoryview(packed[:left]), codec)


@pytest.mark.parametrize("packed", [b"\xff\xff\xff\xff\x0f", b"\xff\xff\xff\xff\x0f" + bytes(50)])
def test_snappy_that_says_it_is_four_gigabytes_takes_no_memory(packed: bytes) -> None:
    with pytest.raises(CorruptRecordException, match="does not unpack to 4294967295"):
        unpacked(memoryview(packed), SNAPPY)


def test_a_codec_that_nobody_knows_is_named() -> None:
    with pytest.raises(UnsupportedCodecError, match="0x05"):
        unpacked(memoryview(b""), 5)


ZEROS = bytes(1 << 20)
BOMBS: dict[str, tuple[int, Callable[[], bytes]]] = {
    "gzip": (GZIP, lambda: gzip.compress(200 * ZEROS, 1)),
    "gzip in members": (GZIP, lambda: 200 * gzip.compress(ZEROS)),
    "lz4": (LZ4, lambda: streamed("lz4", 200 * ZEROS)),
    "zstd": (ZSTD, lambda: streamed("zstd", 200 * ZEROS)),
    "snappy": (SNAPPY, lambda: raw_snappy(200 * ZEROS)),
    "snappy of Java": (SNAPPY, lambda: xerial(*[ZEROS] * 200)),
}


@pytest.mark.parametrize(("codec", "made"), BOMBS.values(), ids=BOMBS)
def test_of_200_mib_no_more_is_unpacked_than_a_batch_may_hold(codec: int, made: Callable[[], bytes]) -> None:
    packed = made()
    native = pyarrow.total_allocated_bytes()
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            unpacked(memoryview(packed), codec)
        assert tracemalloc.get_traced_memory()[1] < 2 * MOST + (8 << 20)  # in parts, and joined
        assert pyarrow.total_allocated_bytes() == native
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("codec", "packed"), PACKED.values(), ids=PACKED)
def test_what_is_as_much_as_it_may_be_is_unpacked(codec: int, packed: bytes) -> None:
    assert unpacked(memoryview(packed), codec, len(TEXT)) == TEXT
    with pytest.raises(TooLarge):
        unpacked(memoryview(packed), codec, len(TEXT) - 1)


def test_members_of_gzip_and_zeros_behind_them_are_one_text() -> None:
    parts = [gzip.compress(TEXT), bytes(8), gzip.compress(b""), gzip.compress(b"end"), bytes(3)]
    assert unpacked(memoryview(b"".join(parts)), GZIP) == TEXT + b"end" == gzip.decompress(b"".join(parts))
