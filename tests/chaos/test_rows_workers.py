"""Rows of workers: however they end, sleep, come and go, every stored count is what was sent."""

from __future__ import annotations

import time

import pytest

from tests.support.chaos import Row, Scene, rows
from tests.support.generated import PANE_MS, START_MS
from tests.support.observed import printed
from tests.support.process import Process

pytestmark = pytest.mark.chaos

RECORDS, RATE = 8_000, 1_500
END_MS = START_MS + 30 * PANE_MS
EXACT = "every stored count is exact"
#: A clock that is an hour fast: what a worker is told to run before its command.
FAST_CLOCK = (
    "import time; now, ns = time.time, time.time_ns; time.time = lambda: now() + 3600;"
    " time.time_ns = lambda: ns() + 3600 * 10**9; from stream.command.main import main; main()"
)


def killed_mid_pane(scene: Scene) -> None:
    records = scene.traffic().records(RECORDS)
    [worker] = scene.start()
    with scene.sending(records, rate=RATE):
        scene.wait_for(0.3, records)
        worker.kill()
        scene.start()


def killed_mid_flush(scene: Scene) -> None:
    """Once with everything packed and nothing written, once with everything written and nobody told."""
    killed_at(scene, "before-flush:6", "after-flush:6")


def killed_mid_evaluation(scene: Scene) -> None:
    killed_at(scene, "before-conclude:3", "after-conclude:3")


def killed_at(scene: Scene, *labels: str) -> None:
    records = scene.traffic().records(RECORDS)
    with scene.sending(records, rate=RATE):
        for label in labels:
            [worker] = scene.start(test_kill_at=label, flush_interval_s="0.3")
            scene.deployment.wait_until(lambda worker=worker: not worker.alive)  # type: ignore[misc]
        scene.start()


def told_to_stop(scene: Scene) -> None:
    records = scene.traffic().records(RECORDS)
    leaves, _ = scene.start(2)
    with scene.sending(records, rate=RATE):
        scene.wait_for(0.3, records)
        stop(leaves)


def stop(worker: Process) -> None:
    started = time.monotonic()
    code, took = worker.stop(), time.monotonic() - started
    assert (code, took < 8) == (0, True), f"exit code {code} after {took:.1f} s\n{worker.last_lines()}"


def three_and_one(scene: Scene) -> None:
    """From one worker to three and back, each holding panes that it has not stored."""
    records = scene.traffic().records(2 * RECORDS)
    [first] = scene.start(flush_interval_s="2")
    with scene.sending(records, rate=RATE // 5):
        scene.wait_for(0.1, records)
        _, last = scene.start(2, flush_interval_s="2")
        stop(first)
        scene.deployment.wait_until_shared(*scene.living())
        assert scene.stored_share(records) < 0.9, "too fast: nothing was left to hand over"
        last.kill()
        scene.deployment.wait_until_shared(*scene.living())


def clock_an_hour_fast(scene: Scene) -> None:
    """Two workers that share the partitions, and disagree about what time it is."""
    records = scene.traffic().records(RECORDS)
    scene.start()
    scene.deployment.program = ("-c", FAST_CLOCK)
    [wrong] = scene.start()
    with scene.sending(records, rate=RATE):
        scene.wait_for(0.3, records)
        wrong.kill()


@rows(
    Row("kill -9 mid-pane", killed_mid_pane, EXACT, long=True),
    Row("kill -9 mid-flush", killed_mid_flush, EXACT, long=True),
    Row("kill -9 mid-evaluation", killed_mid_evaluation, f"{EXACT}; closed panes too", long=True),
    Row("SIGTERM under load", told_to_stop, f"{EXACT}; exit code 0", long=True),
    Row("1, 3, 1 workers under load", three_and_one, EXACT, long=True),
    Row("a worker's clock an hour fast", clock_an_hour_fast, EXACT, long=True),
)
def test_counts_are_exact_through(row: Row, scene: Scene) -> None:
    row.fault(scene)
    scene.close(END_MS)
    scene.assert_exact()
    assert not any(printed(worker, "Traceback") for worker in scene.deployment.workers)
