"""Evaluation of a thousand models with minute panes over 64 partitions: what share of a core, and how long it holds the loop.

The panes are stored as checkpoints store them; what is measured is one evaluator that keeps up with the minutes, on a real
Redis and by a worker's own client.  A ticker on the same loop says how long others had to wait.

A worker looks four times a second, and nearly always there is nothing new: a minute is what its panes cost, and 236 such looks.
Windows end once an hour: of a minute in which they do a sixtieth is what an hour's windows add to a minute.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np
import pytest

from schemas.monitored import FeatureMonitor
from schemas.names import Names
from schemas.settings import Settings
from stream.collector import spare_the_collector
from stream.evaluate.evaluator import Evaluator
from stream.evaluate.storing.breath import Breath
from stream.redis_client import worker_client
from stream.state.layout import EVENTS
from stream.state.packing import empty, pack
from stream.state.store import Checkpoint, PaneKey
from tests.support.evaluation import START, Scene
from tests.support.generated import generate, reference_of

pytestmark = pytest.mark.bench

MODELS, PARTITIONS, MINUTES, WARM = 1_000, 64, 7, 2
#: Looks that find something, or may; those of a minute that do not; of these so many are measured.
BUSY, IDLE, SAMPLE = 4, 236, 40
MINUTE = 60_000
HOUR = 60 * MINUTE


@pytest.mark.parametrize("spread", [1, 8])
def test_a_thousand_models_of_minute_panes(redis_url: str, environment_name: str, spread: int) -> None:
    """``spread``: partitions that each model's events fall into (1: keyed by model)."""
    found = asyncio.run(_measured(redis_url, environment_name, spread))
    panes, windows, look = found["panes_s"], found["windows_s"] - found["panes_s"], found["look_s"]
    print(
        f"\n{MODELS} models, {PARTITIONS} partitions, each model in {spread}: {found['panes']} panes, {found['windows']} windows; "
        f"CPU-s: panes of a minute {panes:.3f}, windows of an hour {windows:.3f}, a look without news {look * 1e3:.2f} ms; "
        f"= {(panes + windows / 60 + IDLE * look) / 60:.2%} of a core, {panes / 60:.2%} of it panes, {IDLE * look / 60:.2%} looks; "
        f"longest wait of others {found['wait_ms']:.1f} ms, longest own hold {found['hold_ms']:.1f} ms"
    )
    assert found["panes"] == MODELS * MINUTES


async def _measured(url: str, environment: str, spread: int) -> dict[str, Any]:
    redis = worker_client(Settings(redis=url), answers_within_s=10.0)
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
    spent: list[float] = []
    looks: list[float] = []
    first = START + 24 * HOUR - MINUTES * MINUTE
    for minute in range(MINUTES):
        await _store(scene, first + minute * MINUTE, spread=spread)
        if minute == WARM:
            waits, spent, looks = [], [], []
            evaluator.tally.longest_hold_s = 0.0
            evaluator._breath.longest_s = 0.0
        spare_the_collector()  # as a worker does
        ticker = asyncio.create_task(_tick(waits))
        spent.append(await _cpu_of(evaluator, looks=BUSY))
        ticker.cancel()
        looks.append(await _cpu_of(evaluator, looks=SAMPLE) / SAMPLE)
    tally = evaluator.tally
    tending.cancel()
    await redis.aclose()
    return {
        "panes": tally.panes, "windows": tally.windows, "panes_s": median(spent[:-1]), "windows_s": spent[-1],
        "look_s": median(looks), "wait_ms": max(waits) * 1000, "hold_ms": tally.longest_hold_s * 1000,
    }  # fmt: skip


async def _cpu_of(evaluator: Evaluator, *, looks: int) -> float:
    """CPU-s, all threads'."""
    began = time.process_time()
    for _ in range(looks):
        await evaluator.run_once()
    return time.process_time() - began


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
