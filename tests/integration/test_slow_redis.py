"""A Redis that answers, and takes seconds for it: reading is held by what cannot be stored yet, and all is counted once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.generated import PANE_MS, assert_counts, expected, generate, reference_of, write_monitors
from tests.support.observed import apply, counts, page
from tests.support.process import Process
from tests.support.proxy import Proxy
from tests.support.redis import LocalRedis
from tests.support.worker import PARTITIONS, Deployment

MODEL = "alpha"
REFERENCE = reference_of(generate(MODEL, 2_000, seed=1, features=1))
EVENTS = generate(MODEL, 24_000, seed=2, features=1, span_ms=390 * PANE_MS)
#: All of them, in every partition.
PANES = 390 * PARTITIONS
#: Changed panes of a partition that make a checkpoint, and what one run of records may add to them.
MOST, A_RUN = 30, 30
PROGRAM = f"""
from stream.ingest import intake
intake.MOST_CHANGED = {MOST}
from stream.command.main import main
main()
"""


@pytest.fixture
def proxy(own_redis: LocalRedis, tmp_path: Path) -> Iterator[Proxy]:
    made = Proxy(own_redis.port, folder=tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.mark.long
def test_a_slow_redis_holds_the_reading_and_costs_no_count(
    deployment: Deployment, own_redis: LocalRedis, proxy: Proxy
) -> None:
    deployment.redis_url = own_redis.url.replace(str(own_redis.port), str(proxy.port))
    deployment.program = ("-c", PROGRAM)
    apply(deployment, write_monitors(deployment.folder, {MODEL: REFERENCE}))
    worker = deployment.start_worker(max_run_records="400", stuck_after_s="20")
    deployment.wait_until_shared(worker)

    proxy.slow(1_000)
    deployment.send(EVENTS.records())
    seen = [open_panes(worker)]
    until = time.monotonic() + 20
    while max(seen) == 0 or time.monotonic() < until - 15:
        assert time.monotonic() < until
        time.sleep(0.25)
        seen.append(open_panes(worker))
    # What is stored and closed leaves memory; what is not yet is at most a checkpoint on its way and one being counted.
    assert 0 < max(seen) < 2 * PARTITIONS * (MOST + A_RUN) < PANES
    proxy.through()
    deployment.wait_until_stored()
    assert_counts(counts(deployment, MODEL), expected(EVENTS, REFERENCE))
    assert worker.alive


def open_panes(worker: Process) -> int:
    lines = page(worker, "metrics")[1].splitlines()
    return next(int(float(line.split()[1])) for line in lines if line.startswith("driftline_open_panes"))
