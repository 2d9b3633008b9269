"""The demo: a year of flights through an embedded broker and Redis, counted and judged by a worker, told to recording receivers.

Nothing here counts or decides: it sets up what a user would set up, sends what a serving system would send, and reads
what is stored and what the receivers got. Everything it starts ends with it: after the table, on Ctrl-C, on a failure;
when a child dies, its last words are shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from rich.console import Console
from rich.live import Live

from schemas.errors import DriftlineError
from schemas.names import Stream
from schemas.reference import Reference
from stream.local.child import Child, running
from stream.local.events import Record, records_of
from stream.local.flights import load_flights
from stream.local.judged import Judged, Judging
from stream.local.model import Floats, scores_of
from stream.local.monthly import Counts, Month, Psi, months, psi_of_month
from stream.local.progress import Watch, judging_line, progress_line
from stream.local.replay import Offsets, Progress, Sender, end_of_pane, offsets_in, replay
from stream.local.stack import DRIFTLINE, NAMES, Stack, running_stack
from stream.local.told import Incident, Told, incidents_in, told
from stream.local.two_views import Views, reports_in, views_of
from stream.local.watched import MODEL, january, write_watched
from stream.state.reading import read_counts

_APPLY_S = 60.0
_READY_S = 30.0
_SETTLED_S = 120.0
_LONGEST_FLIGHT_MS = 86_400_000
MOST_UNREAD = 2_000


class DemoFailed(DriftlineError):
    """A step of the demo did not work; the message shows what the step said."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the demo found. psi: month -> column -> PSI against January; views: of the weeks of the year, by both rules."""

    predictions: int
    labels: int
    requests: int
    late: int
    seconds: float
    events_per_s: float
    worker: str | None
    console: str | None
    incidents: tuple[Incident, ...]
    told: Told
    psi: Mapping[str, Psi]
    views: tuple[Views, ...]


@dataclass(frozen=True, slots=True)
class Children:
    """The processes of ours: the worker has evaluation beside it, so that the replay is not slowed."""

    worker: Child
    console: Child

    def check(self) -> None:
        """:raises ChildDied: one of them ended."""
        self.worker.check()
        self.console.check()


@contextlib.contextmanager
def replayed_year(console: Console) -> Iterator[tuple[Summary, Children]]:
    """What was found in the year, and the running processes; they, broker and Redis run on until the block ends.

    ``console`` shows each step and the replay's progress.

    :raises DriftlineError: a part is not installed, a step failed, a child died or stopped counting.
    """
    console.print("flights: reading the year, training on January")
    flights = load_flights()
    with replayed(flights, scores_of(flights), console=console) as found:
        yield found


@contextlib.contextmanager
def replayed(flights: pd.DataFrame, scores: Floats, *, console: Console) -> Iterator[tuple[Summary, Children]]:
    """The same of any flights that hold January, in time order, with the score of each."""
    reference = january(flights, scores)
    with running_stack() as stack:
        console.print("driftline apply: monitors, and January as the reference")
        _apply(write_watched(stack.folder, reference), stack)
        with _children(stack, console) as children:
            progress = _replay(records_of(flights, scores), stack, worker=children.worker, console=console)
            _settle(stack, children.worker, until_ms=end_of_pane(progress.clock_ms), console=console)
            yield _summary(reference, stack, progress=progress, children=children), children


@contextlib.contextmanager
def _children(stack: Stack, console: Console) -> Iterator[Children]:
    console.print("driftline worker, driftline console: starting")
    counting = stack.env | {"DRIFTLINE_EVALUATE": "beside"}
    with (
        running("worker", [*DRIFTLINE, "worker"], folder=stack.folder, env=counting) as worker,
        running("console", [*DRIFTLINE, "console"], folder=stack.folder, env=stack.env) as page,
    ):
        page.wait_until(lambda: _address(page) is not None, timeout_s=_READY_S)
        console.print(f"console: {_address(page)}")
        yield Children(worker, page)


def _apply(monitors: Path, stack: Stack) -> None:
    command = [*DRIFTLINE, "apply", str(monitors)]
    done = subprocess.run(command, env=stack.env, capture_output=True, text=True, timeout=_APPLY_S, check=False)
    if done.returncode:
        raise DemoFailed(f"driftline apply ended with status {done.returncode}\n{done.stdout}{done.stderr}")


