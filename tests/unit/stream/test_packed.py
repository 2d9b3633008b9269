"""Packed batches are read whoever packed them: each codec as Kafka's clients write it."""

from __future__ import annotations

import gzip

import pyarrow
import pytest
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError

from stream.packed import GZIP, LZ4, SNAPPY, ZSTD, unpacked

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
