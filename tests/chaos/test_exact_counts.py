"""Whatever is killed, the stored counts are what was produced: every feature, bin and pane, on a real Kafka and Redis."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from redis.asyncio import Redis

from schemas.reference import Reference
from stream.state.reading import read_counts
from tests.support.chaos import row
from tests.support.generated import (
    PANE_MS,
    START_MS,
    Events,
    assert_counts,
    expected,
    generate,
    reference_of,
    write_monitors,
)
from tests.support.worker import Deployment

pytestmark = pytest.mark.chaos

ROWS = {"alpha": 60_000, "beta": 40_000}
FEATURES = {"alpha": 8, "beta": 4}
RATE = 2_000
#: Events come this much out of order: more than the lateness of two minutes, so some are late and meet evicted panes.
DISORDER_MS = 3 * PANE_MS


@pytest.fixture(scope="module")
def references() -> dict[str, Reference]:
    """What the models were built on: other rows than those that are counted."""
    return {
        model: reference_of(generate(model, 5_000, seed=11 + number, features=FEATURES[model]))
        for number, model in enumerate(ROWS)
    }


@row("kill -9, restart and scale out", "every feature, bin and pane exact")
def test_counts_are_exact_through_kill_restart_and_scale_out(
    deployment: Deployment, references: dict[str, Reference]
) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # shown when the test fails
    events = {
        model: generate(model, rows, seed=seed + number, features=FEATURES[model])
        for number, (model, rows) in enumerate(ROWS.items())
    }
    records = _in_order_of_arrival(list(events.values()))
    driftline(deployment, "apply", str(write_monitors(deployment.folder, references)))

    killed, stays = deployment.start_worker(), deployment.start_worker()
    deployment.wait_until_shared(killed, stays)
    with deployment.sending(records, rate=RATE):
        deployment.wait_until(lambda: sum(deployment.stored().values()) > 6_000)
        killed.kill()  # mid-stream, with panes of its partitions half counted
        back = deployment.start_worker()
        deployment.wait_until_shared(stays, back)
        joins = deployment.start_worker()  # scale out under load, with panes unflushed
        deployment.wait_until_shared(stays, back, joins)
        assert sum(deployment.stored().values()) < 0.9 * len(records), "too fast: nothing was left to hand over"
    deployment.wait_until_stored()

    for model, of in events.items():
        whole = json.loads(driftline(deployment, "counts", "--model", model, *_all_time(), "--json"))
        assert_counts(whole, expected(of, references[model]))
        for pane in range(START_MS, START_MS + 30 * PANE_MS, PANE_MS):
            found = asyncio.run(_counts(deployment, model, pane))
            assert_counts(found, expected(of, references[model], pane=pane))


def driftline(deployment: Deployment, *arguments: str) -> str:
    """Run a driftline command against the deployment; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "stream.command.main", *arguments],
        env={**os.environ, **deployment.variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _in_order_of_arrival(events: list[Events]) -> list[bytes]:
    records = [record for of in events for record in of.records()]
    times = np.concatenate([of.times for of in events])
    disorder = np.random.default_rng(5).integers(0, DISORDER_MS, len(times))
    order = np.argsort(times + disorder, kind="stable")
    return [records[at] for at in order]


def _all_time() -> tuple[str, ...]:
    return "--from", str(START_MS), "--to", str(START_MS + 30 * PANE_MS)


async def _counts(deployment: Deployment, model: str, pane: int) -> dict[str, Any]:
    client = Redis.from_url(deployment.redis_url)
    try:
        return await read_counts(
            client, deployment.names, model=model, stream="predictions", from_ms=pane, to_ms=pane + PANE_MS
        )
    finally:
        await client.aclose()
