"""What a producer packed, unpacked: gzip by the standard library, the others by pyarrow, whose codecs are there anyway.

aiokafka would have them of a library that is not: a topic whose producers pack with lz4, snappy or zstd could not be read.
"""

from __future__ import annotations

import gzip
import zlib
from typing import Any

from aiokafka.errors import CorruptRecordException, UnsupportedCodecError

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
_STREAMS = {LZ4: "lz4", ZSTD: "zstd"}
#: How Java's snappy begins, with two version numbers behind it; then come blocks, each with its length before it.
_XERIAL, _XERIAL_HEADER = b"\x82SNAPPY\x00", 16


def unpacked(data: memoryview, codec: int) -> bytes:
    """The bytes that were packed.

    >>> unpacked(memoryview(gzip.compress(b"an event")), GZIP)
    b'an event'

    :raises CorruptRecordException: they were not.
    :raises UnsupportedCodecError: nobody knows this codec.
    """
    try:
        return _unpacked(data, codec)
    except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
        raise CorruptRecordException(f"a batch cannot be unpacked: {error}") from error


def _unpacked(data: memoryview, codec: int) -> bytes:
    if codec == GZIP:
        return gzip.decompress(data)
    if codec == SNAPPY:
        return _snappy(bytes(data))
    if codec in _STREAMS:
        arrow = _arrow()
        with arrow.CompressedInputStream(arrow.BufferReader(data), _STREAMS[codec]) as stream:
            return bytes(stream.read())
    raise UnsupportedCodecError(f"Unknown compression codec {codec:#04x}")


def _snappy(data: bytes) -> bytes:
    if not data.startswith(_XERIAL):
        return _block(data)
    found, at = [], _XERIAL_HEADER
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length > len(data) - at - 4:
            raise ValueError("a block of snappy is cut off")
        found.append(_block(data[at + 4 : at + 4 + length]))
        at += 4 + length
    return b"".join(found)


def _block(data: bytes) -> bytes:
    """Raw snappy begins with the size of what was packed; seven bits a byte."""
    size = 0
    for place, byte in enumerate(data[:5]):
        size |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            break
    if size > 64 * len(data):
        raise ValueError(f"snappy of {len(data)} bytes does not unpack to {size}")  # three bytes stand for 64 at most
    return bytes(_arrow().decompress(data, decompressed_size=size, codec="snappy", asbytes=True))


def _arrow() -> Any:
    """Loaded with the first batch that needs it: most producers pack nothing."""
    import pyarrow

    return pyarrow
