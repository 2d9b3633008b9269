"""What a producer packed, unpacked: gzip by the standard library, the others by pyarrow, whose codecs are there anyway.

aiokafka would have them of a library that is not: a topic whose producers pack with lz4, snappy or zstd could not be read.
Nothing is unpacked beyond what a batch may hold: 13 KB of zstd can stand for 400 MiB of zeros.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from aiokafka.errors import CorruptRecordException, UnsupportedCodecError

#: Bytes that a batch may unpack to.
MOST = 64 << 20
#: Bytes that are unpacked at once, where nobody says how many there are.
_PIECE = 1 << 16
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
_STREAMS = {LZ4: "lz4", ZSTD: "zstd"}
#: How Java's snappy begins, with two version numbers behind it; then come blocks, each with its length before it.
_XERIAL, _XERIAL_HEADER = b"\x82SNAPPY\x00", 16


class TooLarge(Exception):
    """More was packed than a batch may hold."""


def unpacked(data: memoryview, codec: int, most: int = MOST) -> bytes:
    """The bytes that were packed.

    >>> unpacked(memoryview(zlib.compress(b"an event", wbits=31)), GZIP)
    b'an event'

    :raises TooLarge: they are more than ``most``; no more than that was unpacked.
    :raises CorruptRecordException: they were not.
    :raises UnsupportedCodecError: nobody knows this codec.
    """
    try:
        return _unpacked(data, codec, most)
    except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
        raise CorruptRecordException(f"a batch cannot be unpacked: {error}") from error


def _unpacked(data: memoryview, codec: int, most: int) -> bytes:
    if codec == GZIP:
        return _gunzipped(data, most)
    if codec == SNAPPY:
        return _snappy(bytes(data), most)
    if codec in _STREAMS:
        arrow = _arrow()
        with arrow.CompressedInputStream(arrow.BufferReader(data), _STREAMS[codec]) as stream:
            return _joined(iter(lambda: stream.read(_PIECE), b""), most)
    raise UnsupportedCodecError(f"Unknown compression codec {codec:#04x}")


def _joined(parts: Iterable[bytes], most: int) -> bytes:
    """Those parts, of which no more are asked for once they are too many."""
    found, size = [], 0
    for part in parts:
        size += len(part)
        if size > most:
            raise TooLarge
        found.append(part)
    return b"".join(found) if len(found) != 1 else found[0]


def _gunzipped(data: memoryview, most: int) -> bytes:
    return _joined(_members(bytes(data), most + 1), most)


def _members(data: bytes, most: int) -> Iterator[bytes]:
    """What each member of gzip holds, but for what is behind the first bytes of one; zeros between them are nothing."""
    while data:
        member = zlib.decompressobj(wbits=31)
        yield member.decompress(data, most)
        if not member.eof:
            raise EOFError("gzip is cut off")
        data = member.unused_data.lstrip(b"\0")


def _snappy(data: bytes, most: int) -> bytes:
    if not data.startswith(_XERIAL):
        return _block(data, most)
    return _joined(_blocks(data, most), most)


def _blocks(data: bytes, most: int) -> Iterator[bytes]:
    at = _XERIAL_HEADER
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length > len(data) - at - 4:
            raise ValueError("a block of snappy is cut off")
        yield _block(data[at + 4 : at + 4 + length], most)
        at += 4 + length


def _block(data: bytes, most: int) -> bytes:
    """Raw snappy begins with the size of what was packed; seven bits a byte."""
    size = 0
    for place, byte in enumerate(data[:5]):
        size |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            break
    if size > 64 * len(data):
        raise ValueError(f"snappy of {len(data)} bytes does not unpack to {size}")  # three bytes stand for 64 at most
    if size > most:
        raise TooLarge
    return bytes(_arrow().decompress(data, decompressed_size=size, codec="snappy", asbytes=True))


def _arrow() -> Any:
    """Loaded with the first batch that needs it: most producers pack nothing."""
    import pyarrow

    return pyarrow
