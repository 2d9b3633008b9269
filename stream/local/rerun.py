"""A stretch of history judged by a configuration, on a broker, a Redis and receivers of our own: what would have been told.

A worker of ours counts, judges and tells as ever, by event time; nothing outside this process is asked or told.  The embedded
broker has four partitions a topic.  Records of more are laid together in the order of their partitions' clocks, so that none
is late by it that was not.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from schemas.config import Generation
from schemas.errors import DriftlineError, Unavailable
from schemas.incidents import IncidentView, decode
from schemas.monitored import Monitors, PagerDutyReceiver, ReceiverMonitor, SecretPlace, ServingMonitor, SlackReceiver
from schemas.names import TOPICS_IN, Stream
from schemas.reference import Reference
from stream.incidents.awaited import announced
from stream.local.broker import PARTITIONS
from stream.local.child import Child, running
from stream.local.stack import DRIFTLINE, NAMES, Stack, running_stack
from stream.state.applying import apply_monitors

#: The embedded broker keeps 5 MiB a partition: so much may be sent that is not stored yet, and so many findings wait.
MOST_RECORDS, MOST_BYTES, MOST_UNREAD = 10_000, 2_000_000, 2_000
_LOOK_S = 0.02
_STUCK_S = 120.0
_FLUSH_S = 30.0
_FINDINGS = TopicPartition(NAMES.topic("findings"), 0)
_SLACK_TOKEN = "DEMO_SLACK_TOKEN"


class RerunFailed(DriftlineError):
    """Counting or judging did not go on; the message ends with the worker's last words."""


@dataclass(frozen=True, slots=True)
class Came:
    """A record: of which stream and partition, and when Kafka had it (ms; None: that is not known)."""

    stream: Stream
    partition: int
    value: bytes | None
    key: bytes | None = None
    at_ms: int | None = None


Told = Callable[[str, int], None]


def judged_by(
    monitors: Monitors, references: Mapping[str, Reference], records: Iterable[Came], *, until_ms: int, told: Told
) -> list[IncidentView]:
    """Every incident that there would have been, by when it began; ``told`` hears what is done, and how far it is.

    :param records: in order, those of models that are not in the monitors too; ``until_ms`` closes the streams behind them.
    :raises DriftlineError: the stack cannot be started, a record was refused, or nothing moves for two minutes.
    """
    with running_stack() as stack:
        recorded, keys = recording(monitors)
        generation = asyncio.run(_applied(stack.redis, recorded, references))
        env = stack.env | keys
        with running("worker", [*DRIFTLINE, "worker"], folder=stack.folder, env=env) as worker, _redis(stack) as redis:
            sender = _Sender(stack.kafka)
            _send(sender, records, redis, worker=worker, told=told)
            sender.close(until_ms)
            _settle(_Left(redis, sender, generation, until_ms), worker, told=told)
            documents = cast("list[bytes]", redis.hvals(NAMES.incidents("documents")))
    return sorted(map(decode, documents), key=lambda one: (one.since_hi, one.id))


def recording(monitors: Monitors) -> tuple[Monitors, dict[str, str]]:
    """The monitors with receivers that record, each an address of its own, and the variables that hold their secrets."""
    keys = {f"RERUN_KEY_{number}": f"{number:032x}" for number in range(len(monitors.receivers))}
    places = dict(zip(monitors.receivers, keys, strict=True))
    receivers = {name: _receiver(name, one, places[name]) for name, one in monitors.receivers.items()}
    return monitors.model_copy(update={"receivers": receivers}), keys


def _receiver(name: str, receiver: ReceiverMonitor, place: str) -> ReceiverMonitor:
    """An Alertmanager is a channel here: it is told the same."""
    pager = PagerDutyReceiver(routing_key=SecretPlace(env=place)) if receiver.pagerduty is not None else None
    channel = receiver.slack.channel if receiver.slack is not None else f"#alertmanager-{name}"
    told = receiver.slack is not None or receiver.alertmanager is not None
    slack = SlackReceiver(token=SecretPlace(env=_SLACK_TOKEN), channel=channel) if told else None
    return ReceiverMonitor(pagerduty=pager, slack=slack)


def only(monitors: Monitors, models: Iterable[str], *, serving: Iterable[str]) -> Monitors:
    """The monitors of these models; those of which no requests come (``serving``) do not wait for any, and nobody for GPUs."""
    kept, served = set(models), set(serving)
    found = {}
    for name, monitor in monitors.models.items():
        if name in kept:
            own = monitor.serving.model_copy(update={"gpus": ()}) if name in served else ServingMonitor()
            found[name] = monitor.model_copy(update={"serving": own})
    return monitors.model_copy(update={"models": found})


async def _applied(url: str, monitors: Monitors, references: Mapping[str, Reference]) -> Generation:
    async with AsyncRedis.from_url(url) as redis:
        return await apply_monitors(redis, NAMES, monitors, references=references, now_ms=int(time.time() * 1000))


def _redis(stack: Stack) -> Redis:
    return Redis.from_url(stack.redis)


def _send(sender: _Sender, records: Iterable[Came], redis: Redis, *, worker: Child, told: Told) -> None:
    began = time.monotonic()
    for number, record in enumerate(records, 1):
        sender.send(record)
        while not sender.room(redis):
            worker.check()
            began = began if sender.waiting_since is None else sender.waiting_since
            if time.monotonic() - began > _STUCK_S:
                raise RerunFailed(f"counting has not moved for {_STUCK_S:g} s\n{worker.last_lines()}")
            time.sleep(_LOOK_S)
        if number % 1_000 == 0:
            told("records", number)


