"""How far what is counted has also been judged, and told: what the demo waits for at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from confluent_kafka import Consumer, TopicPartition
from redis import Redis

from schemas.incidents import decode
from schemas.names import Names, Stream

STREAMS: tuple[Stream, ...] = ("predictions", "serving")
_ANSWER_S = 10.0


@dataclass(frozen=True, slots=True)
class Judged:
    """``judged_ms``: event time that every stream is judged up to, None before the first mark.

    ``waiting`` counts what is concluded and not yet through: messages on their way to the incident owner, and receivers that
    have not confirmed.
    """

    judged_ms: int | None
    waiting: int

    def settled(self, until_ms: int) -> bool:
        """Whether everything up to ``until_ms`` is judged and told."""
        return self.judged_ms is not None and self.judged_ms >= until_ms and self.waiting == 0


class Judging:
    """Looks it up for one model."""

    def __init__(self, redis: Redis, names: Names, *, kafka: str, model: str) -> None:
        self._redis, self._names, self._model = redis, names, model
        self._consumer = Consumer({"bootstrap.servers": kafka, "group.id": "driftline-demo", "log_level": 0})
        self._findings = TopicPartition(names.topic("findings"), 0)

    def __call__(self) -> Judged:
        """How far it is now."""
        names = self._names
        pipe = self._redis.pipeline(transaction=False)
        pipe.hgetall(names.incidents("marks"))
        pipe.xlen(names.outbox(self._model))
        pipe.hget(names.incidents("owner"), "next:findings")
        pipe.hvals(names.incidents("documents"))
        marks, outbox, read, documents = pipe.execute()
        unread = self._end() - int(read or 0)
        untold = sum(not one.confirmed for document in documents for one in decode(document).deliveries)
        return Judged(self._slowest(marks), outbox + unread + untold)

    def unread(self) -> int:
        """Findings that the incident owner has not worked off yet: the embedded broker forgets the oldest beyond some thousands."""
        read = cast("bytes | None", self._redis.hget(self._names.incidents("owner"), "next:findings"))
        return self._end() - int(read or 0)

    def _end(self) -> int:
        _, end = self._consumer.get_watermark_offsets(self._findings, timeout=_ANSWER_S)
        return int(end)

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()

    def _slowest(self, marks: dict[bytes, bytes]) -> int | None:
        found = [marks.get(f"{self._model}\x1f{stream}".encode()) for stream in STREAMS]
        return min((int(mark) for mark in found if mark is not None), default=None) if all(found) else None