def _replay(records: Iterator[Record], stack: Stack, *, worker: Child, console: Console) -> Progress:
    """Send and watch, until everything is stored; the last report."""
    watch = Watch(worker)
    with (
        Redis.from_url(stack.redis) as redis,
        _judging(redis, stack) as judging,
        Live(console=console, refresh_per_second=5) as live,
    ):
        for progress in replay(records, sender=Sender(stack.kafka, NAMES), stored_offsets=_keeping_up(redis, judging)):
            watch.check(progress)
            live.update(progress_line(progress))
    if not console.is_terminal:
        console.print()  # a line that never moved was left open
    return progress


def _keeping_up(redis: Redis, judging: Judging) -> Callable[[], Offsets]:
    """The stored offsets; as they were, while more findings wait than the embedded broker can be trusted to keep."""
    known: Offsets = {}

    def stored() -> Offsets:
        nonlocal known
        if judging.unread() < MOST_UNREAD:
            known = offsets_in(redis, NAMES)
        return known

    return stored


def _judging(redis: Redis, stack: Stack) -> contextlib.closing[Judging]:
    return contextlib.closing(Judging(redis, NAMES, kafka=stack.kafka, model=MODEL))


def _settle(stack: Stack, worker: Child, *, until_ms: int, console: Console) -> None:
    """Wait until the whole year is judged and everybody was told.

    :raises DemoFailed: nothing moved for two minutes.
    """
    before, moved = None, time.monotonic()
    with (
        Redis.from_url(stack.redis) as redis,
        _judging(redis, stack) as judging,
        console.status("judging") as status,
    ):
        while not (now := judging()).settled(until_ms):
            worker.check()
            status.update(judging_line(now))
            before, moved = (now, time.monotonic()) if now != before else (before, moved)
            if time.monotonic() - moved > _SETTLED_S:
                raise DemoFailed(f"{_stuck(now)}\n{worker.last_lines()}")
            time.sleep(0.1)


def _stuck(judged: Judged) -> str:
    return f"the year is counted, but judging it has not moved for {_SETTLED_S:g} s: {judged}"


def _summary(reference: Reference, stack: Stack, *, progress: Progress, children: Children) -> Summary:
    counts = asyncio.run(_counts(stack.redis))
    year = counts["labels"], counts["serving"], *(counts[month.name] for month in months())
    predictions = [counts[month.name] for month in months()]
    with Redis.from_url(stack.redis) as redis:
        incidents, views = tuple(incidents_in(redis, NAMES)), tuple(views_of(reports_in(redis, NAMES, MODEL)))
    return Summary(
        predictions=sum(month["events"] for month in predictions),
        labels=counts["labels"]["events"],
        requests=counts["serving"]["events"],
        late=sum(part["late"] for part in year),
        seconds=round(progress.seconds, 1),
        events_per_s=round(progress.rate),
        worker=_address(children.worker),
        console=_address(children.console),
        incidents=incidents,
        told=told(stack.pagerduty.vendor, stack.slack.vendor),
        psi={month.name: psi_of_month(reference, counts[month.name]) for month in months()},
        views=views,
    )


async def _counts(url: str) -> dict[str, Counts]:
    """The stored counts of each month's predictions, by its name, and of the year's labels and requests."""
    first, *_, last = months()
    # A label is known when its flight has landed: the last ones in the new year.
    year = Month("year", first.from_ms, last.to_ms + _LONGEST_FLIGHT_MS)
    async with AsyncRedis.from_url(url) as redis:
        found = {month.name: await _read(redis, "predictions", month) for month in months()}
        return found | {stream: await _read(redis, stream, year) for stream in ("labels", "serving")}


async def _read(redis: AsyncRedis, stream: Stream, span: Month) -> Counts:
    return await read_counts(redis, NAMES, model=MODEL, stream=stream, from_ms=span.from_ms, to_ms=span.to_ms)


def _address(child: Child) -> str | None:
    """Where a child said that it serves its pages."""
    said = re.search(rf"{child.name}: (http://\S+)", child.log.read_text(errors="replace"))
    return said[1] if said else None
