"""A stretch of history as ``driftline backtest`` reads it: of the incoming topics, or of files of events.

It is put aside on disk first, partition by partition, for it is read once for each configuration.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import IO

import msgspec
from confluent_kafka import KafkaException

from schemas.errors import Unavailable
from schemas.names import Stream
from schemas.settings import Settings
from stream.command.connect import kafka_unavailable
from stream.command.event_file import Outgoing, outgoings, survey
from stream.command.shadow import Bound, stretches_between
from stream.command.stretches import records_of, trackless_consumer
from stream.command.working import Told
from stream.local.broker import PARTITIONS
from stream.local.rerun import Came, laid_together

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(tuple[int, bytes | None, bytes | None, int | None])
_LENGTH = 4


@dataclass(slots=True)
class History:
    """``records`` there are; event times from ``first_ms`` to ``last_ms``; ``models`` of each stream that they are about."""

    records: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    models: dict[Stream, set[str]] = field(default_factory=dict)
    _files: dict[tuple[Stream, int], IO[bytes]] = field(default_factory=dict)
    _clocks: dict[tuple[Stream, int], int] = field(default_factory=dict)

    def add(self, came: Came) -> None:
        """Put a record aside."""
        found = Outgoing(0, b"", _json(came.value))
        clock, place = found.clock_ms, (came.stream, came.partition)
        if clock is not None and (came.at_ms is None or clock <= came.at_ms + 86_400_000):
            self.first_ms = clock if self.first_ms is None else min(self.first_ms, clock)
            self.last_ms = clock if self.last_ms is None else max(self.last_ms, clock)
            self._clocks[place] = max(self._clocks.get(place, clock), clock)
        self.models.setdefault(came.stream, set()).update(_models(found.found))
        packed = _ENCODER.encode((self._clocks.get(place, 0), came.value, came.key, came.at_ms))
        try:
            file = self._files.get(place) or self._opened(place)
            file.write(len(packed).to_bytes(_LENGTH, "big") + packed)
        except OSError as error:
            raise _no_room(error) from None
        self.records += 1

    def came(self) -> Iterator[Came]:
        """All of it, in the order of the partitions' clocks."""
        return laid_together([self._read(place) for place in self._files])

    def close(self) -> None:
        """Let go of the disk; what a full one did not take is lost here, and nobody wants it."""
        for file in self._files.values():
            with suppress(OSError):
                file.close()

    def _opened(self, place: tuple[Stream, int]) -> IO[bytes]:
        file: IO[bytes] = TemporaryFile(prefix="driftline-backtest-")  # noqa: SIM115 - ``close`` closes it
        self._files[place] = file
        return file

    def _read(self, place: tuple[Stream, int]) -> Iterator[tuple[int, Came]]:
        file = self._files[place]
        try:
            file.seek(0)  # writes what is not on the disk yet
        except OSError as error:
            raise _no_room(error) from None
        while size := file.read(_LENGTH):
            clock, value, key, at_ms = _DECODER.decode(file.read(int.from_bytes(size, "big")))
            yield clock, Came(place[0], place[1], value, key, at_ms)


def of_files(files: Iterable[tuple[Stream, Path]], *, first_ms: int | None, last_ms: int | None, told: Told) -> History:
    """Events of files; only records whose latest event time is from ``first_ms`` to before ``last_ms``.

    :raises ConfigError: a file cannot be read.
    :raises Unavailable: the disk takes no more.
    """
    with _begun() as history:
        _read(history, files, first_ms=first_ms, last_ms=last_ms, told=told)
    return history


def _read(
    history: History, files: Iterable[tuple[Stream, Path]], *, first_ms: int | None, last_ms: int | None, told: Told
) -> None:
    for stream, path in files:
        total = survey(path).records
        for number, one in enumerate(outgoings(path), 1):
            clock = one.clock_ms
            early = first_ms is not None and (clock is None or clock < first_ms)
            if not early and not (last_ms is not None and (clock is None or clock >= last_ms)):
                key = one.key
                history.add(Came(stream, zlib.crc32(key or b"") % PARTITIONS, one.value, key))
            if number % 1_000 == 0:
                told(f"reading {path.name}", number, total)


def of_topics(settings: Settings, streams: Iterable[Stream], *, first: Bound, last: Bound, told: Told) -> History:
    """What the topics hold, by Kafka's times.

    :raises Unavailable: Kafka does not answer, or the disk takes no more.
    """
    with _begun() as history, closing(trackless_consumer(settings)) as consumer:
        try:
            for stream in streams:
                topic = settings.names.topic(stream)
                stretches = stretches_between(consumer, settings, topic, first=first, last=last, partitions=())
                total = sum(max(0, end - start) for start, end in stretches.values())
                for number, message in enumerate(records_of(consumer, stretches), 1):
                    kind, at_ms = message.timestamp()
                    known = at_ms if kind and at_ms >= 0 else None
                    history.add(Came(stream, message.partition() or 0, message.value(), message.key(), known))
                    if number % 1_000 == 0:
                        told(f"reading {topic}", number, total)
        except KafkaException as error:
            raise kafka_unavailable(settings, error) from None
    return history


@contextmanager
def _begun() -> Iterator[History]:
    """One that is let go of where it cannot be filled."""
    history = History()
    try:
        yield history
    except BaseException:
        history.close()
        raise


def _no_room(error: OSError) -> Unavailable:
    said = error.strerror or type(error).__name__
    return Unavailable(
        f"a back-test puts history aside in {gettempdir()}, which takes no more ({said}): let TMPDIR name another folder, or "
        "say --from and --to"
    )


def _json(value: bytes | None) -> object:
    try:
        return json.loads(value or b"")
    except (ValueError, RecursionError):
        return None


def _models(found: object) -> Iterator[str]:
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, Mapping) and isinstance(one.get("model"), str):
            yield one["model"]
