"""One contender after another on one Kafka and Redis: fill a topic, start the worker on it, watch it to the end.

Every contender has an environment and a topic of its own.  What it has counted in the end is compared with numpy's count.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import redis
from redis.asyncio import Redis

from schemas.names import Names
from stream.state.applying import apply_monitors
from stream.state.reading import read_counts
from tests.bench import counted
from tests.bench.columnar import Columnar
from tests.bench.counted import Counted, wanted
from tests.bench.events import PANE_MS, SPAN_MS, START_MS, Flow
from tests.bench.filling import Steady, fill, topics_of
from tests.bench.lineup import DRIFTLINE, ROOT, Contender, Live
from tests.bench.same_work import EDGES_FILE, KEY
from tests.bench.sampling import Figures, Watched
from tests.bench.tally import COUNT_BYTES, COUNT_FILE
from tests.support.process import Process

#: Models whose stored panes are compared with numpy's count.
MOST_READ = 200
#: What is under way (contender, activity), how many events of it are done, how many there are.
Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """The services, a folder for logs, and whom to tell of progress."""

    kafka: str
    redis_url: str
    folder: Path
    tell: Told

    def measure(self, contender: Contender) -> Figures:
        """Run one contender over all of its events."""
        run = self._run(contender.name, contender.flow)
        with topics_of(self.kafka, run.names, partitions=contender.flow.partitions):
            fill(self.kafka, run.topic, contender.flow, told=run.told("sent"))
            by = {"number": run.counting, "panes": run.storing, "states": run.keeping, "file": run.reporting}
            return by[contender.leaves](contender.command)

    def measure_shared(self, flow: Flow, *, workers: int) -> Figures:
        """Run several workers of driftline on one topic, from when each has partitions of its own."""
        run = self._run(f"{workers} workers", flow)
        with topics_of(self.kafka, run.names, partitions=flow.partitions):
            fill(self.kafka, run.topic, flow, told=run.told("sent"))
            return run.sharing(workers)

    def measure_live(self, live: Live) -> Figures:
        """Run driftline at a steady rate."""
        run = self._run(live.name, live.flow)
        with topics_of(self.kafka, run.names, partitions=live.flow.partitions):
            return run.living(live)

    def _run(self, name: str, flow: Flow | Columnar) -> Run:
        return Run(self, name, flow, Names(f"bench-{uuid.uuid4().hex[:8]}"))


@dataclass(frozen=True, slots=True)
class Run:
    """One contender in an environment of its own."""

    stage: Stage
    name: str
    flow: Flow | Columnar
    names: Names

    @property
    def topic(self) -> str:
        return self.names.topic("predictions")

    def told(self, activity: str) -> Callable[[int], None]:
        return lambda done: self.stage.tell(f"{self.name}: {activity}", done, self.flow.events)

    def counting(self, command: tuple[str, ...]) -> Figures:
        """A worker that leaves its count in a file, and nothing else."""
        process = self._start(command, {COUNT_FILE: str(self._count_file())})
        return self._watched(process, self._tally)

    def storing(self, command: tuple[str, ...]) -> Figures:
        """Put the models into force and run driftline; its progress is what it has stored."""
        asyncio.run(self._apply())
        with redis.Redis.from_url(self.stage.redis_url) as client:
            found = self._watched(self._start(command, {}), lambda: self._stored(client))
        self._check(asyncio.run(self._panes((START_MS, START_MS + SPAN_MS))))
        return found

    def sharing(self, workers: int) -> Figures:
        """Several workers of driftline, their CPU together."""
        asyncio.run(self._apply())
        owners = self.names.partitions("predictions")
        with redis.Redis.from_url(self.stage.redis_url) as client:
            first, *others = (self._start(DRIFTLINE, {}, log=f" {number}") for number in range(workers))
            watched = Watched(first, lambda: self._stored(client), tuple(others))
            try:
                watched.wait(lambda: len(set(cast("list[bytes]", client.hvals(owners)))) == workers)
                found = watched.until(self.flow.events, told=self.told("processed"))
            finally:
                for process in (first, *others):
                    process.stop(timeout_s=20)
        self._check(asyncio.run(self._panes((START_MS, START_MS + SPAN_MS))))
        return found

    def keeping(self, command: tuple[str, ...]) -> Figures:
        """A worker that leaves its count in a file and states in Redis."""
        process = self._start(command, self._handed())
        found = self._watched(process, self._tally)
        with redis.Redis.from_url(self.stage.redis_url) as client:
            states = cast("dict[bytes, bytes]", client.hgetall(self.names.key(KEY)))
        self._check(_by_model({at.decode(): state for at, state in states.items()}))
        return found

    def reporting(self, command: tuple[str, ...]) -> Figures:
        """A worker that leaves its count in a file, and at its end states in another."""
        result = self.stage.folder / f"{self.names.environment}.result"
        process = self._start(command, self._handed() | {"BENCH_RESULT": str(result)})
        found = self._watched(process, self._tally)
        assert result.exists(), process.last_lines()
        self._check(_by_model({at: json.dumps(state) for at, state in json.loads(result.read_text()).items()}))
        return found

    def living(self, live: Live) -> Figures:
        """Driftline on events that come at a steady rate."""
        asyncio.run(self._apply())
        began_ms = int(time.time() * 1000)
        load = Steady(self.stage.kafka, self.topic, live.rate, self.flow.models, self.flow.partitions, self.flow.events)
        file = load.written(self.stage.folder / f"{self.names.environment}.load")
        with redis.Redis.from_url(self.stage.redis_url) as client:
            watched = Watched(self._start(DRIFTLINE, {}), lambda: self._stored(client))
            try:
                watched.wait(lambda: client.hlen(self.names.partitions("predictions")) == self.flow.partitions)
                found = self._steadily(watched, live, file)
            finally:
                watched.process.stop(timeout_s=10)
            self._check(asyncio.run(self._panes((began_ms // PANE_MS * PANE_MS, began_ms + PANE_MS))))
        return found

    def _steadily(self, watched: Watched, live: Live, load: Path) -> Figures:
        sender = self._start((sys.executable, "-m", "tests.bench.filling", str(load)), {}, log="sender")
        try:
            found = watched.steadily(live.after_s, live.for_s)
            watched.until(self.flow.events, told=self.told("processed"))
        finally:
            sender.stop(timeout_s=10)
        return found

    def _watched(self, process: Process, processed: Callable[[], int]) -> Figures:
        try:
            return Watched(process, processed).until(self.flow.events, told=self.told("processed"))
        finally:
            process.stop(timeout_s=20)

    def _start(self, command: tuple[str, ...], variables: Mapping[str, str], *, log: str = "") -> Process:
        found = {
            "DRIFTLINE_KAFKA": self.stage.kafka,
            "DRIFTLINE_REDIS": self.stage.redis_url,
            "DRIFTLINE_ENVIRONMENT": self.names.environment,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        return Process(command, log=self.stage.folder / f"{self.name}{log}.log", env=found | dict(variables))

    def _check(self, found: Mapping[str, Counted]) -> None:
        models = wanted(self.flow)
        expected = {model: models[model] for model in _some(list(models))}
        wrong = sorted(model for model in expected if found.get(model) != expected[model])
        assert wrong == [], f"{self.name} counted wrong: {wrong[:3]}, {len(wrong)} of {len(expected)} models"

    # -- what a contender is handed, and leaves

    def _handed(self) -> dict[str, str]:
        """The bins to count in, and the places for what is counted."""
        edges, state = (self.stage.folder / f"{self.names.environment}.{kind}" for kind in ("edges", "state"))
        edges.write_text(json.dumps(counted.edges_of(next(iter(self.flow.references().values())))))
        places = {COUNT_FILE: self._count_file(), EDGES_FILE: edges, "BENCH_STATE": state}
        return {name: str(place) for name, place in places.items()} | {"BENCH_TOPIC": self.topic}

    def _count_file(self) -> Path:
        file = self.stage.folder / f"{self.names.environment}.count"
        file.write_bytes(bytes(COUNT_BYTES))
        return file

    def _tally(self) -> int:
        return int.from_bytes((self.stage.folder / f"{self.names.environment}.count").read_bytes(), "little")

    async def _apply(self) -> None:
        async with Redis.from_url(self.stage.redis_url) as client:
            references, now_ms = self.flow.references(), int(time.time() * 1000)
            await apply_monitors(client, self.names, self.flow.monitors(), references=references, now_ms=now_ms)

    def _stored(self, client: redis.Redis) -> int:
        """Stored offsets begin at 0 and every record holds as many events, so their sum tells the number of events."""
        pipe = client.pipeline(transaction=False)
        for partition in range(self.flow.partitions):
            pipe.hget(self.names.offset("predictions", partition), "next")
        return sum(int(found or 0) for found in pipe.execute()) * self.flow.rows_a_record

    async def _panes(self, span: tuple[int, int]) -> dict[str, Counted]:
        """What the stored panes of each model hold; of very many models, those of some."""
        async with Redis.from_url(self.stage.redis_url) as client:
            return {
                model: counted.of_summary(
                    await read_counts(client, self.names, model=model, from_ms=span[0], to_ms=span[1])
                )
                for model in _some(self.flow.names())
            }


def _some(models: list[str]) -> list[str]:
    """All, or two hundred of them: reading a model's panes of 64 partitions back takes a tenth of a second."""
    return models if len(models) <= MOST_READ else models[:: len(models) // MOST_READ]


def _by_model(states: Mapping[str, str | bytes]) -> dict[str, Counted]:
    """``model|pane``, or ``model#k|pane``, to a state: summed by model."""
    models: dict[str, list[Mapping[str, object]]] = {}
    for at, state in states.items():
        models.setdefault(at.partition("|")[0].partition("#")[0], []).append(json.loads(state))
    return {model: counted.of_states(found) for model, found in models.items()}
