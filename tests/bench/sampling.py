"""Events per CPU-second of another process: samples of its progress and of the CPU time it has used.

Only what lies between the first and the last processed event counts, so start-up, joining the group and waiting do not.
The CPU time of all threads comes from ``/proc`` (Linux), in ticks of 10 ms.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.process import Process

POLL_S = 0.02
#: Longer than a checkpoint's interval: what comes too much comes within it.
SETTLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Sample:
    """At ``at_s`` (monotonic) the process had used ``cpu_s`` and processed ``events``."""

    at_s: float
    cpu_s: float
    events: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One contender's result: all the events it processed, and how fast between the first and the last."""

    events: int
    per_cpu_s: float
    per_wall_s: float


def figures(first: Sample, last: Sample, *, events: int) -> Figures:
    """Rates between two samples; ``events`` is what was processed in the end.

    >>> figures(Sample(10.0, 1.0, 100), Sample(14.0, 3.0, 1_100), events=1_100)
    Figures(events=1100, per_cpu_s=500.0, per_wall_s=250.0)
    """
    done = last.events - first.events
    return Figures(events, done / max(last.cpu_s - first.cpu_s, 0.01), done / max(last.at_s - first.at_s, 0.001))


@dataclass(frozen=True, slots=True)
class Watched:
    """A worker process, and how many events it has processed so far; or several (``others``) of one group, together."""

    process: Process
    processed: Callable[[], int]
    others: tuple[Process, ...] = ()

    def until(self, events: int, *, told: Callable[[int], None], timeout_s: float = 900.0) -> Figures:
        """Watch until so many events are processed, and a moment longer: one more than those would be an error."""
        first = last = self._sample()
        ends = last.at_s + timeout_s
        while last.events < events:
            if not self.process.alive or last.at_s > ends:
                raise AssertionError(f"{last.events} of {events} events\n{self.process.last_lines()}")
            time.sleep(POLL_S)
            last = self._sample()
            first = first if first.events else last
            told(last.events)
        time.sleep(SETTLE_S)
        return figures(first, last, events=self.processed())

    def steadily(self, after_s: float, for_s: float) -> Figures:
        """Watch what comes at a steady rate: from ``after_s`` behind the first event processed, for so long."""
        self.wait(lambda: self.processed() > 0)
        time.sleep(after_s)
        first = self._sample()
        time.sleep(for_s)
        last = self._sample()
        return figures(first, last, events=last.events - first.events)

    def wait(self, reached: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
        """Until it is reached; the end of the worker's log where it is not."""
        ends = time.monotonic() + timeout_s
        while not reached():
            if not self.process.alive or time.monotonic() > ends:
                raise AssertionError(f"not reached\n{self.process.last_lines()}")
            time.sleep(POLL_S)

    def _sample(self) -> Sample:
        used = sum(cpu_s(process.pid) for process in (self.process, *self.others))
        return Sample(time.monotonic(), used, self.processed())


def cpu_s(pid: int) -> float:
    """Seconds of CPU, user and system, that all threads of a process have used."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")
