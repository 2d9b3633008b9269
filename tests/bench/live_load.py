"""Live load as a process of its own: events of many models stamped with the present time, and each model down for one pane.

Its own process, because the bench records when requests arrive, and two busy threads of one Python would wait for each other.
What it leaves behind, as JSON: for each second of event time, when every partition had been given an event of that second or a
later one, which is when a pane that ends there has ended everywhere.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from confluent_kafka import Producer

from tests.bench.events import DISTINCT, name, table

PARTITIONS = 4
TICK_S = 0.01


@dataclass(frozen=True, slots=True)
class Load:
    """``rate`` events a second from now to ``until_ms``; ``down``: model number to the start of the pane in which all fail."""

    kafka: str
    topic: str
    models: int
    pane_ms: int
    rate: float
    until_ms: int
    down: Mapping[str, int] = field(default_factory=dict)

    def heads(self, now_ms: int) -> list[bytes]:
        """What an event of each model begins with at this time."""
        pane = now_ms - now_ms % self.pane_ms
        return [self._head(number, now_ms, pane=pane) for number in range(self.models)]

    def _head(self, number: int, now_ms: int, *, pane: int) -> bytes:
        status = "error" if self.down.get(str(number)) == pane else "success"
        return f'{{"model":"{name(number)}","id":"7","timestamp":{now_ms},"status":"{status}",'.encode()


@dataclass(slots=True)
class Sent:
    """How many events were sent, and by partition, when it got the first event of each second."""

    events: int = 0
    seconds: list[dict[int, float]] = field(default_factory=lambda: [{} for _ in range(PARTITIONS)])

    def note(self, partition: int, now: float) -> None:
        """An event of the present second goes to a partition."""
        self.seconds[partition].setdefault(int(now), now)

    def passed(self) -> dict[str, float]:
        """Second (epoch) to when the last partition had an event of it."""
        common = set.intersection(*map(set, self.seconds))
        return {str(second): max(of[second] for of in self.seconds) for second in sorted(common)}


def send(load: Load, producer: Producer) -> Sent:
    """Send at the rate until the time has come; what falls behind is made up for, stamped with the time at which it is sent."""
    bodies, sent, began = table(DISTINCT, seed=2).bodies(), Sent(), time.time()
    while (now := time.time()) * 1000 < load.until_ms:
        heads = load.heads(int(now * 1000))
        for number in range(sent.events, int((now - began) * load.rate)):
            _produce(
                producer, load.topic, heads[number % load.models] + bodies[number % DISTINCT], _place(load, number)
            )
            sent.note(_place(load, number), now)
            sent.events += 1
        producer.poll(0)
        time.sleep(TICK_S)
    assert producer.flush(30) == 0
    return sent


def burst(load: Load, producer: Producer, events: int) -> None:
    """So many events at once, to be caught up with."""
    bodies = table(DISTINCT, seed=2).bodies()
    for number in range(events):
        if number % 1000 == 0:
            heads = load.heads(int(time.time() * 1000))
            producer.poll(0)
        _produce(producer, load.topic, heads[number % load.models] + bodies[number % DISTINCT], _place(load, number))
    assert producer.flush(60) == 0


def producer_of(kafka: str) -> Producer:
    """Idempotent: an event that is sent twice would be a request too many."""
    settings = {"linger.ms": 5, "queue.buffering.max.messages": 200_000, "enable.idempotence": True}
    return Producer({"bootstrap.servers": kafka, **settings})


def panes(load: Load) -> Iterator[tuple[str, int]]:
    """(name of the model, end of the pane in which it is down)."""
    return ((name(int(number)), start + load.pane_ms) for number, start in load.down.items())


def written(load: Load, file: Path) -> Path:
    """The load as a file for the process."""
    file.write_text(json.dumps(asdict(load)))
    return file


def _place(load: Load, number: int) -> int:
    return number // load.models % PARTITIONS


def _produce(producer: Producer, topic: str, value: bytes, partition: int) -> None:
    while True:
        try:
            producer.produce(topic, value, partition=partition)
        except BufferError:
            producer.poll(0.05)
        else:
            return


def main(file: Path) -> None:
    """Send what the file says; the result goes beside it."""
    load = Load(**json.loads(file.read_text()))
    sent = send(load, producer_of(load.kafka))
    file.with_suffix(".sent").write_text(json.dumps({"events": sent.events, "passed": sent.passed()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
