"""Evaluation of a thousand models with minute panes over 64 partitions: what share of a core, and how long it holds the loop.

The panes are stored as checkpoints store them; what is measured is one evaluator that keeps up with the minutes, on a real
Redis.  A ticker on the same loop says how long others had to wait.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from redis.asyncio import Redis

from schemas.monitored import FeatureMonitor
from schemas.names import Names
from stream.collector import spare_the_collector
from stream.evaluate.evaluator import Evaluator
from stream.evaluate.storing.breath import Breath
from stream.state.layout import EVENTS
from stream.state.packing import empty, pack
from stream.state.store import Checkpoint, PaneKey
from tests.support.evaluation import START, Scene
from tests.support.generated import generate, reference_of

pytestmark = pytest.mark.bench

MODELS, PARTITIONS, MINUTES, WARM = 1_000, 64, 6, 2
MINUTE = 60_000
HOUR = 60 * MINUTE


@pytest.mark.parametrize("spread", [1, 8])
def test_a_thousand_models_of_minute_panes(redis_url: str, environment_name: str, spread: int) -> None:
    """``spread``: partitions that each model's events fall into (1: keyed by model)."""
    found = asyncio.run(_measured(redis_url, environment_name, spread))
    print(
        f"\n{MODELS} models, {PARTITIONS} partitions, each model in {spread}: {found['panes']} panes, {found['windows']} windows; "
        f"{found['cpu_s'] / found['minutes']:.2f} CPU-s a minute of events = {found['share']:.2%} of a core; "
        f"longest wait of others {found['wait_ms']:.1f} ms, longest own hold {found['hold_ms']:.1f} ms"
    )
    assert found["panes"] == MODELS * MINUTES


async def _measured(url: str, environment: str, spread: int) -> dict[str, Any]:
    redis = Redis.from_url(url)
    scene = Scene(redis, Names(environment), PARTITIONS)
    reference = reference_of(generate("m0", 5_000, seed=1, features=19))
    await scene.apply(
        {f"m{n}": replace(reference, model=f"m{n}") for n in range(MODELS)},
        pane_ms=MINUTE, windows={"hour": HOUR, "day": 24 * HOUR}, step_ms=HOUR, lateness_ms=0,
        features=_features(reference),
    )  # fmt: skip
    await scene.take(*range(PARTITIONS))
    evaluator = scene.evaluator(event_clock=False)
    await evaluator.tend()
    tending = asyncio.create_task(_tend(evaluator))
    waits: list[float] = []
    cpu = 0.0
    first = START + 24 * HOUR - (MINUTES - 1) * MINUTE
    for minute in range(MINUTES):
        await _store(scene, first + minute * MINUTE, spread=spread)
        if minute == WARM:
            waits, cpu = [], 0.0
            evaluator.tally.longest_hold_s = 0.0
            evaluator._breath.longest_s = 0.0
        spare_the_collector()  # as a worker does
        ticker = asyncio.create_task(_tick(waits))
        began = time.process_time()
        for _ in range(4):
            await evaluator.run_once()
        cpu += time.process_time() - began
        ticker.cancel()
    minutes = MINUTES - WARM
    tally = evaluator.tally
    tending.cancel()
    await redis.aclose()
    return {
        "panes": tally.panes, "windows": tally.windows, "cpu_s": cpu, "minutes": minutes, "share": cpu / minutes / 60,
        "wait_ms": max(waits) * 1000, "hold_ms": tally.longest_hold_s * 1000,
    }  # fmt: skip


def _features(reference: Any) -> dict[str, Any]:
    return {
        name: FeatureMonitor(type="categorical" if name == "city" else "numeric", fixed={"psi": 0.25})
        for name in reference.features
    }


async def _tend(evaluator: Evaluator) -> None:
    while True:
        await asyncio.sleep(1.0)
        await evaluator.tend()


async def _tick(waits: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        waits.append(time.perf_counter() - before - 0.001)


async def _store(scene: Scene, start: int, *, spread: int) -> None:
    """Each model's pane in so many partitions, and every clock behind it."""
    rng = np.random.default_rng(start % 1_000_003)
    layout = scene.layouts["m0"]
    packed = []
    for _ in range(20):
        partial = empty(layout.cells, len(layout.numeric))
        partial.cells[5:] = rng.poisson(0.8, layout.cells - 5)
        partial.cells[EVENTS] = 100
        partial.extrema[0::2], partial.extrema[1::2] = rng.normal(-9, 1), rng.normal(9, 1)
        packed.append(pack(partial))
    for partition in range(PARTITIONS):
        chosen = [n for n in range(MODELS) if (partition - n) % PARTITIONS < spread]
        panes = [
            (PaneKey("predictions", partition, 0, scene.layouts[f"m{n}"], start), packed[n % len(packed)])
            for n in chosen
        ]
        at = scene.offsets[partition]
        made = Checkpoint(
            "predictions",
            partition,
            scene.epochs[partition],
            at,
            at + 1,
            {"clock": start + MINUTE, "idle": 0},
            {},
            panes,
        )
        assert await scene.store.checkpoint([made]) == ["stored"]
        scene.offsets[partition] = at + 1


def test_a_breath_costs_nothing_while_the_loop_is_free() -> None:
    async def breathe(count: int) -> float:
        breath = Breath()
        began = time.perf_counter()
        for _ in range(count):
            await breath()
        return (time.perf_counter() - began) / count

    print(f"\na breath: {asyncio.run(breathe(100_000)) * 1e9:.0f} ns")
