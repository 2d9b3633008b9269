"""The configuration on Kafka's compacted topic ``config``: what is in force, wherever Redis is.

======================  ===========================================================
key                     value
======================  ===========================================================
``generation:<n>``      zlib-compressed JSON of `Generation` number n
``reference:<sha256>``  zlib-compressed JSON of a reference, as Redis keeps it
======================  ===========================================================

References are written before the generation that names them, and what it has no use for is removed after it, so whoever reads a
generation finds what it names.  Each generation has a key of its own: a writer that stood still may write an older one last,
and it hides nothing.  A record that is damaged is left out and said.
"""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from schemas.config import Generation
from schemas.errors import StoreError
from schemas.reference import BadReference, Reference
from stream.state.whole_topic import whole_topic

log = logging.getLogger(__name__)

#: Compressed; a record of the topic may be as large, and its key and frame besides.
REFERENCE_BYTES = 8 * 1024 * 1024
RECORD_BYTES = REFERENCE_BYTES + 4096
PARTITION = 0
_GENERATION, _REFERENCE = re.compile(r"generation:(\d+)"), re.compile(r"reference:([0-9a-f]{64})")
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """What the topic holds: the newest generation, the numbers of all that are there, and the references by hash."""

    generation: Generation | None = None
    numbers: frozenset[int] = frozenset()
    digests: frozenset[str] = frozenset()

    @property
    def number(self) -> int:
        """The greatest number that was ever given out, as far as the topic knows; 0: none."""
        return max(self.numbers, default=0)


class ConfigTopic:
    """Reads and writes the topic; every call blocks, ``within_s`` at most without any answer.

    :param options: what clients of Kafka are made with.
    """

    def __init__(self, options: Mapping[str, Any], topic: str, *, within_s: float = 10.0) -> None:
        self.topic, self._options, self._within_s = topic, dict(options), within_s

    def read(self) -> Kept | None:
        """What the topic holds; None where there is no such topic.

        :raises KafkaException: Kafka does not answer.
        """
        found: dict[int, Generation] = {}
        numbers, digests = set[int](), set[str]()
        records = self._newest()
        if records is None:
            return None
        for key, value in records:
            if number := _GENERATION.fullmatch(key):
                _toggle(numbers, int(number[1]), there=value is not None)
                found.pop(int(number[1]), None)
                if value is not None and (generation := _generation(key, value)) is not None:
                    found[int(number[1])] = generation
            elif digest := _REFERENCE.fullmatch(key):
                _toggle(digests, digest[1], there=value is not None)
            else:
                _say(key, "no key of ours")
        newest = found[max(found)] if found else None
        return Kept(newest, frozenset(numbers), frozenset(digests))

    def references(self, wanted: Collection[str]) -> dict[str, Reference]:
        """Those of the references that the topic holds undamaged, by hash.

        :raises KafkaException: Kafka does not answer.
        """
        found: dict[str, Reference] = {}
        for key, value in self._newest() or ():
            named = _REFERENCE.fullmatch(key)
            if named is None or named[1] not in wanted:
                continue
            found.pop(named[1], None)
            reference = _reference(key, value) if value is not None else None
            if reference is not None and reference.hash == named[1]:
                found[named[1]] = reference
        return found

    def write(self, generation: Generation, references: Mapping[str, bytes], *, known: Kept) -> None:
        """Write a generation and the references (compressed, by hash) that it names; remove what was there and it has no use for.

        :raises KafkaException: Kafka did not take all of it; to do it again does no harm.
        """
        producer = self._producer()
        new = {digest: value for digest, value in references.items() if digest not in known.digests}
        self._send(producer, ((f"reference:{digest}", value) for digest, value in new.items()))
        self._send(producer, [(f"generation:{generation.number}", zlib.compress(generation.to_json()))])
        numbers, digests = known.numbers - {generation.number}, known.digests - references.keys()
        self._send(producer, ((f"generation:{number}", None) for number in sorted(numbers)))
        self._send(producer, ((f"reference:{digest}", None) for digest in sorted(digests)))

    def _send(self, producer: Producer, records: Iterable[tuple[str, bytes | None]]) -> None:
        failed: list[KafkaError] = []

        def answered(error: KafkaError | None, _: object) -> None:
            if error is not None:
                failed.append(error)

        for number, (key, value) in enumerate(records, start=1):
            producer.produce(self.topic, value, key, partition=PARTITION, on_delivery=answered)
            if number % _AT_ONCE == 0:
                producer.flush(self._within_s)
        left = producer.flush(self._within_s)
        if failed or left:
            raise KafkaException(failed[0] if failed else KafkaError(KafkaError._TIMED_OUT))

    def _producer(self) -> Producer:
        how = {
            "client.id": "driftline-config", "enable.idempotence": True, "linger.ms": 0, "message.max.bytes": RECORD_BYTES,
            "message.timeout.ms": int(self._within_s * 1000),
        }  # fmt: skip
        return Producer({**self._options, **how})

    def _newest(self) -> Iterator[tuple[str, bytes | None]] | None:
        records = whole_topic(self._options, self.topic, within_s=self._within_s)
        return None if records is None else ((_text(key), value or None) for key, value in records)


def packed(references: Mapping[str, Reference]) -> dict[str, bytes]:
    """References as Redis and the topic keep them, by hash."""
    return {digest: zlib.compress(reference.to_json()) for digest, reference in references.items()}


def spoken(error: Exception) -> str:
    """What went wrong, in words."""
    if isinstance(error, KafkaException) and error.args and isinstance(error.args[0], KafkaError):
        return str(error.args[0].str())
    return str(error)


def _text(key: bytes | None) -> str:
    return (key or b"").decode(errors="replace")


def _toggle(known: set[Any], name: Any, *, there: bool) -> None:
    known.add(name) if there else known.discard(name)


def _generation(key: str, value: bytes) -> Generation | None:
    try:
        found = Generation.from_json(zlib.decompress(value))
    except (zlib.error, StoreError) as error:
        _say(key, str(error))
        return None
    if key != f"generation:{found.number}":
        _say(key, f"holds generation {found.number}")
        return None
    return found


def _reference(key: str, value: bytes) -> Reference | None:
    try:
        return Reference.from_json(zlib.decompress(value))
    except (zlib.error, BadReference) as error:
        _say(key, str(error))
        return None


def _say(key: str, why: str) -> None:
    log.error("topic config: the record %r is damaged and left out: %s", key[:100], why[:200])
