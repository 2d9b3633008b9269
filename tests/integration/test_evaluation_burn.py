"""Service levels over a real Redis: the counts they rest on are those of closed panes, whoever went on, whatever came late."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from schemas import service_levels
from schemas.findings import Finding
from schemas.monitored import ServingMonitor
from schemas.release import ReleaseMonitor
from schemas.service_levels import Level, Service
from stream.evaluate.columns.watched import Watched
from stream.evaluate.panes.ledger import begun
from stream.evaluate.verdicts.burn import service_of
from stream.evaluate.verdicts.served import COUNTS, counts_of
from stream.state.arms import arms_layout
from tests.support.evaluation import DAY, HOUR, START, Scene, monitor, opened
from tests.support.judged import counted
from tests.support.models import numeric, reference

MINUTE = 60_000
RELEASE = ReleaseMonitor(champion="3", challenger="4")
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
    # 14.4: 72 % of the hour, minutes 60 to 103; six: 30 % of the time so far; one: once more than six hours are known.
    assert found == [
        (85, "6h", "firing"), (103, "1h", "firing"), (106, "1h", "ok"), (125, "6h", "ok"),
        (360, "3d", "firing"), (446, "3d", "ok"),
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


def test_what_is_counted_by_version_beside_a_stream_is_spent_once(redis_url: str, environment_name: str) -> None:
    async def story() -> list[Level]:
        async with opened(redis_url, environment_name, partitions=1) as scene:
            await scene.apply(**PROMISED, release=RELEASE)
            for minute in range(30):
                await _count(scene, minute, errors=1, requests=10, by_version=True)
            await (await scene.evaluate()).leave()
            await _count(scene, 30, errors=1, requests=10, by_version=True)
            await scene.evaluate(scene.evaluator("two"))  # which reads the rows of all layouts
            return [service_levels.decode((await scene.evaluation())["service"]).levels["errors"]]

    (found,) = asyncio.run(story())
    assert (found.requests, found.bad) == (310, 31.0)


@pytest.mark.parametrize("damaged", [b"{", b"{}", b'{"at": "x"}', b'{"at": 99999999999999, "period": 1}', None])
def test_damaged_service_levels_are_told_anew_from_closed_panes(
    damaged: bytes | None, redis_url: str, environment_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> tuple[Service, Service]:
        async with opened(redis_url, environment_name, partitions=1) as scene:
            await scene.apply(**PROMISED)
            for minute in range(30):
                await _count(scene, minute, errors=1, requests=10, slow=2)
            await scene.move(0, START + 3 * HOUR)
            await (await scene.evaluate()).leave()
            key = scene.names.evaluation("m", "predictions")
            before = service_levels.decode((await scene.evaluation())["service"])
            await scene.redis.hdel(key, "service")
            if damaged is not None:
                await scene.redis.hset(key, "service", damaged)
            await _count(scene, 10, errors=0, requests=5, clock=179)  # late
            successor = await scene.evaluate(scene.evaluator("two"))
            assert successor.tally.failed == 0
            return before, service_levels.decode((await scene.evaluation())["service"])

    before, after = asyncio.run(story())
    assert before.at == after.at == START + 30 * MINUTE
    assert (after.levels["errors"].requests, after.levels["errors"].bad) == (305, 30.0)
    assert after.levels["latency"].burn["5m"] == before.levels["latency"].burn["5m"] == pytest.approx(2.4)
    said = ["stored service levels of m cannot be read" in record.message for record in caplog.records]
    assert sum(said) == (damaged in (b"{", b"{}", b'{"at": "x"}'))


async def _count(
    scene: Scene, minute: int, *, errors: int, requests: int, slow: int = 0, clock: int | None = None,
    by_version: bool = False,
) -> None:  # fmt: skip
    start = START + minute * MINUTE
    rows = {
        "status": ["error"] * errors + ["success"] * (requests - errors),
        "latency_s": [0.7] * slow + [0.1] * (requests - slow),
    }
    layouts = [scene.layouts["m"]]
    if by_version and (arms := arms_layout(layouts[0], RELEASE)) is not None:
        layouts.append(arms)
        rows |= {f"champion.{name}": values for name, values in rows.items()}
    for layout in layouts:
        place, made = (0, layout.hash, start), counted(layout, rows)
        scene.held[place] = made if place not in scene.held else scene.held[place] + made
    ended = START + ((minute if clock is None else clock) + 1) * MINUTE
    await scene.checkpoint(0, {"clock": ended, "idle": 0}, [(layout, start) for layout in layouts])


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
