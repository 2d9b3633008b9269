"""The frame of the chaos table: a ``Row`` is a fault, told by name, and the bar that is held through it.

A row's fault is done to a ``Scene``: two models in force, traffic over all streams, workers.  At its end ``assert_exact``
compares everything stored with what plain Python counts of what was sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml
from confluent_kafka import Producer
from redis.asyncio import Redis

from schemas.names import TOPICS_IN
from schemas.reference import Reference
from stream.state.generations import read
from tests.support import chaos_stored
from tests.support.chaos_events import FEATURES, MODELS, PARTITIONS, Record, Traffic, watermark
from tests.support.chaos_oracle import NEVER, Judged, Layout, Pane, counted, judged, totals
from tests.support.faults import routed
from tests.support.generated import generate, reference_of, write_monitors
from tests.support.observed import apply, dead_letters
from tests.support.process import Process, free_port
from tests.support.worker import AT_ONCE, Deployment, Pace

REFERENCES = {
    model: reference_of(generate(model, 4_000, seed=11 + at, features=len(FEATURES))) for at, model in enumerate(MODELS)
}
#: Panes by (stream, partition, model, hash of the layout), and layouts by (model, stream, hash).
Panes = Mapping[tuple[str, int, str, str], Mapping[int, Pane]]
Layouts = Mapping[tuple[str, str, str], Layout]
#: By model: a reference's hash, and from which pane on it counts.
Switches = Mapping[str, tuple[str, int]]
#: A worker that is gone is noticed within 2 s.
QUICK = {"session_timeout_s": "2", "in_doubt_s": "0.5"}
RELEASE = {"champion": "3", "challenger": "4"}


@dataclass(slots=True)
class Scene:
    """A deployment with the two models in force; ``sent`` are the records as they lie in Kafka, partition by partition."""

    deployment: Deployment
    seed: int
    sent: list[Record] = field(default_factory=list)
    now_ms: int = field(default_factory=lambda: int(time.time() * 1000))

    def traffic(self, **changed: Any) -> Traffic:
        """Traffic of the scene's seed."""
        return Traffic(self.seed, self.now_ms, **changed)

    def send(self, records: Sequence[Record], *, pace: Pace = AT_ONCE) -> None:
        """Produce the records in order, in this pace, and wait for the broker."""
        settings = {"bootstrap.servers": self.deployment.kafka, "linger.ms": 20, "enable.idempotence": True}
        producer = Producer(settings | {"message.max.bytes": 8_000_000, "queue.buffering.max.messages": 1_000_000})
        for number, record in enumerate(records):
            place, topic = (record.stream, record.partition), self.deployment.names.topic(record.stream)
            producer.produce(topic, record.value, partition=record.partition)
            self.sent.append(record)
            self.deployment.sent[place] = self.deployment.sent.get(place, 0) + 1
            if number % 200 == 199:
                producer.poll(0)
                pace.keep(number + 1)
        assert producer.flush(60) == 0

    @contextmanager
    def sending(self, records: Sequence[Record], *, rate: int) -> Iterator[None]:
        """Send in the background while the block runs; what is left at its end is sent at once."""
        pace = Pace(rate)
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(self.send, records, pace=pace)
            try:
                yield
            finally:
                pace.hurry()
            done.result()

    def close(self, before_ms: int) -> None:
        """Send what closes every pane that begins before this time."""
        self.send(watermark(before_ms))

    def start(self, count: int = 1, **settings: str) -> list[Process]:
        """Start workers, and wait until they share the partitions of predictions among those that live.

        Each at a port of its own: of those that a worker looks for there are nine on a machine.
        """
        ports = [{"http_port": str(free_port())} for _ in range(count)]
        started = [self.deployment.start_worker(**(QUICK | port | settings)) for port in ports]
        self.deployment.wait_until_shared(*self.living())
        return started

    def living(self) -> list[Process]:
        """The workers that run."""
        return [worker for worker in self.deployment.workers if worker.alive]

    def wait_for(self, share: float, records: Sequence[Record]) -> None:
        """Wait until so much of the records is counted and stored; there is to be more to come."""
        self.deployment.wait_until(lambda: self.stored_share(records) >= share)
        assert self.stored_share(records) < 0.9, "too fast: nothing was left to go wrong"

    def stored_share(self, records: Sequence[Record]) -> float:
        """How much of these records is counted and stored."""
        return sum(self.deployment.stored().values()) / len(records)

    def assert_exact(self, *, timeout_s: float = 120.0) -> None:
        """Everything sent is stored, and every number of it is what plain Python counts; so is what was closed of it."""
        self.deployment.wait_until_stored(timeout_s=timeout_s)
        truth = judged(self.sent, now_ms=self.now_ms, topic=f"{self.deployment.environment}.")
        wanted = self.assert_counts(truth)
        self.assert_refusals(truth)
        self.assert_closed(wanted)
        self.assert_totals(truth)

    def assert_counts(self, truth: Judged | None = None) -> Panes:
        """Each partition's panes are what is counted of its own events; what they are."""
        known = self._layouts()
        wanted = panes_of(truth or judged(self.sent, now_ms=self.now_ms), known, switches(self.deployment))
        stored = chaos_stored.panes(*self.redis, known)
        same(set(stored), set(wanted), "what is stored")
        for place, panes in wanted.items():
            same_panes(stored[place], panes, str(place))
        return wanted

    def assert_refusals(self, truth: Judged) -> None:
        """By stream and reason, and every dead letter at its coordinates."""
        for stream in TOPICS_IN:
            found = chaos_stored.refused(*self.redis, stream, partitions=PARTITIONS)
            same(found, truth.rejected[stream], f"refused of {stream}")
        same(set(dead_letters(self.deployment)), truth.letters, "dead letters")

    def assert_closed(self, wanted: Panes, *, timeout_s: float = 60.0) -> None:
        """The closed panes of predictions are the sums over partitions, once everything is closed."""
        known = self._layouts()
        of = {key: merged(wanted, key) for key, layout in known.items() if _is_closed(key, layout)}
        end = time.monotonic() + timeout_s
        while any(self._closed(key, known) != panes for key, panes in of.items()) and time.monotonic() < end:
            time.sleep(0.3)
        for key, panes in of.items():
            same_panes(self._closed(key, known), panes, f"closed {key}")

    def assert_totals(self, truth: Judged) -> None:
        """Each event was added to its model's sums once, whoever closed its pane, and however often."""
        events = [event for (stream, _), of in truth.counted.items() if stream == "predictions" for event, _ in of]
        for model in MODELS:
            wanted = totals(event for event in events if event["model"] == model)
            same(chaos_stored.totals(*self.redis, model), wanted, f"sums of {model}")

    def _closed(self, key: tuple[str, str, str], known: Layouts) -> dict[int, Pane]:
        return chaos_stored.closed(*self.redis, key[0], (key[2], known[key]))

    @property
    def redis(self) -> tuple[str, str]:
        """Where it is, and the name that its keys begin with."""
        return self.deployment.redis_url, self.deployment.environment

    def _layouts(self) -> Layouts:
        return {key: found for model in MODELS for key, found in chaos_stored.layouts(*self.redis, model).items()}


