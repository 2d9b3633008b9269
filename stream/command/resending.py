"""Refused events sent again: what was refused of the original record is produced once more, with its key and headers.

It goes to the record's topic and partition; Kafka's timestamp is that of the new record, so ``future`` is judged by when it
is sent again.  That it goes is noted first: a command that dies meanwhile leaves it as ``sending``, and nothing is sent twice
unless that is asked for.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.settings import Settings
from stream.command.connect import ask_redis, command_options, kafka_unavailable
from stream.command.originals import Found, Letters, Outcome, logs_of_letters, originals
from stream.command.stretches import trackless_consumer
from stream.state import retried

#: Says of a record that it was sent again, and which one it was.
HEADER = "driftline-retry"
#: Records that are noted, sent and waited for together.
TOGETHER = 200
DELIVER_WITHIN_S = 60.0
#: Room for the largest record of the contract (1 MiB) and what Kafka adds to it.
MOST_BYTES = 1_100_000


def resent(settings: Settings, letters: Mapping[str, Letters], *, again: bool) -> Iterator[Outcome]:
    """Send again what these letters refuse, by the record they are about; one outcome a record, as it is known.

    :raises Unavailable: Kafka or Redis does not answer.
    """
    how = {"enable.idempotence": True, "message.max.bytes": MOST_BYTES}
    producer = Producer(command_options(settings, **how, **{"message.timeout.ms": int(DELIVER_WITHIN_S * 1000)}))
    for together in _by_hundreds(_looked_up(settings, letters)):
        yield from (one for one in together if isinstance(one, Outcome))
        yield from _sent(settings, producer, [one for one in together if isinstance(one, Found)], again=again)


def rehearsed(settings: Settings, letters: Mapping[str, Letters], *, again: bool) -> Iterator[Outcome]:
    """What ``resent`` would do, and nothing is done.

    :raises Unavailable: Kafka or Redis does not answer.
    """
    for together in _by_hundreds(_looked_up(settings, letters)):
        known = _known(settings, [one for one in together if isinstance(one, Found)])
        for one in together:
            left = one if isinstance(one, Outcome) or again else one.only(one.identities.keys() - known)
            match left:
                case None:
                    yield Outcome(one.record, "skipped", why="was sent again before")
                case Found():
                    yield Outcome(left.record, "would be sent", left.events)
                case _:
                    yield left


def _looked_up(settings: Settings, letters: Mapping[str, Letters]) -> Iterator[Found | Outcome]:
    consumer = trackless_consumer(settings)
    try:
        logs = logs_of_letters(consumer, settings, letters)
        starts = {place: start for place, (start, _) in logs.items()}
        ask_redis(settings, lambda redis, names: retried.forget_below(redis, names, starts))
        yield from originals(settings, consumer, letters, logs=logs)
    except KafkaException as error:
        raise kafka_unavailable(settings, error) from None
    finally:
        consumer.close()


def _by_hundreds(found: Iterable[Found | Outcome]) -> Iterator[list[Found | Outcome]]:
    together: list[Found | Outcome] = []
    for one in found:
        together.append(one)
        if len(together) == TOGETHER:
            yield together
            together = []
    yield together


def _known(settings: Settings, found: Sequence[Found]) -> set[str]:
    records = {name: at for one in found for name, at in one.identities.items()}
    return set(ask_redis(settings, lambda redis, names: retried.retried_of(redis, names, records)))


def _sent(settings: Settings, producer: Producer, found: Sequence[Found], *, again: bool) -> Iterator[Outcome]:
    records = {name: at for one in found for name, at in one.identities.items()}
    if again:
        ask_redis(settings, lambda redis, names: retried.release(redis, names, list(records)))
    now_ms = int(time.time() * 1000)
    claimed = ask_redis(settings, lambda redis, names: retried.claim(redis, names, records, now_ms=now_ms))
    delivery = _Delivery(producer)
    for one in found:
        left = one.only(claimed)
        if left is None:
            yield Outcome(one.record, "skipped", why="was sent again before")
        else:
            delivery.send(left)
    producer.flush(DELIVER_WITHIN_S)
    _noted(settings, delivery)
    yield from map(delivery.outcome, delivery.sending)


def _noted(settings: Settings, delivery: _Delivery) -> None:
    sent = {
        name: at for one in delivery.sending if one.record in delivery.arrived for name, at in one.identities.items()
    }
    free = [name for one in delivery.sending if one.record in delivery.refused for name in one.identities]
    now_ms = int(time.time() * 1000)

    async def noted(redis: Any, names: Any) -> None:
        await retried.note(redis, names, sent, now_ms=now_ms)
        await retried.release(redis, names, free)

    ask_redis(settings, noted)


@dataclass(slots=True)
class _Delivery:
    """Records on their way: where they arrived, what refused them; of the others nobody knows."""

    producer: Producer
    sending: list[Found] = field(default_factory=list)
    arrived: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def send(self, one: Found) -> None:
        self.sending.append(one)

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                self.arrived[one.record] = f"{message.topic()}:{message.partition()}:{message.offset()}"
            elif error.code() != KafkaError._MSG_TIMED_OUT:
                self.refused[one.record] = error.str()

        headers = [*(one.message.headers() or ()), (HEADER, one.record.encode())]
        try:
            self.producer.produce(
                one.message.topic() or "", one.value(), one.message.key(), one.message.partition() or 0,
                on_delivery=delivered, headers=headers,
            )  # fmt: skip
        except (KafkaException, BufferError) as error:
            self.refused[one.record] = str(error)

    def outcome(self, one: Found) -> Outcome:
        if one.record in self.arrived:
            return Outcome(one.record, "sent", one.events, sent_to=self.arrived[one.record])
        unknown = f"Kafka did not say within {DELIVER_WITHIN_S:g} s whether it has it; look, then use --again"
        return Outcome(one.record, "failed", one.events, why=self.refused.get(one.record, unknown))
