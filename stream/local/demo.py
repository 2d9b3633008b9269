"""The demo: a year of flights through an embedded broker and Redis, counted by a worker, compared with January.

Nothing here counts: it sets up what a user would set up, sends what a serving system would send, and reads what
is stored. Everything it starts ends with it: after the table, on Ctrl-C, on a failure; when the worker dies,
its last words are shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from rich.console import Console
from rich.live import Live

from schemas.errors import DriftlineError
from schemas.names import TOPICS_IN, Names, Stream
from schemas.reference import Reference
from stream.local.broker import create_topic, embedded_broker
from stream.local.child import Child, running
from stream.local.events import Record, records_of
from stream.local.flights import load_flights
from stream.local.model import scores_of
from stream.local.monthly import Counts, Month, Psi, months, psi_of_month
from stream.local.progress import Watch, progress_line
from stream.local.redis import embedded_redis
from stream.local.replay import Progress, Sender, offsets_in, replay
from stream.local.watched import MODEL, january, write_watched
from stream.state.reading import read_counts

DRIFTLINE = (sys.executable, "-c", "from stream.command.main import main; main()")
NAMES = Names()
_APPLY_S = 60.0
_LONGEST_FLIGHT_MS = 86_400_000


class DemoFailed(DriftlineError):
    """A step of the demo did not work; the message shows what the step said."""


#: At most 10 000 records are outstanding, counted against what is stored: the replay goes as fast as checkpoints do.
_EAGER = {"DRIFTLINE_FLUSH_INTERVAL_S": "0.1", "DRIFTLINE_SHORT_RUN_PAUSE_S": "0.02"}


@dataclass(frozen=True, slots=True)
class Summary:
    """What the demo found. psi: month -> column -> PSI against January."""

    predictions: int
    labels: int
    late: int
    seconds: float
    events_per_s: float
    worker: str | None
    psi: Mapping[str, Psi]


@dataclass(frozen=True, slots=True)
class Stack:
    """The running parts: where Kafka and Redis are, and a folder for files and logs."""

    kafka: str
    redis: str
    folder: Path

    @property
    def env(self) -> dict[str, str]:
        """What children are told, whatever DRIFTLINE_… variables this process was given."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("DRIFTLINE_")}
        return ours | {"DRIFTLINE_KAFKA": self.kafka, "DRIFTLINE_REDIS": self.redis, **_EAGER, "PYTHONUNBUFFERED": "1"}


@contextlib.contextmanager
def replayed_year(console: Console) -> Iterator[tuple[Summary, Child]]:
    """What was found in the year, and the worker; it, broker and Redis run on until the block ends.

    ``console`` shows each step and the replay's progress.

    :raises DriftlineError: a part is not installed, a step failed, the worker died or stopped counting.
    """
    with _stack() as stack:
        console.print("flights: reading the year, training on January")
        flights = load_flights()
        scores = scores_of(flights)
        reference = january(flights, scores)
        console.print("driftline apply: monitors, and January as the reference")
        _apply(write_watched(stack.folder, reference), stack)
        console.print("driftline worker: starting")
        with running("worker", [*DRIFTLINE, "worker"], folder=stack.folder, env=stack.env) as worker:
            progress = _replay(records_of(flights, scores), stack, worker=worker, console=console)
            yield _summary(reference, stack, progress=progress, worker=worker), worker


@contextlib.contextmanager
def _stack() -> Iterator[Stack]:
    """Broker with its topics, Redis, and a folder that is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="driftline-demo-") as folder,
        embedded_redis(Path(folder)) as redis,
        embedded_broker() as kafka,
    ):
        for topic in (*TOPICS_IN, "dead-letters", "config"):
            create_topic(kafka, NAMES.topic(topic))
        yield Stack(kafka, redis, Path(folder))


def _apply(monitors: Path, stack: Stack) -> None:
    command = [*DRIFTLINE, "apply", str(monitors)]
    done = subprocess.run(command, env=stack.env, capture_output=True, text=True, timeout=_APPLY_S, check=False)
    if done.returncode:
        raise DemoFailed(f"driftline apply ended with status {done.returncode}\n{done.stdout}{done.stderr}")


def _replay(records: Iterator[Record], stack: Stack, *, worker: Child, console: Console) -> Progress:
    """Send and watch, until everything is stored; the last report."""
    watch = Watch(worker)
    with Redis.from_url(stack.redis) as redis, Live(console=console, refresh_per_second=5) as live:
        reports = replay(records, sender=Sender(stack.kafka, NAMES), stored_offsets=lambda: offsets_in(redis, NAMES))
        for progress in reports:
            watch.check(progress)
            live.update(progress_line(progress))
    if not console.is_terminal:
        console.print()  # a line that never moved was left open
    return progress


def _summary(reference: Reference, stack: Stack, *, progress: Progress, worker: Child) -> Summary:
    counts = asyncio.run(_counts(stack.redis))
    year = counts["labels"], *(counts[month.name] for month in months())
    predictions = [counts[month.name] for month in months()]
    return Summary(
        predictions=sum(month["events"] for month in predictions),
        labels=counts["labels"]["events"],
        late=sum(part["late"] for part in year),
        seconds=round(progress.seconds, 1),
        events_per_s=round(progress.rate),
        worker=_address(worker),
        psi={month.name: psi_of_month(reference, counts[month.name]) for month in months()},
    )


async def _counts(url: str) -> dict[str, Counts]:
    """The stored counts of each month's predictions, by its name, and of the year's labels."""
    first, *_, last = months()
    # A label is known when its flight has landed: the last ones in the new year.
    year = Month("labels", first.from_ms, last.to_ms + _LONGEST_FLIGHT_MS)
    async with AsyncRedis.from_url(url) as redis:
        found = {month.name: await _read(redis, "predictions", month) for month in months()}
        return found | {year.name: await _read(redis, "labels", year)}


async def _read(redis: AsyncRedis, stream: Stream, span: Month) -> Counts:
    return await read_counts(redis, NAMES, model=MODEL, stream=stream, from_ms=span.from_ms, to_ms=span.to_ms)


def _address(worker: Child) -> str | None:
    """Where the worker said that it serves metrics and health."""
    said = re.search(r"worker: (http://\S+)", worker.log.read_text(errors="replace"))
    return said[1] if said else None