def _is_closed(key: tuple[str, str, str], layout: Layout) -> bool:
    return key[1] == "predictions" and layout["categorical"][0]["path"] != "version"


def switches(deployment: Deployment) -> Switches:
    """By model the reference in force and the start of the first pane that is counted by it, where there was another before."""

    async def ask() -> Switches:
        async with Redis.from_url(deployment.redis_url) as client:
            generation = await read(client, deployment.names)
        models = generation.models.items() if generation else ()
        return {model: (force.reference, force.from_ms) for model, force in models if force.from_ms is not None}

    return asyncio.run(ask())


def _between(panes: dict[int, Pane], layout: Layout, switched: Switches) -> dict[int, Pane]:
    """The panes that are counted in this layout, and not in the one before or after it."""
    reference, from_ms = switched.get(layout["model"], (layout["reference"], NEVER))
    new = layout["reference"] == reference
    return {start: pane for start, pane in panes.items() if (start >= from_ms) == new}


def panes_of(truth: Judged, known: Layouts, switched: Switches) -> Panes:
    """What each partition should hold of each model, in each layout."""
    found = {
        (stream, partition, model, digest): _between(counted(events, layout), layout, switched)
        for (stream, partition), events in truth.counted.items()
        for (model, of, digest), layout in known.items()
        if of == stream
    }
    return {place: panes for place, panes in found.items() if panes}


def merged(wanted: Panes, key: tuple[str, str, str]) -> dict[int, Pane]:
    """The sum over partitions of a layout's panes; ``key``: model, stream, hash."""
    found: dict[int, Pane] = {}
    for (stream, _, model, digest), panes in wanted.items():
        if (model, stream, digest) == key:
            for start, pane in panes.items():
                found[start] = found[start] + pane if start in found else pane
    return found


def same_panes(found: Mapping[int, Pane], wanted: Mapping[int, Pane], what: str) -> None:
    """The same panes, cell by cell."""
    same(set(found), set(wanted), f"panes of {what}")
    for start, pane in wanted.items():
        same(found[start].cells, pane.cells, f"cells of {what} at {start}")
        same(found[start].sums, pane.sums, f"sums of {what} at {start}")
        same(found[start].extremes, pane.extremes, f"extremes of {what} at {start}")


def same(found: Any, wanted: Any, what: str) -> None:
    """Fail with what differs, not with all there is."""
    if found == wanted:
        return
    if isinstance(wanted, Mapping):
        keys = [key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key)]
        found, wanted = ({key: of.get(key) for key in sorted(keys)[:20]} for of in (found, wanted))
    else:
        found, wanted = sorted(found - wanted)[:20], sorted(wanted - found)[:20]
    pytest.fail(f"{what}: found {found}, wanted {wanted}", pytrace=True)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; ``long`` ones are left to ``make chaos``."""

    name: str
    fault: Callable[[Scene], None]
    bar: str
    long: bool = False


def rows(*found: Row) -> pytest.MarkDecorator:
    """Parametrize a test by rows: ``def test_row(row: Row, scene: Scene)``."""
    return pytest.mark.parametrize("row", [_param(row) for row in found])


def row(name: str, bar: str) -> pytest.MarkDecorator:
    """Enter a test of its own shape into the table."""
    return pytest.mark.row(name, bar)


def _param(of: Row) -> Any:
    marks = [row(of.name, of.bar), *([pytest.mark.long] if of.long else [])]
    return pytest.param(of, id=of.name.replace(" ", "-"), marks=marks)


def put_in_force(deployment: Deployment, *, references: Mapping[str, Reference] = REFERENCES, **of_alpha: str) -> None:
    """These models, alpha with a release and what else is said of it."""
    file = routed(write_monitors(deployment.folder, references))
    document = yaml.safe_load(file.read_text())
    document["models"]["alpha"] |= {"release": RELEASE, **of_alpha}
    file.write_text(yaml.safe_dump(document))
    apply(deployment, file)