class _Sender:
    """A producer that knows what of it is stored; ``waiting_since`` is when it had to wait and nothing has moved since."""

    def __init__(self, kafka: str) -> None:
        self.findings = Consumer({"bootstrap.servers": kafka, "group.id": "driftline-rerun", "log_level": 0})
        self._producer = Producer(
            {"bootstrap.servers": kafka, "linger.ms": 5, "log_level": 0, "on_delivery": self._done}
        )
        self._sent: Counter[tuple[Stream, int]] = Counter()
        self._bytes = self._since_look = 0
        self._failure: str | None = None
        self._stored = 0
        self.waiting_since: float | None = None

    def send(self, record: Came) -> None:
        place = record.stream, record.partition % PARTITIONS
        more: dict[str, Any] = {} if record.at_ms is None else {"timestamp": record.at_ms}
        self._producer.produce(NAMES.topic(place[0]), record.value, record.key, place[1], **more)
        self._sent[place] += 1
        self._bytes += len(record.value or b"")
        self._since_look += 1
        self._producer.poll(0)

    def room(self, redis: Redis) -> bool:
        """Whether more may be sent; looked up only now and then."""
        if self._bytes < MOST_BYTES and self._since_look < MOST_RECORDS // 4:
            return True
        self._check()
        left = self.left(redis)
        stored = self._sent.total() - left
        self.waiting_since = None if stored != self._stored else self.waiting_since or time.monotonic()
        self._stored = stored
        if (
            left < MOST_RECORDS // 2
            and (self._bytes < MOST_BYTES or not left)
            and unread(redis, self.findings) < MOST_UNREAD
        ):
            self._bytes, self._since_look, self.waiting_since = 0, 0, None
            return True
        return False

    def left(self, redis: Redis) -> int:
        """Records that are sent and not stored."""
        pipe = redis.pipeline(transaction=False)
        for stream, partition in self._sent:
            pipe.hget(NAMES.offset(stream, partition), "next")
        found = zip(self._sent.values(), pipe.execute(), strict=True)
        return sum(sent - int(stored or 0) for sent, stored in found)

    def close(self, watermark_ms: int) -> None:
        """Tell every partition that nothing older follows."""
        control = json.dumps({"control": "watermark", "timestamp": watermark_ms}).encode()
        for stream in TOPICS_IN:
            for partition in range(PARTITIONS):
                self.send(Came(stream, partition, control))
        left = self._producer.flush(_FLUSH_S)
        self._check()
        if left:
            raise Unavailable(f"the broker did not take {left} records within {_FLUSH_S:g} s")

    def _done(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failure = f"{message.topic()}: {error.str()}"

    def _check(self) -> None:
        if self._failure is not None:
            raise Unavailable(f"the broker refused a record of {self._failure}")


def unread(redis: Redis, consumer: Consumer) -> int:
    """Findings that the incident owner has not worked off yet."""
    read = cast("bytes | None", redis.hget(NAMES.incidents("owner"), "next:findings"))
    return consumer.get_watermark_offsets(_FINDINGS, timeout=_FLUSH_S)[1] - int(read or 0)


@dataclass(frozen=True, slots=True)
class _Left:
    """What is still to be done: records to count, panes to judge, findings to decide by, receivers to tell."""

    redis: Redis
    sender: _Sender
    generation: Generation
    until_ms: int

    def __call__(self) -> tuple[int, ...]:
        names = NAMES
        pipe = self.redis.pipeline(transaction=False)
        pipe.hgetall(names.incidents("marks"))
        pipe.hvals(names.incidents("documents"))
        for model in self.generation.models:
            pipe.xlen(names.outbox(model))
        marks, documents, *outboxes = pipe.execute()
        untold = sum(not one.confirmed for document in documents for one in decode(document).deliveries)
        return (
            self.sender.left(self.redis), self._unjudged(marks), sum(outboxes), unread(self.redis, self.sender.findings), untold,
        )  # fmt: skip

    def _unjudged(self, marks: Mapping[bytes, bytes]) -> int:
        """The panes that are not judged, about; of a stream that has not spoken one."""
        return sum(
            self._panes(model, marks.get(f"{model}\x1f{stream}".encode()))
            for model, stream in announced(self.generation)
        )

    def _panes(self, model: str, mark: bytes | None) -> int:
        pane_ms = self.generation.models[model].monitor.pane_ms
        end = self.until_ms // pane_ms
        return 1 if mark is None else max(0, end - int(mark) // pane_ms)


def _settle(left: _Left, worker: Child, *, told: Told) -> None:
    before, moved = None, time.monotonic()
    while any(now := left()):
        worker.check()
        told("panes to judge", now[1])
        before, moved = (now, time.monotonic()) if now != before else (before, moved)
        if time.monotonic() - moved > _STUCK_S:
            raise RerunFailed(f"judging has not moved for {_STUCK_S:g} s: {now}\n{worker.last_lines()}")
        time.sleep(5 * _LOOK_S)


def laid_together(sources: Sequence[Iterator[tuple[int, Came]]]) -> Iterator[Came]:
    """Records of several partitions in the order of each one's clock, (clock, record)."""
    return (record for _, record in heapq.merge(*sources, key=lambda one: one[0]))
