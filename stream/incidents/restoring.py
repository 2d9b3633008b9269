"""An owner that finds nothing stored takes back what Kafka has: open incidents with who was told what, silences, orders.

The compacted topic ``incidents`` has each incident's document with the owner's part of it (:mod:`alerting.keeping`), and
``actions`` what people asked for.  All of it is written as the owner's first turn, whole or not at all; documents of incidents
that have ended are written before it, since nothing is decided by them.  What cannot be read is left out and said.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException

from alerting.keeping import Kept, read, rejoined
from alerting.silences import Silence, silence_of, silence_problem, silence_view
from schemas import actions
from schemas.actions import AddSilence, ExpireSilence, OrderRelease
from schemas.incidents import decode_kept, encode
from schemas.names import Names
from stream.incidents.store import IncidentStore, Write
from stream.state.config_topic import spoken
from stream.state.orders import ORDERS
from stream.state.whole_topic import whole_topic

log = logging.getLogger(__name__)

#: So many documents of ended incidents are written at once.
AT_ONCE = 100
PAUSES_S = (0.5, 2.0)
#: Assignments at which Kafka answers, and then does not say what it has of incidents: somebody has to be paged in the end.
MOST_TRIES = 10
_REFUSED = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED})
_WITHIN_S = 10.0


class NotRecalled(Exception):
    """Kafka went away while it was asked: nobody may decide anything before it has answered."""


class _History(msgspec.Struct, frozen=True):
    """Of an incident's record, the lines of its history."""

    lines: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Remembered:
    """``records`` is the owner's working state; ``documents`` are of the incidents in it, ``ended`` the others' with their ends.

    Of some that have ended there are ``parts`` as well: what a person resolved while it fired.  ``strangers`` are open incidents
    of an older program, which nothing is kept of.
    """

    records: Mapping[str, bytes]
    documents: Mapping[str, bytes] = field(default_factory=dict)
    parts: Mapping[str, bytes] = field(default_factory=dict)
    ended: Mapping[str, tuple[int, bytes]] = field(default_factory=dict)
    silences: tuple[Silence, ...] = ()
    orders: Mapping[str, OrderRelease] = field(default_factory=dict)
    strangers: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.documents or self.ended or self.silences or self.orders)

    def writes(self) -> Iterator[Write]:
        """The owner's first turn."""
        for name, record in self.records.items():
            yield "records", "HSET", (name, record)
        for one, document in self.documents.items():
            yield "documents", "HSET", (one, document)
            yield "kept", "HSET", (one, self.parts[one])
            for line in msgspec.json.decode(self.records[f"incident\x1f{one}"], type=_History).lines:
                yield f"timeline:{one}", "XADD", ("*", "at", line["at"], "text", line["text"])
        for silence in self.silences:
            yield "silences", "HSET", (silence.id, encode(silence_view(silence)))
        for model, order in self.orders.items():
            yield ORDERS, "HSET", (model, actions.encode(order))


