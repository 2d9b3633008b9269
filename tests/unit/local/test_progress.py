"""A worker that is dead, or alive and counting nothing, ends the replay with its last words."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stream.local.child import ChildDied, running
from stream.local.progress import Watch
from stream.local.replay import Progress

CODE = "import time; print('waiting for a partition', flush=True); time.sleep(60)"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_worker_that_stores_nothing_for_a_minute_is_given_up(tmp_path: Path) -> None:
    clock = Clock()
    with running("worker", [sys.executable, "-c", CODE], folder=tmp_path) as worker:
        worker.wait_until(lambda: "waiting" in worker.last_lines(), timeout_s=10)
        watch = Watch(worker, now=clock)
        for clock.now, lag in ((50.0, 90), (100.0, 80), (160.0, 80)):
            watch.check(Progress(events=100, seconds=clock.now, clock_ms=0, lag=lag))
        clock.now = 160.1
        with pytest.raises(ChildDied, match="nothing for 60 s\nwaiting for a partition"):
            watch.check(Progress(events=100, seconds=clock.now, clock_ms=0, lag=80))


def test_a_dead_worker_ends_the_replay(tmp_path: Path) -> None:
    with running("worker", [sys.executable, "-c", "raise SystemExit('no broker')"], folder=tmp_path) as worker:
        worker.process.wait()
        with pytest.raises(ChildDied, match="no broker"):
            Watch(worker).check(Progress(events=0, seconds=0.0, clock_ms=0, lag=0))
