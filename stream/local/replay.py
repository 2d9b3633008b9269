"""Send records to Kafka no faster than they are counted, and close the streams behind them.

At most `MOST_OUTSTANDING` records over all topics are sent and not yet counted, and counted means that the
state which holds them is stored: with more, the embedded broker forgets records that nobody has read, and
partitions run so far apart in event time that their panes pile up. Behind the last record every partition of
every topic gets a control record with a watermark, so that the last windows close though nothing follows.
"""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaError, Message, Producer
from redis import Redis

from schemas.errors import Unavailable
from schemas.names import Names, Stream
from stream.local.broker import PARTITIONS
from stream.local.events import Record

STREAMS: tuple[Stream, ...] = ("predictions", "labels", "serving")
#: The length of a pane in the demo's monitors file.
PANE_MS = 3_600_000
MOST_OUTSTANDING = 10_000
_PAUSE_S = 0.02
_FLUSH_S = 30.0

Source = tuple[Stream, int]
Offsets = Mapping[Source, int]
SOURCES: tuple[Source, ...] = tuple(itertools.product(STREAMS, range(PARTITIONS)))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay is. events: sent; clock_ms: event time of the last one; lag: records sent and not stored."""

    events: int
    seconds: float
    clock_ms: int
    lag: int

    @property
    def rate(self) -> float:
        """Events stored a second, since the start.

        >>> Progress(events=3_500, seconds=2.0, clock_ms=0, lag=500).rate
        1500.0
        """
        return max(self.events - self.lag, 0) / self.seconds if self.seconds else 0.0


def replay(records: Iterable[Record], *, sender: Sender, stored_offsets: Callable[[], Offsets]) -> Iterator[Progress]:
    """Send all records, close the streams, wait until everything is stored; a report every 20 ms.

    Nothing happens between two reports unless the next one is asked for, so whoever listens may look at the
    worker, or give up. ``stored_offsets`` gives the next offset to read of each partition, as stored with its
    panes; a partition that nobody has read yet may be absent. The topics must have been empty.

    :raises Unavailable: the broker refused a record.
    """
    remaining = iter(records)
    started = time.monotonic()
    lag = 0
    while batch := _next_batch(remaining, lag):
        sender.send(batch.records)
        lag = sender.lag(stored_offsets())
        yield sender.progress(lag, seconds=time.monotonic() - started)
        time.sleep(_PAUSE_S)
    sender.close(watermark_ms=end_of_pane(sender.clock_ms))
    while lag := sender.lag(stored_offsets()):
        yield sender.progress(lag, seconds=time.monotonic() - started)
        time.sleep(_PAUSE_S)
    yield sender.progress(0, seconds=time.monotonic() - started)


def end_of_pane(clock_ms: int) -> int:
    """The full hour after an instant: every pane of the demo that holds an event has ended by then, and no further day.

    The year's last flights leave after midnight, UTC.  A day of a few of them would be the newest window of every page.

    >>> end_of_pane(1388565540000) - 1388565540000
    1260000
    """
    return clock_ms - clock_ms % PANE_MS + PANE_MS


@dataclass(frozen=True, slots=True)
class _Batch:
    """What may be sent now: nothing where there is no room, so it is no list whose emptiness would mean the end."""

    records: list[Record]


def _next_batch(remaining: Iterator[Record], lag: int) -> _Batch | None:
    """As many records as there is room for; None after the last one."""
    room = MOST_OUTSTANDING - lag
    records = list(itertools.islice(remaining, max(room, 0)))
    return None if room > 0 and not records else _Batch(records)


def offsets_in(redis: Redis, names: Names) -> Offsets:
    """The stored offsets of the demo's partitions, in one round trip."""
    pipeline = redis.pipeline(transaction=False)
    for stream, partition in SOURCES:
        pipeline.hget(names.offset(stream, partition), "next")
    found = zip(SOURCES, pipeline.execute(), strict=True)
    return {source: int(offset) for source, offset in found if offset is not None}


class Sender:
    """A producer that knows how many records it has sent to each partition."""

    def __init__(self, bootstrap: str, names: Names) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "linger.ms": 5,
                "log_level": 0,
                "delivery.report.only.error": True,
                "on_delivery": self._refused,
            }
        )
        self._topics = {stream: names.topic(stream) for stream in STREAMS}
        self._sent: Counter[Source] = Counter()
        self._failure: str | None = None
        self._events = 0
        self.clock_ms = 0

    def send(self, records: Iterable[Record]) -> None:
        """Hand records to the producer, in order.

        :raises Unavailable: the broker refused an earlier one.
        """
        for record in records:
            self._produce((record.stream, record.partition), record.value, key=record.key)
            self._events += record.events
            self.clock_ms = record.timestamp_ms
        self._producer.poll(0)
        self._check()

    def close(self, *, watermark_ms: int) -> None:
        """Say to every partition that nothing before ``watermark_ms`` follows; return once all is delivered.

        :raises Unavailable: the broker did not take everything within 30 s.
        """
        control = json.dumps({"control": "watermark", "timestamp": watermark_ms}).encode()
        for source in SOURCES:
            self._produce(source, control)
        left = self._producer.flush(_FLUSH_S)
        self._check()
        if left:
            raise Unavailable(f"the broker did not take {left} records within {_FLUSH_S:g} s")

    def lag(self, stored: Offsets) -> int:
        """Records sent that are not stored yet."""
        return sum(sent - stored.get(source, 0) for source, sent in self._sent.items())

    def progress(self, lag: int, *, seconds: float) -> Progress:
        return Progress(self._events, seconds, self.clock_ms, lag)

    def _produce(self, source: Source, value: bytes, *, key: bytes | None = None) -> None:
        stream, partition = source
        self._producer.produce(self._topics[stream], value, key, partition)
        self._sent[source] += 1

    def _refused(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failure = f"{message.topic()}: {error.str()}"

    def _check(self) -> None:
        if self._failure is not None:
            raise Unavailable(f"the broker refused a record of {self._failure}")