class Memory:
    """Reads both topics.

    :param options: what clients of Kafka are made with.
    """

    def __init__(self, options: Mapping[str, Any], names: Names) -> None:
        self._options, self._names = options, names
        self._tries = 0

    async def recalled(self, *, now_ms: int) -> Remembered | None:
        """All that is there; None where Kafka refuses to tell, which is said: nobody shall wait for ever to be paged.

        :raises NotRecalled: it does not answer now.  Without it no finding comes either, so nobody loses by waiting.
        """
        why = ""
        for wait_s in (*PAUSES_S, None):
            try:
                found = await asyncio.to_thread(self.read, now_ms=now_ms)
            except KafkaException as error:
                why = spoken(error)
                log.error("what Kafka has of incidents cannot be read: %s", why)
                if error.args[0].code() in _REFUSED:
                    break
                await asyncio.sleep(wait_s or 0.0)
            else:
                self._tries = 0
                return found
        else:
            self._tries += 1
            if self._tries < MOST_TRIES:
                raise NotRecalled(why)
        self._tries = 0  # what comes next is another trouble
        log.error("incidents begin anew: receivers may be told again what they were told")
        return None

    def read(self, *, now_ms: int) -> Remembered:
        """All that is there, by the owner's clock; blocks.

        :raises KafkaException: Kafka does not answer.
        """
        values = {key: value for key, value in self._records("incidents") if key}
        parts: dict[str, Kept] = {}
        documents: dict[str, bytes] = {}
        ended: dict[str, tuple[int, bytes]] = {}
        strangers: list[str] = []
        for key, value in values.items():
            if not value:
                continue
            try:
                found = decode_kept(value)
                part = read(found.kept) if found.kept else None
            except msgspec.DecodeError as error:
                log.error("topic incidents: the document %r is damaged and left out: %s", key[:100], error)
                continue
            if part is not None:
                parts[found.id], value = part, _without(value, bytes(found.kept))
            if part is not None and f"incident\x1f{found.id}" in part.records:
                documents[found.id] = value
            elif found.ended is not None:
                ended[found.id] = found.ended, value
            else:
                strangers.append(found.id)
        silences, orders = self._asked(now_ms)
        return _remembered(parts, silences, documents=documents, ended=ended, orders=orders, strangers=strangers)

    def _asked(self, now_ms: int) -> tuple[dict[str, Silence], dict[str, OrderRelease]]:
        silences: dict[str, Silence] = {}
        orders: dict[str, OrderRelease] = {}
        for _, value in self._records("actions"):
            try:
                action = actions.decode(value or b"")
            except msgspec.DecodeError:
                continue  # it was a dead letter when it came
            match action:
                case AddSilence() if action.ends > now_ms and silence_problem(action) is None:
                    silences[action.silence] = silence_of(action)
                case ExpireSilence():
                    silences.pop(action.silence, None)
                case OrderRelease():
                    orders[action.model] = action
                case _:
                    pass  # its effect is in the document
        return silences, orders

    def _records(self, topic: str) -> Iterator[tuple[bytes | None, bytes | None]]:
        return whole_topic(self._options, self._names.topic(topic), within_s=_WITHIN_S) or iter(())


async def write_ended(store: IncidentStore, found: Remembered) -> None:
    """Documents of ended incidents, where the store has none; harmless to repeat."""
    names = list(found.ended)
    for first in range(0, len(names), AT_ONCE):
        pipe = store.redis.pipeline(transaction=False)
        for name in names[first : first + AT_ONCE]:
            at, document = found.ended[name]
            pipe.hsetnx(store.names.incidents("documents"), name, document)
            if name in found.parts:
                pipe.hsetnx(store.names.incidents("kept"), name, found.parts[name])
            pipe.zadd(store.names.incidents("ended"), {name: at})
        await pipe.execute()


def _remembered(parts: Mapping[str, Kept], silences: Mapping[str, Silence], **more: Any) -> Remembered:
    """Together; a part that does not go with the others is looked for and left out."""
    strangers, documents = tuple(more.pop("strangers")), more.pop("documents")
    good = dict(parts)
    try:
        records = rejoined(good.values(), silences.values())
    except ValueError:
        good = {name: part for name, part in parts.items() if _is_whole(name, part)}
        records = rejoined(good.values(), silences.values())
    packed = {name: msgspec.json.encode(part) for name, part in good.items()}
    documents = {name: document for name, document in documents.items() if name in good}
    return Remembered(
        records, documents, packed, silences=tuple(silences.values()), strangers=strangers, **more
    )  # fmt: skip


def _is_whole(name: str, part: Kept) -> bool:
    try:
        return bool(rejoined([part], ()))
    except ValueError as error:
        log.error("topic incidents: what is kept of %s is damaged and left out: %s", name, error)
        return False


def _without(value: bytes, part: bytes) -> bytes:
    """The document as it is in Redis."""
    end = b',"kept":' + part + b"}"
    return value[: -len(end)] + b"}" if value.endswith(end) else value
