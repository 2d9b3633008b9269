"""Service levels over a real Redis: the counts they rest on are those of closed panes, whoever went on, whatever came late."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from schemas import service_levels
from schemas.findings import Finding
from schemas.monitored import ServingMonitor
from schemas.service_levels import Service
from stream.evaluate.columns.watched import Watched
from stream.evaluate.panes.ledger import begun
from stream.evaluate.verdicts.burn import service_of
from stream.evaluate.verdicts.served import COUNTS, counts_of
from tests.support.evaluation import DAY, HOUR, START, Scene, monitor, opened
from tests.support.judged import counted
from tests.support.models import numeric, reference

MINUTE = 60_000
PROMISED: dict[str, Any] = {
    "pane_ms": MINUTE, "serving": ServingMonitor(error_rate=0.05, latency_p95_ms=600), "windows": {"hour": HOUR},
    "step_ms": HOUR, "revise_within_ms": DAY,
}  # fmt: skip


def test_an_outage_fires_both_pages_and_the_notice_and_clears_by_the_short_windows(
    redis_url: str, environment_name: str
) -> None:
    async def story() -> list[tuple[int, str | None, str]]:
        async with opened(redis_url, environment_name, partitions=1) as scene:
            await scene.apply(**PROMISED)
            for minute in range(540):
                await _count(scene, minute, errors=20 if 60 <= minute < 105 else 0, requests=20)
            await scene.evaluate()
            told = [found for topic, found in await scene.outbox() if topic == "findings" and _is_burn(found)]
            return [(_minute(found.at), found.window, found.state) for found in _edges(told)]

    found = asyncio.run(story())
    # 14.4: 72 % of the hour, minutes 60 to 103; six: 30 % of the time so far; one: at once, beyond chance.
    assert found == [
        (64, "3d", "firing"), (85, "6h", "firing"), (103, "1h", "firing"),
        (106, "1h", "ok"), (125, "6h", "ok"), (446, "3d", "ok"),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_whoever_goes_on_and_whatever_comes_late_says_the_same(
    seed: int, redis_url: str, environment_name: str
) -> None:
    async def story() -> int:
        async with opened(redis_url, environment_name, partitions=1) as scene:
            chance = Random(seed)
            await scene.apply(**PROMISED)
            for hour in range(0, 80, 4):
                for minute in sorted(chance.sample(range(hour * 60, hour * 60 + 240), 12)):
                    await _count(scene, minute, errors=chance.randrange(3), requests=10, slow=chance.randrange(4))
                    if chance.random() < 0.2:
                        late = max(0, minute - chance.choice((1, 30, 500, 3000)))
                        await _count(scene, late, errors=1, requests=1, clock=minute)
                worker = await scene.evaluate(scene.evaluator(f"worker{hour}"))
                await worker.leave()  # the next one knows what is stored
                stored = service_levels.decode((await scene.evaluation())["service"])
                assert stored.levels == _by_hand(scene, at_ms=stored.at).levels
            return stored.levels["errors"].requests

    assert asyncio.run(story()) > 2400


def test_a_new_reference_spends_and_restores_no_budget(redis_url: str, environment_name: str) -> None:
    async def story() -> tuple[Service, Service]:
        async with opened(redis_url, environment_name, partitions=1) as scene:
            await scene.apply(**PROMISED)
            for minute in range(30):
                await _count(scene, minute, errors=1, requests=10)
            await (await scene.evaluate()).leave()
            before = service_levels.decode((await scene.evaluation())["service"])
            changed = {"m": reference(temp=numeric(0.0, 5.0, 20.0))}
            await scene.apply(changed, clock_ms=START + 30 * MINUTE, **PROMISED)
            for minute in range(31, 61):
                await _count(scene, minute, errors=0, requests=10)
            await scene.evaluate()
            return before, service_levels.decode((await scene.evaluation())["service"])

    before, after = asyncio.run(story())
    assert (before.levels["errors"].requests, before.levels["errors"].bad) == (300, 30.0)
    assert (after.levels["errors"].requests, after.levels["errors"].bad) == (600, 30.0)


async def _count(
    scene: Scene, minute: int, *, errors: int, requests: int, slow: int = 0, clock: int | None = None
) -> None:
    layout, start = scene.layouts["m"], START + minute * MINUTE
    rows = {
        "status": ["error"] * errors + ["success"] * (requests - errors),
        "latency_s": [0.7] * slow + [0.1] * (requests - slow),
    }
    place = 0, layout.hash, start
    made = counted(layout, rows)
    scene.held[place] = made if place not in scene.held else scene.held[place] + made
    ended = START + ((minute if clock is None else clock) + 1) * MINUTE
    await scene.checkpoint(0, {"clock": ended, "idle": 0}, [(layout, start)])


def _by_hand(scene: Scene, *, at_ms: int) -> Service:
    layout = scene.layouts["m"]
    watched = Watched("m", "predictions", layout, monitor(**PROMISED), reference(), {}, 1)
    ledger = begun(MINUTE, at_ms=at_ms, longest_ms=30 * DAY, counts=COUNTS)
    for start, partial in scene.merged().items():
        ledger = ledger.plus(start, counts_of(layout, partial, promised_ms=600))
    return service_of(watched, ledger, suspect=None)


def _is_burn(found: Any) -> bool:
    return isinstance(found, Finding) and found.rule == "burn" and "|errors|" in found.key


def _edges(told: list[Finding]) -> list[Finding]:
    """Those at which a state changed."""
    states: dict[str, str] = {}
    changed = []
    for found in told:
        if states.get(found.key) != found.state:
            changed.append(found)
        states[found.key] = found.state
    return changed


def _minute(at_ms: int) -> int:
    """The pane that ended then."""
    return (at_ms - START) // MINUTE - 1
